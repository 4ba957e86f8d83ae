// Total Sobol indices: how much of the variance of a function's output would be left if all inputs but one were known.
// Interactions count for each input that takes part in them, so the indices may add up to more than 1.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "limn/core/tensor.hpp"

namespace limn::explain {

/// The points at which Jansen's estimator asks for the function: of points (n, 2 d), the left half is A and the right
/// half is B; the rows are A, then for each of the d inputs A with that one's column taken from B. (n (d + 1), d)
[[nodiscard]] inline Tensor<CpuDouble> replicated_design(const Tensor<CpuDouble>& points) {
  require<ShapeError>(points.rank() == 2 && points.dim(1) % 2 == 0 && points.size() > 0,
                      "replicated design: expected points (n, 2 d), got ", points.shape());
  const Index n = points.dim(0), d = points.dim(1) / 2;
  Tensor<CpuDouble> out(Shape{n * (d + 1), d});
  for (Index block = 0; block <= d; ++block)
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < d; ++j)
        out.data()[(block * n + i) * d + j] = points.data()[i * 2 * d + j + (block == j + 1 ? d : 0)];
  return out;
}

/// Jansen's estimator (Jansen 1999), for the outputs at a replicated design of n points:
/// mean of (f(A) - f(A with input i from B))^2 / (2 Var f(A)), the variance divided by n - 1. One index per input; NaN
/// for outputs that do not vary.
[[nodiscard]] inline std::vector<double> jansen_indices(std::span<const double> outputs, Index n) {
  require<OptionError>(n >= 2, "Sobol indices: a design of ", n, " points, expected 2 or more");
  const auto points = static_cast<std::size_t>(n);
  require<ShapeError>(outputs.size() % points == 0 && outputs.size() >= 2 * points, "Sobol indices: ", outputs.size(),
                      " outputs for a design of ", n, " points");
  const std::span<const double> a = outputs.first(points);
  const double count = static_cast<double>(n);
  double mean = 0, variance = 0;
  for (const double v : a) mean += v / count;
  for (const double v : a) variance += (v - mean) * (v - mean) / (count - 1);
  std::vector<double> out;
  for (std::size_t block = points; block < outputs.size(); block += points) {
    double moved = 0;
    for (std::size_t i = 0; i < points; ++i) moved += (a[i] - outputs[block + i]) * (a[i] - outputs[block + i]);
    out.push_back(variance > 0 ? moved / (2 * count * variance) : std::numeric_limits<double>::quiet_NaN());
  }
  return out;
}

}  // namespace limn::explain
