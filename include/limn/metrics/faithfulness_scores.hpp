// What the faithfulness of an explainer's maps comes to (metrics/faithfulness.hpp says how).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"

namespace limn::metrics {

/// Least important first and most important first, point by point.
struct FlipCurves {
  std::vector<double> lif = {}, mif = {};
};

/// Means over the pictures on which a measure is defined, and their sample standard deviations.
struct FaithfulnessScores {
  std::string explainer = {};
  Index images = 0;     ///< pictures given
  Index undefined = 0;  ///< pictures on which nothing is defined
  std::vector<std::string> measures = {};
  std::vector<double> mean = {}, std = {};  ///< of each measure
  std::vector<std::string> reasons = {};    ///< why something is undefined, each with a count of pictures
  std::vector<double> taken = {};           ///< the mean curves: shares that are taken away ...
  FlipCurves agrees = {};                   ///< ... and of pictures that then agree; empty for superpixels
  FlipCurves degradation = {};              ///< of the class's probability, from nothing to all in equal steps (DS)

  /// The mean of a measure; OptionError where it was not asked for.
  [[nodiscard, gnu::cold]] double operator[](std::string_view measure) const {
    for (std::size_t k = 0; k < measures.size(); ++k)
      if (measures[k] == measure) return mean[k];
    throw OptionError(text("faithfulness: \"", measure, "\" was not measured"));
  }
};

/// How reports show them. Who measures says so, and programs that do not measure need not compile it.
struct FaithfulnessViews {
  std::string (*html)(const std::vector<FaithfulnessScores>& all);
  std::string (*markdown)(const std::vector<FaithfulnessScores>& all);
  std::string (*json)(const std::vector<FaithfulnessScores>& all);
};

}  // namespace limn::metrics
