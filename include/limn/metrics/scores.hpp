// The value that evaluate() returns: how well a network classifies, and where its explanations fall.
#pragma once

#include <vector>

#include "limn/metrics/classification.hpp"
#include "limn/metrics/localisation_study.hpp"

namespace limn::metrics {

struct Scores {
  ClassificationScores classification;
  std::vector<LocalisationScores> localisation;  ///< one per explainer
};

}  // namespace limn::metrics
