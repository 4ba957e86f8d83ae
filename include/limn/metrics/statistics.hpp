// The few statistics that the metrics need: running mean and deviation, Wilson's interval, the area under the ROC curve
// with DeLong's variance.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/core/config.hpp"
#include "limn/core/order.hpp"

namespace limn::metrics {

inline constexpr double undefined_value = std::numeric_limits<double>::quiet_NaN();
/// The 97.5% quantile of the standard normal distribution: half the width of a 95% interval.
inline constexpr double normal_quantile_95 = 1.959963984540054;

/// Mean and sample standard deviation (n - 1) of values that come one by one (Welford 1962). NaN is left out and
/// counted.
class Running {
 public:
  void add(double value) {
    if (std::isnan(value)) {
      ++undefined_;
      return;
    }
    const double step = value - mean_;
    mean_ += step / static_cast<double>(++count_);
    squares_ += step * (value - mean_);
  }
  /// NaN where no value is defined.
  [[nodiscard]] double mean() const { return count_ > 0 ? mean_ : undefined_value; }
  /// NaN where fewer than two values are defined.
  [[nodiscard]] double std() const {
    return count_ > 1 ? std::sqrt(squares_ / static_cast<double>(count_ - 1)) : undefined_value;
  }
  [[nodiscard]] Index count() const { return count_; }
  [[nodiscard]] Index undefined() const { return undefined_; }

 private:
  double mean_ = 0, squares_ = 0;
  Index count_ = 0, undefined_ = 0;
};

/// 95% interval of a share of `count` trials (Wilson 1927), which stays in [0, 1]; NaN for no trials.
[[nodiscard]] inline std::array<double, 2> wilson_interval(Index successes, Index count) {
  if (count <= 0) return {undefined_value, undefined_value};
  const double n = static_cast<double>(count), share = static_cast<double>(successes) / n;
  const double z = normal_quantile_95, scale = 1 / (1 + z * z / n);
  const double middle = scale * (share + z * z / (2 * n));
  const double half = scale * z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

/// Ranks from 1; equal values share the mean of their ranks.
[[nodiscard]] inline std::vector<double> midranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  stable_order(order, [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) ranks[order[k]] = 0.5 * static_cast<double>(i + 1 + end);
    i = end;
  }
  return ranks;
}

/// The area under a ROC curve and the variance of that estimate.
struct Auc {
  double value = undefined_value;     ///< NaN unless both classes have a sample
  double variance = undefined_value;  ///< NaN unless both classes have two samples
};

/// The chance that a positive scores above a negative, ties counted half, with DeLong's variance (DeLong et al. 1988),
/// computed from midranks in n log n (Sun and Xu 2014).
[[nodiscard]] inline Auc auc(std::span<const double> positives, std::span<const double> negatives) {
  const std::size_t m = positives.size(), n = negatives.size();
  if (m == 0 || n == 0) return {};
  std::vector<double> all(positives.begin(), positives.end());
  append(all, negatives);
  const std::vector<double> joint = midranks(all), own_positive = midranks(positives),
                            own_negative = midranks(negatives);
  // A sample's rank among all, less its rank in its own class, counts the samples of the other class below it.
  Running positive_part, negative_part;
  for (std::size_t i = 0; i < m; ++i) positive_part.add((joint[i] - own_positive[i]) / static_cast<double>(n));
  for (std::size_t j = 0; j < n; ++j) negative_part.add(1 - (joint[m + j] - own_negative[j]) / static_cast<double>(m));
  Auc result;
  result.value = positive_part.mean();
  const double a = positive_part.std(), b = negative_part.std();
  result.variance = a * a / static_cast<double>(m) + b * b / static_cast<double>(n);
  return result;
}

}  // namespace limn::metrics
