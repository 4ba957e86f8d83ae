// Bilinear resize with half-pixel centres (torch: align_corners = false, antialias = false).
#pragma once

#include "limn/autograd/grad.hpp"

namespace limn {

template <Backend B>
[[nodiscard]] Var<B> resize_input(const Var<B>& y, const Shape& shape);

/// (n, h, w, c) -> (n, out_h, out_w, c)
template <Backend B>
[[nodiscard]] Var<B> resize(const Var<B>& x, Index out_h, Index out_w) {
  require<ShapeError>(x.rank() == 4 && x.size() > 0 && out_h >= 1 && out_w >= 1, "resize: ", x.shape(), " to ", out_h,
                      " x ", out_w);
  if (x.dim(1) == out_h && x.dim(2) == out_w) return x;
  return record("resize", kernel::resize_bilinear(x.value(), out_h, out_w),
                from(x, [s = x.shape()](const Var<B>& g) { return resize_input(g, s); }));
}

/// The adjoint of resize: an image of `shape`.
template <Backend B>
Var<B> resize_input(const Var<B>& y, const Shape& shape) {
  require<ShapeError>(y.rank() == 4 && shape.rank() == 4 && y.size() > 0 && shape.size() > 0 && y.dim(0) == shape[0] &&
                          y.dim(3) == shape[3],
                      "resize_input: ", y.shape(), " does not lead to ", shape);
  return record("resize_input", kernel::resize_bilinear_input(y.value(), shape),
                from(y, [h = y.dim(1), w = y.dim(2)](const Var<B>& g) { return resize(g, h, w); }));
}

}  // namespace limn
