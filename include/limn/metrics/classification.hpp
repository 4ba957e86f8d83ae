// How well a network classifies: from class probabilities and true labels to the usual scores, a ROC curve and a
// confusion matrix.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/metrics/statistics.hpp"

namespace limn::metrics {

/// One point of a ROC curve: what share of each class scores at or above the threshold.
struct RocPoint {
  double false_positive_rate = 0, true_positive_rate = 0;
  double threshold = std::numeric_limits<double>::infinity();
};

/// All shares are in [0, 1]. Two classes: class 1 is the positive one. More classes: sensitivity, specificity,
/// precision, F1 and AUC are means over the classes, each against the rest. What is undefined (the precision of a class
/// that was never predicted, the sensitivity of a class that never occurred) is NaN, or is left out of the mean over
/// the classes; either way `undefined` names it and says why.
struct ClassificationScores {
  double accuracy = undefined_value;
  std::array<double, 2> accuracy_interval{undefined_value, undefined_value};  ///< 95%, Wilson
  double balanced_accuracy = undefined_value;  ///< mean over the classes of the share found
  double sensitivity = undefined_value, specificity = undefined_value, precision = undefined_value,
         f1 = undefined_value;
  /// Mean of the classes' precisions, weighted by how many samples each class has; a class that was never predicted
  /// counts 0. The recall weighted so is the accuracy. Papers report both under the names precision and sensitivity.
  double weighted_precision = undefined_value;
  /// 95%, two classes: Wilson's of TP / (TP + FP + FN), which F1 is a function of.
  std::array<double, 2> f1_interval{undefined_value, undefined_value};
  double auc = undefined_value;
  std::array<double, 2> auc_interval{undefined_value, undefined_value};  ///< 95%, DeLong, cut to [0, 1]; two classes
  double calibration_error = undefined_value;  ///< expected calibration error, 15 bins (Guo et al. 2017)
  xt::xtensor<Index, 2> confusion;             ///< (K, K): truth x predicted, counts
  std::vector<RocPoint> roc;                   ///< two classes: from (0, 0) to (1, 1), a point per distinct score
  Index count = 0;
  std::vector<std::string> class_names;  ///< for reports; empty: "class 0", "class 1", ...
  std::vector<std::string> undefined;
};

namespace detail {

[[gnu::cold]] inline void check_predictions(const xt::xtensor<float, 2>& probabilities,
                                            const std::vector<Index>& labels) {
  const std::size_t count = probabilities.shape()[0], classes = probabilities.shape()[1];
  require<ShapeError>(count == labels.size(), "classification scores: ", count, " rows of probabilities but ",
                      labels.size(), " labels");
  require<ShapeError>(classes >= 2, "classification scores: expected probabilities of 2 or more classes, got ",
                      classes);
  for (std::size_t i = 0; i < count; ++i) {
    require(labels[i] >= 0 && labels[i] < static_cast<Index>(classes), "classification scores: label ", labels[i],
            " of row ", i, " is outside 0 to ", classes - 1);
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      const float p = probabilities(i, k);
      require(p >= 0 && p <= 1.0001f, "classification scores: row ", i, ", class ", k, ": expected a probability, got ",
              p);  // NaN fails both comparisons
      sum += p;
    }
    require(std::abs(sum - 1) < 1e-3, "classification scores: row ", i, " sums to ", sum,
            ": expected probabilities that sum to 1 (the softmax of the logits)");
  }
}

/// All points, thresholds falling.
[[gnu::cold]] inline std::vector<RocPoint> roc_curve(std::vector<double> positives, std::vector<double> negatives) {
  std::sort(positives.begin(), positives.end(), std::greater<>());
  std::sort(negatives.begin(), negatives.end(), std::greater<>());
  std::vector<RocPoint> curve{RocPoint{}};
  std::size_t p = 0, n = 0;
  while (p < positives.size() || n < negatives.size()) {
    const double threshold = n == negatives.size()   ? positives[p]
                             : p == positives.size() ? negatives[n]
                                                     : std::max(positives[p], negatives[n]);
    while (p < positives.size() && positives[p] == threshold) ++p;
    while (n < negatives.size() && negatives[n] == threshold) ++n;
    curve.push_back({static_cast<double>(n) / static_cast<double>(negatives.size()),
                     static_cast<double>(p) / static_cast<double>(positives.size()), threshold});
  }
  return curve;
}

}  // namespace detail

/// Scores of N predictions. `probabilities`: (N, K), rows sum to 1; `labels`: N, in [0, K). The predicted class is the
/// one of the largest probability (the first of equals). Throws ShapeError where sizes differ and Error for a label out
/// of range or a row that is not a distribution.
[[nodiscard, gnu::cold]] inline ClassificationScores classification(const xt::xtensor<float, 2>& probabilities,
                                                                    const std::vector<Index>& labels) {
  detail::check_predictions(probabilities, labels);
  const std::size_t count = labels.size(), classes = probabilities.shape()[1];
  constexpr std::size_t bins = 15;
  std::array<double, bins> bin_confidence{}, bin_hits{};
  ClassificationScores scores;
  scores.count = static_cast<Index>(count);
  scores.confusion = xt::xtensor<Index, 2>(std::array<std::size_t, 2>{classes, classes}, Index{0});
  if (count == 0) {
    scores.undefined.push_back("all: there are no predictions");
    return scores;
  }

  Index hits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < classes; ++k)
      if (probabilities(i, k) > probabilities(i, best)) best = k;
    const std::size_t truth = static_cast<std::size_t>(labels[i]);
    ++scores.confusion(truth, best);
    hits += truth == best;
    // Bins (0, 1/15], (1/15, 2/15], ... as in Guo et al.
    const double confidence = probabilities(i, best);
    const double bin = std::clamp(std::ceil(confidence * bins) - 1, 0.0, bins - 1.0);
    bin_confidence[static_cast<std::size_t>(bin)] += confidence;
    bin_hits[static_cast<std::size_t>(bin)] += truth == best;
  }
  scores.accuracy = static_cast<double>(hits) / static_cast<double>(count);
  scores.accuracy_interval = wilson_interval(hits, scores.count);
  scores.calibration_error = 0;
  for (std::size_t b = 0; b < bins; ++b)
    scores.calibration_error += std::abs(bin_confidence[b] - bin_hits[b]) / static_cast<double>(count);

  scores.weighted_precision = 0;
  Running recall, sensitivity, specificity, precision, f1, area;
  const auto share = [&](Index part, Index whole, Running& mean, const char* name, std::size_t k, const char* why) {
    if (whole == 0) scores.undefined.push_back(text(name, " of class ", k, ": ", why));
    mean.add(whole == 0 ? undefined_value : static_cast<double>(part) / static_cast<double>(whole));
  };
  for (std::size_t k = 0; k < classes; ++k) {
    Index truths = 0, predicted = 0;
    for (std::size_t j = 0; j < classes; ++j) {
      truths += scores.confusion(k, j);
      predicted += scores.confusion(j, k);
    }
    const Index true_positives = scores.confusion(k, k), others = scores.count - truths;
    share(true_positives, truths, recall, "sensitivity", k, "no sample has this class");
    if (predicted > 0)
      scores.weighted_precision +=
          static_cast<double>(truths * true_positives) / (static_cast<double>(predicted) * static_cast<double>(count));
    if (classes == 2 && k == 0) continue;
    if (truths > 0) sensitivity.add(static_cast<double>(true_positives) / static_cast<double>(truths));
    share(others - (predicted - true_positives), others, specificity, "specificity", k, "all samples have this class");
    share(true_positives, predicted, precision, "precision", k, "it was never predicted");
    share(2 * true_positives, truths + predicted, f1, "F1", k, "no sample has this class and it was never predicted");
    if (classes == 2) {
      const auto [low, high] = wilson_interval(true_positives, truths + predicted - true_positives);
      scores.f1_interval = {2 * low / (1 + low), 2 * high / (1 + high)};
    }

    std::vector<double> positives, negatives;
    for (std::size_t i = 0; i < count; ++i)
      (labels[i] == static_cast<Index>(k) ? positives : negatives).push_back(probabilities(i, k));
    const Auc result = auc(positives, negatives);
    area.add(result.value);
    if (std::isnan(result.value)) {
      scores.undefined.push_back(text("AUC of class ", k, ": it needs samples of this class and of another"));
    } else if (classes == 2) {
      scores.roc = detail::roc_curve(std::move(positives), std::move(negatives));
      const double half = normal_quantile_95 * std::sqrt(result.variance);
      if (std::isnan(half))
        scores.undefined.push_back("interval of the AUC: it needs two samples of each class");
      else
        scores.auc_interval = {std::max(0.0, result.value - half), std::min(1.0, result.value + half)};
    }
  }
  if (classes > 2) scores.undefined.push_back("interval of the AUC: given for two classes only");
  scores.balanced_accuracy = recall.mean();
  scores.sensitivity = sensitivity.mean();
  scores.specificity = specificity.mean();
  scores.precision = precision.mean();
  scores.f1 = f1.mean();
  scores.auc = area.mean();
  return scores;
}

}  // namespace limn::metrics
