// The ROC curves of several runs as one, with how far they lie apart.
#pragma once

#include <algorithm>
#include <vector>

#include "limn/metrics/classification.hpp"

namespace limn::metrics {

/// Of each false positive rate, the mean of the curves' true positive rates and its sample standard deviation (NaN for
/// one curve).
struct MeanRoc {
  std::vector<double> false_positive_rate, mean, std;
};

namespace detail {
/// The true positive rate there, linear between points; where the curve rises straight up, its upper end.
[[nodiscard]] inline double height_at(const std::vector<RocPoint>& curve, double false_positive_rate) {
  std::size_t next = 0;
  while (next < curve.size() && curve[next].false_positive_rate <= false_positive_rate) ++next;
  const RocPoint& before = curve[next - 1];
  if (next == curve.size()) return before.true_positive_rate;
  const RocPoint& after = curve[next];
  const double share =
      (false_positive_rate - before.false_positive_rate) / (after.false_positive_rate - before.false_positive_rate);
  return before.true_positive_rate + share * (after.true_positive_rate - before.true_positive_rate);
}
}  // namespace detail

/// Vertical averaging (Fawcett 2006, section 8.1) at equally spaced rates from 0 to 1. Curves are those of
/// ClassificationScores::roc; empty ones are left out, and without any all is empty. OptionError for fewer than 2
/// places.
[[nodiscard, gnu::cold]] inline MeanRoc mean_roc(const std::vector<std::vector<RocPoint>>& curves, Index places = 101) {
  require<OptionError>(places >= 2, "mean_roc: expected at least 2 places, got ", places);
  MeanRoc out;
  for (Index i = 0; i < places; ++i) {
    const double rate = static_cast<double>(i) / static_cast<double>(places - 1);
    Running heights;
    for (const auto& curve : curves)
      if (!curve.empty()) heights.add(detail::height_at(curve, rate));
    if (heights.count() == 0) return out;
    out.false_positive_rate.push_back(rate);
    out.mean.push_back(heights.mean());
    out.std.push_back(heights.std());
  }
  return out;
}

}  // namespace limn::metrics
