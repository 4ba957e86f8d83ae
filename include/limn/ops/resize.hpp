// Bilinear resize, and that of volumes along three axes.
#pragma once

#include "limn/ops/layout.hpp"

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

/// (n, d, h, w, c) -> (n, out_d, out_h, out_w, c), linear along each axis: first the slices, then the depth. A volume
/// that lies on grid `from` is read where the elements of one on grid `to` lie.
template <Backend B>
[[nodiscard]] Var<B> resize3d(const Var<B>& x, Index out_d, Index out_h, Index out_w, const Grid& from,
                              const Grid& to) {
  require<ShapeError>(x.rank() == 5 && x.size() > 0 && out_d >= 1 && out_h >= 1 && out_w >= 1, "resize3d: ", x.shape(),
                      " to ", out_d, " x ", out_h, " x ", out_w);
  const Index n = x.dim(0), d = x.dim(1), c = x.dim(4);
  const Var<B> planes = resize(reshape(x, {n * d, x.dim(2), x.dim(3), c}), out_h, out_w, from, to);
  const Var<B> all = resize(reshape(planes, {n, d, out_h * out_w, c}), out_d, out_h * out_w,
                            from.slices.sampling(to.slices), Sampling{});  // (n, out_d, out_h out_w, c)
  return reshape(all, {n, out_d, out_h, out_w, c});
}

/// The adjoint of resize3d: from y on grid `to` to a volume of `shape` on grid `from`.
template <Backend B>
[[nodiscard]] Var<B> resize3d_input(const Var<B>& y, const Shape& shape, const Grid& from, const Grid& to) {
  require<ShapeError>(y.rank() == 5 && shape.rank() == 5 && y.size() > 0 && shape.size() > 0 && y.dim(0) == shape[0] &&
                          y.dim(4) == shape[4],
                      "resize3d_input: ", y.shape(), " does not lead to ", shape);
  const Index n = shape[0], d = shape[1], c = shape[4], h = y.dim(2), w = y.dim(3);
  const Var<B> planes = resize_input(reshape(y, {n, y.dim(1), h * w, c}), Shape{n, d, h * w, c},
                                     from.slices.sampling(to.slices), Sampling{});
  const Var<B> all = resize_input(reshape(planes, {n * d, h, w, c}), Shape{n * d, shape[2], shape[3], c},
                                  from.rows.sampling(to.rows), from.columns.sampling(to.columns));
  return reshape(all, shape);
}

}  // namespace limn
