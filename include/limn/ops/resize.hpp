// Bilinear resize.
#pragma once

#include "limn/autograd/grad.hpp"

namespace limn {

template <Backend B>
[[nodiscard]] Var<B> resize_input(const Var<B>& y, const Shape& shape, const Sampling& rows, const Sampling& columns);

/// (n, h, w, c) -> (n, out_h, out_w, c), read where `rows` and `columns` say.
template <Backend B>
[[nodiscard]] Var<B> resize(const Var<B>& x, Index out_h, Index out_w, const Sampling& rows, const Sampling& columns) {
  require<ShapeError>(x.rank() == 4 && x.size() > 0 && out_h >= 1 && out_w >= 1, "resize: ", x.shape(), " to ", out_h,
                      " x ", out_w);
  return record("resize", kernel::resize_bilinear(x.value(), out_h, out_w, rows, columns),
                from(x, [s = x.shape(), rows, columns](const Var<B>& g) { return resize_input(g, s, rows, columns); }));
}

/// (n, h, w, c) -> (n, out_h, out_w, c) with half-pixel centres (torch: align_corners = false, antialias = false).
template <Backend B>
[[nodiscard]] Var<B> resize(const Var<B>& x, Index out_h, Index out_w) {
  if (x.rank() != 4) return resize(x, out_h, out_w, Sampling{}, Sampling{});  // refused there
  if (x.dim(1) == out_h && x.dim(2) == out_w) return x;
  return resize(x, out_h, out_w, Sampling::half_pixel(x.dim(1), out_h), Sampling::half_pixel(x.dim(2), out_w));
}

/// A map that lies on grid `from`, read where the elements of a map of out_h x out_w on grid `to` lie.
template <Backend B>
[[nodiscard]] Var<B> resize(const Var<B>& x, Index out_h, Index out_w, const Grid& from, const Grid& to) {
  return resize(x, out_h, out_w, from.rows.sampling(to.rows), from.columns.sampling(to.columns));
}

/// The adjoint of resize: an image of `shape`.
template <Backend B>
Var<B> resize_input(const Var<B>& y, const Shape& shape, const Sampling& rows, const Sampling& columns) {
  require<ShapeError>(y.rank() == 4 && shape.rank() == 4 && y.size() > 0 && shape.size() > 0 && y.dim(0) == shape[0] &&
                          y.dim(3) == shape[3],
                      "resize_input: ", y.shape(), " does not lead to ", shape);
  return record(
      "resize_input", kernel::resize_bilinear_input(y.value(), shape, rows, columns),
      from(y, [h = y.dim(1), w = y.dim(2), rows, columns](const Var<B>& g) { return resize(g, h, w, rows, columns); }));
}

template <Backend B>
Var<B> resize_input(const Var<B>& y, const Shape& shape) {
  if (y.rank() != 4 || shape.rank() != 4) return resize_input(y, shape, Sampling{}, Sampling{});  // refused there
  return resize_input(y, shape, Sampling::half_pixel(shape[1], y.dim(1)), Sampling::half_pixel(shape[2], y.dim(2)));
}

}  // namespace limn
