// How fast something is learned: one number for a curve over the number of labels.
#pragma once

#include <span>

#include "limn/core/error.hpp"
#include "limn/metrics/statistics.hpp"

namespace limn::metrics {

/// The area under a learning curve by the trapezoid rule, divided by its width: the mean height, in units of y.
/// `x`: numbers of labels, rising. NaN where any y is. Throws ShapeError unless there are two points or more, as many
/// of both, and Error unless x rises.
[[nodiscard, gnu::cold]] inline double area_under_curve(std::span<const double> x, std::span<const double> y) {
  require<ShapeError>(x.size() == y.size() && x.size() >= 2, "area under a curve: ", x.size(), " and ", y.size(),
                      " numbers, expected two or more, as many of both");
  double area = 0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    require(x[i] > x[i - 1], "area under a curve: x must rise, got ", x[i - 1], " and then ", x[i]);
    area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
  }
  return area / (x.back() - x.front());
}

}  // namespace limn::metrics
