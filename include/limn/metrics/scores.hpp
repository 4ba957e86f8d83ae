// The value that evaluate() returns: how well a network classifies, where its explanations fall, and what they are
// worth to the network itself.
#pragma once

#include <vector>

#include "limn/metrics/classification.hpp"
#include "limn/metrics/faithfulness_scores.hpp"
#include "limn/metrics/localisation_study.hpp"

namespace limn::metrics {

struct Scores {
  ClassificationScores classification;
  std::vector<LocalisationScores> localisation;  ///< one per explainer
  std::vector<FaithfulnessScores> faithfulness;  ///< one per explainer
  const FaithfulnessViews* views = nullptr;      ///< of faithfulness, in reports; set where it is measured
};

}  // namespace limn::metrics
