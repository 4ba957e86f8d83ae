// The same numbers arranged otherwise: reshape, permute, slice, concatenate, pick by position.
#pragma once

#include <vector>

#include "limn/ops/arithmetic.hpp"

namespace limn {

/// The same numbers under another shape; no copy. One extent may be -1.
template <Backend B>
[[nodiscard]] Var<B> reshape(const Var<B>& x, const Shape& shape) {
  return record("reshape", x.value().reshape(shape),
                from(x, [s = x.shape()](const Var<B>& g) { return reshape(g, s); }));
}
template <Backend B>
[[nodiscard]] Var<B> reshape(const Var<B>& x, std::initializer_list<Index> extents) {
  return reshape(x, x.value().reshape(extents).shape());
}

/// (n, ...) -> (n, everything else)
template <Backend B>
[[nodiscard]] Var<B> flatten(const Var<B>& x) {
  require<ShapeError>(x.rank() >= 1, "flatten: empty tensor");
  return reshape(x, {x.dim(0), x.dim(0) > 0 ? x.size() / x.dim(0) : 0});
}

/// Axes in another order: axis i of the result is axis order[i] of x.
template <Backend B>
[[nodiscard]] Var<B> permute(const Var<B>& x, const std::vector<int>& order) {
  std::vector<int> back(order.size(), -1);
  bool fits = static_cast<int>(order.size()) == x.rank();
  for (std::size_t i = 0; fits && i < order.size(); ++i) {
    fits = order[i] >= 0 && order[i] < x.rank() && back[static_cast<std::size_t>(order[i])] == -1;
    if (fits) back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  require<ShapeError>(fits, "permute: the order must name each axis of ", x.shape(), " once");
  return record("permute", kernel::permute(x.value(), order),
                from(x, [back](const Var<B>& g) { return permute(g, back); }));
}

/// A matrix with rows and columns exchanged.
template <Backend B>
[[nodiscard]] Var<B> transpose(const Var<B>& x) {
  require<ShapeError>(x.rank() == 2, "transpose: expected a matrix, got ", x.shape());
  return permute(x, {1, 0});
}

template <Backend B>
[[nodiscard]] Var<B> embed(const Var<B>& x, int axis, Index begin, Index extent);

/// Elements [begin, begin + length) along an axis.
template <Backend B>
[[nodiscard]] Var<B> slice(const Var<B>& x, int axis, Index begin, Index length) {
  const int a = checked_axis("slice", axis, x.shape());
  const Index extent = x.shape()[a];
  require<ShapeError>(begin >= 0 && length >= 0 && begin + length <= extent, "slice: [", begin, ", ", begin + length,
                      ") of axis ", axis, " of ", x.shape());
  return record("slice", kernel::slice(x.value(), a, begin, length),
                from(x, [a, begin, extent](const Var<B>& g) { return embed(g, a, begin, extent); }));
}

/// x among zeros: it starts at `begin` of `extent` along an axis. The adjoint of slice; also pads.
template <Backend B>
Var<B> embed(const Var<B>& x, int axis, Index begin, Index extent) {
  const int a = checked_axis("embed", axis, x.shape());
  const Index length = x.shape()[a];
  require<ShapeError>(begin >= 0 && begin + length <= extent, "embed: ", x.shape(), " at ", begin, " of ", extent,
                      " along axis ", axis);
  return record("embed", kernel::embed(x.value(), a, begin, extent),
                from(x, [a, begin, length](const Var<B>& g) { return slice(g, a, begin, length); }));
}

/// Tensors one after the other along an axis; all other extents must be equal.
template <Backend B>
[[nodiscard]] Var<B> concat(const std::vector<Var<B>>& parts, int axis) {
  require<ShapeError>(!parts.empty(), "concat: nothing to join");
  const int a = checked_axis("concat", axis, parts.front().shape());
  Index extent = 0;
  for (const auto& part : parts) {
    Shape expected = part.shape();
    if (expected.rank() == parts.front().rank()) expected[a] = parts.front().shape()[a];
    require<ShapeError>(expected == parts.front().shape(), "concat along axis ", axis, ": shapes ",
                        parts.front().shape(), " and ", part.shape(), " do not go together");
    extent += part.shape()[a];
  }
  Var<B> out = embed(parts.front(), a, 0, extent);
  Index begin = parts.front().shape()[a];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    out = out + embed(parts[i], a, begin, extent);
    begin += parts[i].shape()[a];
  }
  return out;
}

template <Backend B>
[[nodiscard]] Var<B> scatter_add(const Var<B>& values, const Tensor<Positions<B>>& positions, const Shape& shape,
                                 Index groups = 1);

namespace detail {
/// Positions lie in a tensor of `size` elements, those of every group in the group's own part.
template <class T>
void check_positions(const char* what, const Tensor<CpuOf<T>>& positions, Index size, Index groups) {
  require<ShapeError>(groups >= 1 && positions.size() % groups == 0 && size % groups == 0, what, ": ", positions.size(),
                      " positions and ", size, " elements in ", groups, " groups");
  const Index per_group = positions.size() / groups, part = size / groups;
  for (Index group = 0; per_group > 0 && group < groups; ++group) {
    const T* const p = positions.data() + group * per_group;
    T low = static_cast<T>(group * part), high = low;
#pragma omp simd reduction(min : low) reduction(max : high)
    for (Index i = 0; i < per_group; ++i) {
      low = std::min(low, p[i]);
      high = std::max(high, p[i]);
    }
    const Index wrong = low < group * part ? low : high;
    require<ShapeError>(wrong >= 0 && wrong < size, what, ": position ", wrong, " of ", size, " elements");
    require<ShapeError>(wrong >= group * part && wrong < (group + 1) * part, what, ": position ", wrong,
                        " lies outside its group, elements ", group * part, " to ", (group + 1) * part - 1);
  }
}

/// What was taken from x at `positions`, by the operation `name`.
template <Backend B>
Var<B> record_take(const char* name, const Var<B>& x, Tensor<B> taken, const Tensor<Positions<B>>& positions,
                   Index groups = 1) {
  return record(name, std::move(taken), from(x, [positions, groups, s = x.shape()](const Var<B>& g) {
                  return scatter_add(g, positions, s, groups);
                }));
}
}  // namespace detail

/// The elements of x (counted flat) at `positions`; the result has the shape of `positions`.
template <Backend B>
[[nodiscard]] Var<B> take(const Var<B>& x, const Tensor<Positions<B>>& positions, Index groups = 1) {
  detail::check_positions("take", positions, x.size(), groups);
  return detail::record_take("take", x, kernel::take(x.value(), positions), positions, groups);
}

/// Adds values at `positions` (counted flat) of a tensor of zeros. The adjoint of take. See kernel::scatter_add for
/// groups.
template <Backend B>
Var<B> scatter_add(const Var<B>& values, const Tensor<Positions<B>>& positions, const Shape& shape, Index groups) {
  require<ShapeError>(values.shape() == positions.shape(), "scatter_add: values ", values.shape(), ", positions ",
                      positions.shape());
  detail::check_positions("scatter_add", positions, shape.size(), groups);
  return record("scatter_add", kernel::scatter_add(values.value(), positions, shape, groups),
                from(values, [positions, groups](const Var<B>& g) { return take(g, positions, groups); }));
}

}  // namespace limn
