// What happens to a map between the explainer and the design of an explanation loss: scaling, the top gate, and the
// mask that is laid on its elements.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "limn/core/share.hpp"
#include "limn/nn/run.hpp"
#include "limn/ops/ops.hpp"

namespace limn {

/// How the elements below the top share are taken away. Which ones these are has no derivative; the values have.
struct Gate {
  float temperature = 0;  ///< 0: the kept elements have their values, the others 0

  /// Exactly ceil(top n) elements keep their values, by rank, ties by position.
  static const Gate soft_values;
  /// Every element becomes sigmoid((H - q) / temperature), q halfway between the last element above and the first one
  /// below the cut: above are those with more than a half.
  static constexpr Gate sigmoid(float temperature) { return {temperature}; }
};
inline constexpr Gate Gate::soft_values{};

namespace detail {

/// Divisors are at least this: the square, which derivatives divide by, is not 0 in float.
template <Backend B>
[[nodiscard]] Var<B> at_least_tiny(const Var<B>& x) {
  return maximum(x, Var<B>(Tensor<B>(Shape{1}, typename B::scalar(1e-12))));
}

/// Pictures `chosen` of x (n, h, w, c), in this order.
template <Backend B>
[[nodiscard]] Var<B> pictures(const Var<B>& x, const std::vector<Index>& chosen) {
  Index next = 0;
  if (std::all_of(chosen.begin(), chosen.end(), [&](Index i) { return i == next++; }) && next == x.dim(0)) return x;
  Shape shape = x.shape();
  shape[0] = static_cast<Index>(chosen.size());
  Tensor<Positions<B>> at(shape);
  const Index size = x.size() / x.dim(0);
  for (Index i = 0; i < at.size(); ++i)
    at.data()[i] = static_cast<std::int32_t>(chosen[static_cast<std::size_t>(i / size)] * size + i % size);
  return take(x, at);
}

/// Map (n, h, w, 1) to 0 .. 1, picture by picture: (map - smallest) / (largest - smallest). Where all elements are
/// equal, but for rounding, the map says nothing: it becomes 0, and no gradient goes through it.
template <Backend B>
[[nodiscard]] Var<B> min_max(const Var<B>& map) {
  using T = typename B::scalar;
  const Index n = map.dim(0);
  // Divided by its largest value, which changes nothing in exact arithmetic, a map of any scale is safe from underflow.
  Tensor<B> scale(Shape{n, 1}), flat(Shape{n, 1}), varies(Shape{n, 1});
  const Index size = map.size() / n;
  for (Index i = 0; i < n; ++i) {
    const auto [low, high] = std::minmax_element(map.value().data() + i * size, map.value().data() + (i + 1) * size);
    const T most = std::max(std::abs(*low), std::abs(*high));
    const bool says = *high - *low > T(1e-6) * most && most > T(1e-30);
    scale.data()[i] = says ? 1 / most : T(0);
    varies.data()[i] = says ? T(1) : T(0);
    flat.data()[i] = 1 - varies.data()[i];
  }
  const Var<B> x = reshape(map, {n, size}) * Var<B>(scale);
  const Var<B> low = -max(-x), high = max(x);
  return reshape((x - low) / (high - low + Var<B>(flat)), map.shape());
}

/// The top share of every picture of a map (n, h, w, 1).
template <Backend B>
[[nodiscard]] Var<B> gated(const Var<B>& map, float top, Gate gate) {
  using T = typename B::scalar;
  const Index n = map.dim(0), size = map.size() / n, kept = elements(top, size);
  if (kept >= size) return map;
  const auto order = kernel::top_k(map.value().reshape({n, size}), kept + 1);
  if (gate.temperature > 0) {
    Tensor<Positions<B>> around(Shape{n, 2});
    for (Index i = 0; i < n; ++i) std::copy_n(order.data() + i * (kept + 1) + kept - 1, 2, around.data() + 2 * i);
    const Var<B> cut = reshape(mean(take(map, around), {1}), {n, 1, 1, 1});
    return sigmoid((map - cut) * (1 / static_cast<T>(gate.temperature)));
  }
  Tensor<B> keep(map.shape(), T(0));
  for (Index i = 0; i < n; ++i)
    for (Index k = 0; k < kept; ++k) keep.data()[order.data()[i * (kept + 1) + k]] = 1;
  return map * Var<B>(keep);
}

/// Masks (n, H, W, 1) on the elements of a map (n, h, w, 1), or of volumes (n, D, H, W, 1) on (n, d, h, w, 1): each
/// element gets the mean of the pixels around it, weighted as a bilinear resize of the map to the picture would weigh
/// the element there (the adjoint of that resize). So every pixel counts, however small the mask, and the elements are
/// where they lie (Run::grid).
template <Backend B>
[[nodiscard]] Tensor<B> mask_on(const Tensor<B>& masks, const Shape& map, const Grid& grid) {
  if (masks.shape() == map) return masks;
  const NoRecord no_record;
  const auto laid = [&](const Tensor<B>& pixels) {
    Shape shape = map;
    shape[0] = pixels.dim(0);
    if (map.rank() == 5) return resize3d_input(Var<B>(pixels), shape, grid, Grid{});
    return resize_input(Var<B>(pixels), shape, grid.rows.sampling({}), grid.columns.sampling({}));
  };
  Shape one = masks.shape();
  one[0] = 1;
  const Tensor<B> all(one, typename B::scalar(1));
  return (laid(masks) / at_least_tiny(laid(all))).value();
}
template <Backend B>
[[nodiscard]] Tensor<B> mask_on(const Tensor<B>& masks, Index h, Index w, const Grid& grid) {
  return mask_on(masks, Shape{masks.dim(0), h, w, 1}, grid);
}

}  // namespace detail

}  // namespace limn
