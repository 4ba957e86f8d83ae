// Three-dimensional convolution, made of the one of two dimensions: the slices under the kernel are laid side by side
// as channels, so it is one product, and its derivatives of any order are those of its parts. x (n, d, h, w, c), weight
// (k, kernel_d, kernel_h, kernel_w, c) -> (n, out_d, out_h, out_w, k)
#pragma once

#include "limn/ops/conv.hpp"
#include "limn/ops/layout.hpp"
#include "limn/ops/pool.hpp"

namespace limn {

namespace detail {
inline void check_box(const char* what, const Shape& x, const Window3d& win) {
  require<ShapeError>(x.rank() == 5, what, ": expected a volume (n, d, h, w, c), got ", x);
  require<ShapeError>(x.size() > 0, what, ": nothing in a volume of shape ", x);
  const Window &p = win.plane, depth = win.along_depth();
  require<ShapeError>(win.kernel_d >= 1 && p.kernel_h >= 1 && p.kernel_w >= 1 && win.stride_d >= 1 && p.stride_h >= 1 &&
                          p.stride_w >= 1 && win.pad_d >= 0 && p.pad_h >= 0 && p.pad_w >= 0,
                      what, ": kernel and stride must be at least 1, padding at least 0");
  require<ShapeError>(depth.out_h(x[1]) >= 1 && p.out_h(x[2]) >= 1 && p.out_w(x[3]) >= 1, what, ": input ", x,
                      " is smaller than the box ", win.kernel_d, " x ", p.kernel_h, " x ", p.kernel_w, " with padding ",
                      win.pad_d, ", ", p.pad_h, ", ", p.pad_w);
}
}  // namespace detail

/// Cross-correlation of x with weight. The kernel's size is the weight's; win gives stride and padding. Takes kernel_d
/// / stride_d times the memory of x beside it.
template <Backend B>
[[nodiscard]] Var<B> conv3d(const Var<B>& x, const Var<B>& weight, Window3d win = {}) {
  require<ShapeError>(weight.rank() == 5, "conv3d: expected a weight (k, kernel_d, kernel_h, kernel_w, c), got ",
                      weight.shape());
  win.kernel_d = weight.dim(1);
  win.plane.kernel_h = weight.dim(2);
  win.plane.kernel_w = weight.dim(3);
  detail::check_box("conv3d", x.shape(), win);
  require<ShapeError>(x.dim(4) == weight.dim(4), "conv3d: input has ", x.dim(4), " channels, expected ", weight.dim(4),
                      " (input ", x.shape(), ", weight ", weight.shape(), ")");
  const Index n = x.dim(0), d = x.dim(1), h = x.dim(2), w = x.dim(3), c = x.dim(4), k = weight.dim(0);
  const Index od = win.out_d(d), side_by_side = win.kernel_d * c;
  const Var<B> slices = win.along_depth().pointwise()
                            ? x
                            : unfold2d(reshape(x, {n, d, h * w, c}), win.along_depth());  // (n, od, h w, kernel_d, c)
  const Var<B> flat = reshape(permute(weight, {0, 2, 3, 1, 4}), {k, weight.dim(2), weight.dim(3), side_by_side});
  const Var<B> y = conv2d(reshape(slices, {n * od, h, w, side_by_side}), flat, win.plane);  // (n od, out_h, out_w, k)
  return reshape(y, {n, od, y.dim(1), y.dim(2), k});
}

}  // namespace limn
