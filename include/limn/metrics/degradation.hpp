// The degradation scores of many pictures as one number, which a method cannot win on one class alone (Baer et al.; as
// in Abbaspour Onari et al. 2025, Eq. 13 and 14).
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/metrics/statistics.hpp"

namespace limn::metrics {

/// NaN where there are no pictures.
struct DegradationScore {
  double mean = 0;               ///< of all pictures
  std::vector<double> by_class;  ///< means
  double adjusted = 0;           ///< DS_c
};

/// DS_c = mean - alpha Delta; Delta is half the distance between the classes' means, of more than two between the
/// largest and the smallest. Values that are NaN are left out. Throws ShapeError for unequal lengths, OptionError for a
/// label that is no class and alpha outside 0 to 1.
[[nodiscard, gnu::cold]] inline DegradationScore degradation_score(std::span<const double> values,
                                                                   std::span<const Index> labels, Index classes,
                                                                   double alpha = 1) {
  require<ShapeError>(values.size() == labels.size(), "degradation score: ", values.size(), " values, but ",
                      labels.size(), " labels");
  require<OptionError>(alpha >= 0 && alpha <= 1, "degradation score: alpha must be 0 to 1, got ", alpha);
  Running all;
  std::vector<Running> each(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < values.size(); ++i) {
    require<OptionError>(labels[i] >= 0 && labels[i] < classes, "degradation score: label ", labels[i],
                         ", expected 0 to ", classes - 1);
    all.add(values[i]);
    each[static_cast<std::size_t>(labels[i])].add(values[i]);
  }
  DegradationScore out;
  out.mean = all.mean();
  for (const Running& one : each) out.by_class.push_back(one.mean());
  double low = INFINITY, high = -INFINITY;
  for (const double mean : out.by_class) low = std::min(low, mean), high = std::max(high, mean);
  const bool missing = std::any_of(out.by_class.begin(), out.by_class.end(), [](double v) { return std::isnan(v); });
  out.adjusted = missing ? undefined_value : out.mean - alpha * (high - low) / 2;
  return out;
}

}  // namespace limn::metrics
