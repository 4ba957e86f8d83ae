// Two-dimensional convolution. It is linear in the image and in the weight, so with its two adjoints it is closed under
// differentiation: gradients of any order are again these three.
// x (n, h, w, c), weight (k, kernel_h, kernel_w, c), y (n, out_h, out_w, k).
#pragma once

#include "limn/autograd/grad.hpp"

namespace limn {

namespace detail {
inline void check_window(const char* what, const Shape& x, const Window& win) {
  require<ShapeError>(x.rank() == 4, what, ": expected an image (n, h, w, c), got ", x);
  require<ShapeError>(x.size() > 0, what, ": nothing in an image of shape ", x);
  require<ShapeError>(win.kernel_h >= 1 && win.kernel_w >= 1 && win.stride_h >= 1 && win.stride_w >= 1 &&
                          win.pad_h >= 0 && win.pad_w >= 0,
                      what, ": kernel and stride must be at least 1, padding at least 0");
  require<ShapeError>(win.out_h(x[1]) >= 1 && win.out_w(x[2]) >= 1, what, ": input ", x, " is smaller than the window ",
                      win.kernel_h, " x ", win.kernel_w, " with padding ", win.pad_h, ", ", win.pad_w);
}
}  // namespace detail

template <Backend B>
[[nodiscard]] Var<B> conv2d_input(const Var<B>& y, const Var<B>& weight, const Shape& shape, const Window& win);
template <Backend B>
[[nodiscard]] Var<B> conv2d_weight(const Var<B>& x, const Var<B>& y, const Shape& shape, const Window& win);

namespace detail {
template <Backend B>
Window window_of(const Var<B>& x, const Var<B>& weight, Window win) {
  require<ShapeError>(weight.rank() == 4, "conv2d: expected a weight (k, kernel_h, kernel_w, c), got ", weight.shape());
  win.kernel_h = weight.dim(1);
  win.kernel_w = weight.dim(2);
  check_window("conv2d", x.shape(), win);
  require<ShapeError>(x.dim(3) == weight.dim(3), "conv2d: input has ", x.dim(3), " channels, expected ", weight.dim(3),
                      " (input ", x.shape(), ", weight ", weight.shape(), ")");
  return win;
}
}  // namespace detail

/// Cross-correlation of x with weight. The kernel's size is the weight's; win gives stride and padding.
template <Backend B>
[[nodiscard]] Var<B> conv2d(const Var<B>& x, const Var<B>& weight, Window win = {}) {
  win = detail::window_of(x, weight, win);
  return on_other_inputs(
      record("conv2d", kernel::conv2d(x.value(), weight.value(), win),
             from(x, [weight, win, s = x.shape()](const Var<B>& g) { return conv2d_input(g, weight, s, win); }),
             from(weight, [x, win, s = weight.shape()](const Var<B>& g) { return conv2d_weight(x, g, s, win); })),
      [win](const std::vector<Var<B>>& in) { return conv2d(in[0], in[1], win); });
}

/// What predictions with one network keep from call to call. The weights must not change while it lives.
template <Backend B>
using PackedWeights = kernel::detail::PackedWeights<typename B::scalar>;

/// relu(scale * conv2d(x, weight, win) + shift + add) in one pass, for prediction: it is a constant. scale_shift: two
/// rows of a number per channel; an empty `add` is left out, `packed` may be null.
template <Backend B>
[[nodiscard]] Var<B> conv2d_scaled_relu(const Var<B>& x, const Var<B>& weight, Window win, const Tensor<B>& scale_shift,
                                        const Var<B>& add = {}, PackedWeights<B>* packed = nullptr) {
  win = detail::window_of(x, weight, win);
  const Shape shape{x.dim(0), win.out_h(x.dim(1)), win.out_w(x.dim(2)), weight.dim(0)};
  require<ShapeError>(scale_shift.shape() == Shape{2, shape[3]},
                      "conv2d_scaled_relu: expected scale and shift of shape ", Shape{2, shape[3]}, ", got ",
                      scale_shift.shape());
  require<ShapeError>(add.empty() || add.shape() == shape, "conv2d_scaled_relu: cannot add ", add.shape(), " to ",
                      shape);
  return kernel::conv2d(x.value(), weight.value(), win, scale_shift, add.value(), packed);
}

/// The adjoint of conv2d in x (transposed convolution): from y to an image of `shape`.
template <Backend B>
Var<B> conv2d_input(const Var<B>& y, const Var<B>& weight, const Shape& shape, const Window& win) {
  detail::check_window("conv2d_input", shape, win);
  require<ShapeError>(y.shape() == Shape({shape[0], win.out_h(shape[1]), win.out_w(shape[2]), weight.dim(0)}) &&
                          weight.shape() == Shape({weight.dim(0), win.kernel_h, win.kernel_w, shape[3]}),
                      "conv2d_input: ", y.shape(), " and weight ", weight.shape(), " do not lead to ", shape);
  return record("conv2d_input", kernel::conv2d_input(y.value(), weight.value(), shape, win),
                from(y, [weight, win](const Var<B>& g) { return conv2d(g, weight, win); }),
                from(weight, [y, win, s = weight.shape()](const Var<B>& g) { return conv2d_weight(g, y, s, win); }));
}

/// The adjoint of conv2d in the weight: from x and y to a weight of `shape`.
template <Backend B>
Var<B> conv2d_weight(const Var<B>& x, const Var<B>& y, const Shape& shape, const Window& win) {
  detail::check_window("conv2d_weight", x.shape(), win);
  require<ShapeError>(y.shape() == Shape({x.dim(0), win.out_h(x.dim(1)), win.out_w(x.dim(2)), shape[0]}) &&
                          shape == Shape({shape[0], win.kernel_h, win.kernel_w, x.dim(3)}),
                      "conv2d_weight: ", x.shape(), " and ", y.shape(), " do not lead to ", shape);
  return record("conv2d_weight", kernel::conv2d_weight(x.value(), y.value(), shape, win),
                from(x, [y, win, s = x.shape()](const Var<B>& g) { return conv2d_input(y, g, s, win); }),
                from(y, [x, win](const Var<B>& g) { return conv2d(x, g, win); }));
}

}  // namespace limn
