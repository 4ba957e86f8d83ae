// The concepts of a class: directions in what a layer gives, how important each is, and what they say of a picture.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "limn/explain/concepts/nmf.hpp"
#include "limn/explain/explanation.hpp"

namespace limn::explain {

/// The most important concept first.
struct Concepts {
  Tensor<CpuDouble> components;     ///< (concepts, channels of the layer), each of length 1
  std::vector<double> importances;  ///< total Sobol indices of the class score, the mean over the pictures
  Index rounds = 0;                 ///< of the factorisation; as many as allowed: it had not converged
};

namespace detail {

/// Every row divided by its length, so that a concept's weight says how much of the activation it is; rows of zeros
/// stay.
inline Tensor<CpuDouble> unit_rows(const Tensor<CpuDouble>& x) {
  Tensor<CpuDouble> out = x.clone();
  for (Index k = 0; k < x.dim(0); ++k) {
    double* const row = out.data() + k * x.dim(1);
    const double length = std::sqrt(std::inner_product(row, row + x.dim(1), row, 0.0));
    if (length > 0) std::for_each(row, row + x.dim(1), [&](double& v) { v /= length; });
  }
  return out;
}

[[gnu::cold]] inline Concepts by_importance(const Concepts& concepts) {
  const std::vector<double>& importance = concepts.importances;
  const Index channels = concepts.components.dim(1);
  std::vector<std::size_t> order(importance.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return importance[a] > importance[b]; });
  Concepts out{Tensor<CpuDouble>(concepts.components.shape()), {}, concepts.rounds};
  for (std::size_t k = 0; k < order.size(); ++k) {
    std::copy_n(concepts.components.data() + static_cast<Index>(order[k]) * channels, channels,
                out.components.data() + static_cast<Index>(k) * channels);
    out.importances.push_back(importance[order[k]]);
  }
  return out;
}

/// The number below which so many percent of the numbers lie, between two of them by their distance.
inline float percentile(std::vector<float> values, double percent) {
  std::sort(values.begin(), values.end());
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at), high = std::min(low + 1, values.size() - 1);
  return values[low] + static_cast<float>(at - static_cast<double>(low)) * (values[high] - values[low]);
}

/// A map for every concept, and their sum by importance; `places`: what the layer gives for a picture, (h w, channels).
[[nodiscard, gnu::cold]] inline Explanation explained(const Concepts& concepts, const Tensor<CpuDouble>& places,
                                                      Index h, Index w, const Grid& grid,
                                                      std::optional<double> above_percentile) {
  const Index count = concepts.components.dim(0);
  const Tensor<CpuDouble> maps = nmf_weights(places, concepts.components).reshape({1, h, w, count});
  Explanation out;
  out.grid = grid;
  out.map = Map({static_cast<std::size_t>(h), static_cast<std::size_t>(w)}, 0.f);
  for (Index k = 0; k < count; ++k) {
    const double importance = concepts.importances[static_cast<std::size_t>(k)];
    const Map map = map_of(maps, 0, k);
    for (std::size_t p = 0; p < map.size(); ++p) out.map.data()[p] += static_cast<float>(importance) * map.data()[p];
    out.parts.push_back({text("concept ", k + 1, " (", std::round(100 * importance) / 100, ")"), map, grid});
  }
  if (above_percentile) {
    const float least = percentile({out.map.begin(), out.map.end()}, *above_percentile);
    for (float& v : out.map) v = v > least ? v : 0;
  }
  return out;
}

}  // namespace detail

}  // namespace limn::explain
