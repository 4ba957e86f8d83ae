// Depthwise convolution: every channel has a window of its own. Like conv2d it is linear in the image and in the
// weight, and with its two adjoints closed under differentiation. x (n, h, w, c), weight (c, kernel_h, kernel_w, 1), y
// (n, out_h, out_w, c).
#pragma once

#include "limn/backend/cpu/depthwise.hpp"
#include "limn/ops/conv.hpp"

namespace limn {

template <Backend B>
[[nodiscard]] Var<B> depthwise_conv2d_input(const Var<B>& y, const Var<B>& weight, const Shape& shape,
                                            const Window& win);
template <Backend B>
[[nodiscard]] Var<B> depthwise_conv2d_weight(const Var<B>& x, const Var<B>& y, const Shape& shape, const Window& win);

/// Cross-correlation of every channel of x with its own window. The kernel's size is the weight's; win gives stride and
/// padding. Throws ShapeError where shapes do not fit.
template <Backend B>
[[nodiscard]] Var<B> depthwise_conv2d(const Var<B>& x, const Var<B>& weight, Window win = {}) {
  require<ShapeError>(weight.rank() == 4 && weight.dim(3) == 1,
                      "depthwise_conv2d: expected a weight (c, kernel_h, kernel_w, 1), got ", weight.shape());
  win.kernel_h = weight.dim(1);
  win.kernel_w = weight.dim(2);
  detail::check_window("depthwise_conv2d", x.shape(), win);
  require<ShapeError>(x.dim(3) == weight.dim(0), "depthwise_conv2d: input has ", x.dim(3), " channels, expected ",
                      weight.dim(0), " (input ", x.shape(), ", weight ", weight.shape(), ")");
  return on_other_inputs(
      record(
          "depthwise_conv2d", kernel::depthwise_conv2d(x.value(), weight.value(), win),
          from(x, [weight, win, s = x.shape()](const Var<B>& g) { return depthwise_conv2d_input(g, weight, s, win); }),
          from(weight,
               [x, win, s = weight.shape()](const Var<B>& g) { return depthwise_conv2d_weight(x, g, s, win); })),
      [win](const std::vector<Var<B>>& in) { return depthwise_conv2d(in[0], in[1], win); });
}

/// The adjoint of depthwise_conv2d in x: from y to an image of `shape`.
template <Backend B>
Var<B> depthwise_conv2d_input(const Var<B>& y, const Var<B>& weight, const Shape& shape, const Window& win) {
  detail::check_window("depthwise_conv2d_input", shape, win);
  require<ShapeError>(y.shape() == Shape({shape[0], win.out_h(shape[1]), win.out_w(shape[2]), shape[3]}) &&
                          weight.shape() == Shape({shape[3], win.kernel_h, win.kernel_w, 1}),
                      "depthwise_conv2d_input: ", y.shape(), " and weight ", weight.shape(), " do not lead to ", shape);
  return record(
      "depthwise_conv2d_input", kernel::depthwise_conv2d_input(y.value(), weight.value(), shape, win),
      from(y, [weight, win](const Var<B>& g) { return depthwise_conv2d(g, weight, win); }),
      from(weight, [y, win, s = weight.shape()](const Var<B>& g) { return depthwise_conv2d_weight(g, y, s, win); }));
}

/// The adjoint of depthwise_conv2d in the weight: from x and y to a weight of `shape`.
template <Backend B>
Var<B> depthwise_conv2d_weight(const Var<B>& x, const Var<B>& y, const Shape& shape, const Window& win) {
  detail::check_window("depthwise_conv2d_weight", x.shape(), win);
  require<ShapeError>(y.shape() == Shape({x.dim(0), win.out_h(x.dim(1)), win.out_w(x.dim(2)), x.dim(3)}) &&
                          shape == Shape({x.dim(3), win.kernel_h, win.kernel_w, 1}),
                      "depthwise_conv2d_weight: ", x.shape(), " and ", y.shape(), " do not lead to ", shape);
  return record("depthwise_conv2d_weight", kernel::depthwise_conv2d_weight(x.value(), y.value(), shape, win),
                from(x, [y, win, s = x.shape()](const Var<B>& g) { return depthwise_conv2d_input(y, g, s, win); }),
                from(y, [x, win](const Var<B>& g) { return depthwise_conv2d(x, g, win); }));
}

}  // namespace limn
