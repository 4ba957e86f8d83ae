// Grouped convolution: the channels are cut into groups, and each group of results sees its own group of the image's
// channels. Like conv2d it is closed under differentiation with its two adjoints.
// x (n, h, w, c), weight (k, kernel_h, kernel_w, c / groups), y (n, out_h, out_w, k).
#pragma once

#include "limn/backend/cpu/grouped.hpp"
#include "limn/ops/conv.hpp"

namespace limn {

template <Backend B>
[[nodiscard]] Var<B> grouped_conv2d_input(const Var<B>& y, const Var<B>& weight, const Shape& shape, const Window& win,
                                          Index groups);
template <Backend B>
[[nodiscard]] Var<B> grouped_conv2d_weight(const Var<B>& x, const Var<B>& y, const Shape& shape, const Window& win,
                                           Index groups);

/// Cross-correlation of every group of x's channels with its part of the weight (torch: conv2d with groups). The
/// kernel's size is the weight's; win gives stride and padding. Throws ShapeError where shapes do not fit.
template <Backend B>
[[nodiscard]] Var<B> grouped_conv2d(const Var<B>& x, const Var<B>& weight, Window win, Index groups) {
  require<ShapeError>(weight.rank() == 4 && groups >= 1 && weight.dim(0) % groups == 0,
                      "grouped_conv2d: expected a weight (k, kernel_h, kernel_w, c / groups), k a multiple of ", groups,
                      ", got ", weight.shape());
  win.kernel_h = weight.dim(1);
  win.kernel_w = weight.dim(2);
  detail::check_window("grouped_conv2d", x.shape(), win);
  require<ShapeError>(x.dim(3) == weight.dim(3) * groups, "grouped_conv2d: input has ", x.dim(3),
                      " channels, expected ", groups, " groups of ", weight.dim(3), " (input ", x.shape(), ", weight ",
                      weight.shape(), ")");
  return on_other_inputs(
      record("grouped_conv2d", kernel::grouped_conv2d(x.value(), weight.value(), win, groups),
             from(x, [weight, win, groups,
                      s = x.shape()](const Var<B>& g) { return grouped_conv2d_input(g, weight, s, win, groups); }),
             from(weight, [x, win, groups, s = weight.shape()](
                              const Var<B>& g) { return grouped_conv2d_weight(x, g, s, win, groups); })),
      [win, groups](const std::vector<Var<B>>& in) { return grouped_conv2d(in[0], in[1], win, groups); });
}

namespace detail {
/// An image, a weight and a result of grouped_conv2d go together.
inline bool groups_fit(const Shape& x, const Shape& weight, const Shape& y, const Window& win, Index groups) {
  return groups >= 1 && weight.rank() == 4 && weight[0] % groups == 0 &&
         weight == Shape({weight[0], win.kernel_h, win.kernel_w, weight[3]}) && x[3] == weight[3] * groups &&
         y == Shape({x[0], win.out_h(x[1]), win.out_w(x[2]), weight[0]});
}
}  // namespace detail

/// The adjoint of grouped_conv2d in x: from y to an image of `shape`.
template <Backend B>
Var<B> grouped_conv2d_input(const Var<B>& y, const Var<B>& weight, const Shape& shape, const Window& win,
                            Index groups) {
  detail::check_window("grouped_conv2d_input", shape, win);
  require<ShapeError>(detail::groups_fit(shape, weight.shape(), y.shape(), win, groups),
                      "grouped_conv2d_input: ", y.shape(), " and weight ", weight.shape(), " in ", groups,
                      " groups do not lead to ", shape);
  return record("grouped_conv2d_input", kernel::grouped_conv2d_input(y.value(), weight.value(), shape, win, groups),
                from(y, [weight, win, groups](const Var<B>& g) { return grouped_conv2d(g, weight, win, groups); }),
                from(weight, [y, win, groups, s = weight.shape()](const Var<B>& g) {
                  return grouped_conv2d_weight(g, y, s, win, groups);
                }));
}

/// The adjoint of grouped_conv2d in the weight: from x and y to a weight of `shape`.
template <Backend B>
Var<B> grouped_conv2d_weight(const Var<B>& x, const Var<B>& y, const Shape& shape, const Window& win, Index groups) {
  detail::check_window("grouped_conv2d_weight", x.shape(), win);
  require<ShapeError>(detail::groups_fit(x.shape(), shape, y.shape(), win, groups),
                      "grouped_conv2d_weight: ", x.shape(), " and ", y.shape(), " in ", groups,
                      " groups do not lead to ", shape);
  return record(
      "grouped_conv2d_weight", kernel::grouped_conv2d_weight(x.value(), y.value(), shape, win, groups),
      from(x, [y, win, groups, s = x.shape()](const Var<B>& g) { return grouped_conv2d_input(y, g, s, win, groups); }),
      from(y, [x, win, groups](const Var<B>& g) { return grouped_conv2d(x, g, win, groups); }));
}

}  // namespace limn
