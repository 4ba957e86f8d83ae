// Sums, means and largest elements along axes. The axis stays, with extent 1, so that the result broadcasts against x.
#pragma once

#include <vector>

#include "limn/ops/arithmetic.hpp"
#include "limn/ops/layout.hpp"

namespace limn {

/// Sum along the axes (negative ones count from the end).
template <Backend B>
[[nodiscard]] Var<B> sum(const Var<B>& x, const std::vector<int>& axes) {
  Shape shape = x.shape();
  for (int axis : axes) shape[checked_axis("sum", axis, x.shape())] = 1;
  return sum_to(x, shape);
}

/// Sum of all elements, shape (1).
template <Backend B>
[[nodiscard]] Var<B> sum(const Var<B>& x) {
  return sum_to(x, Shape{1});
}

template <Backend B>
[[nodiscard]] Var<B> mean(const Var<B>& x, const std::vector<int>& axes) {
  const Var<B> total = sum(x, axes);
  require<ShapeError>(x.size() > 0, "mean: nothing to average in a tensor of shape ", x.shape());
  return total * (static_cast<typename B::scalar>(total.size()) / static_cast<typename B::scalar>(x.size()));
}

/// Mean of all elements, shape (1).
template <Backend B>
[[nodiscard]] Var<B> mean(const Var<B>& x) {
  require<ShapeError>(x.size() > 0, "mean: nothing to average in a tensor of shape ", x.shape());
  return sum(x) * (typename B::scalar(1) / static_cast<typename B::scalar>(x.size()));
}

/// Mean over height and width: (n, h, w, c) -> (n, 1, 1, c).
template <Backend B>
[[nodiscard]] Var<B> global_average(const Var<B>& x) {
  require<ShapeError>(x.rank() == 4, "global_average: expected (n, h, w, c), got ", x.shape());
  return mean(x, {1, 2});
}

/// Largest element along the last axis; the gradient goes to the first of equals.
template <Backend B>
[[nodiscard]] Var<B> max(const Var<B>& x) {
  require<ShapeError>(x.rank() > 0 && x.shape().back() > 0, "max: nothing to choose from in shape ", x.shape());
  const auto positions = kernel::argmax(x.value());
  return detail::record_take("max", x, kernel::take(x.value(), positions), positions);
}

/// The k largest elements along the last axis, largest first, ties by position; the gradient goes to where they stood.
template <Backend B>
[[nodiscard]] Var<B> top_k(const Var<B>& x, Index k) {
  require<ShapeError>(x.rank() > 0 && k >= 1 && k <= x.shape().back(), "top_k: ", k, " of the last axis of ",
                      x.shape());
  const auto positions = kernel::top_k(x.value(), k);
  return detail::record_take("top_k", x, kernel::take(x.value(), positions), positions);
}

}  // namespace limn
