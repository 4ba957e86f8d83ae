// Pooling and windows of (n, h, w, c).
#pragma once

#include "limn/ops/conv.hpp"
#include "limn/ops/layout.hpp"

namespace limn {

/// Largest element of every window; padding never wins, the first of equals does.
template <Backend B>
[[nodiscard]] Var<B> max_pool2d(const Var<B>& x, const Window& win) {
  detail::check_window("max_pool2d", x.shape(), win);
  require<ShapeError>(win.pad_h < win.kernel_h && win.pad_w < win.kernel_w,
                      "max_pool2d: padding must be smaller than the window");
  auto largest = kernel::max_pool2d(x.value(), win);
  return record("max_pool2d", std::move(largest.value),
                from(x, [position = largest.position, win, s = x.shape()](const Var<B>& g) {
                  if (is_recording()) return scatter_add(g, position, s, s[0]);
                  return Var<B>(kernel::max_pool2d_input(g.value(), position, s, win));
                }));
}

template <Backend B>
[[nodiscard]] Var<B> avg_pool2d_input(const Var<B>& y, const Shape& shape, const Window& win);

/// Mean of every window; padding counts as zeros.
template <Backend B>
[[nodiscard]] Var<B> avg_pool2d(const Var<B>& x, const Window& win) {
  detail::check_window("avg_pool2d", x.shape(), win);
  return record("avg_pool2d", kernel::avg_pool2d(x.value(), win),
                from(x, [win, s = x.shape()](const Var<B>& g) { return avg_pool2d_input(g, s, win); }));
}

/// The adjoint of avg_pool2d: an image of `shape`.
template <Backend B>
Var<B> avg_pool2d_input(const Var<B>& y, const Shape& shape, const Window& win) {
  detail::check_window("avg_pool2d_input", shape, win);
  require<ShapeError>(y.shape() == Shape({shape[0], win.out_h(shape[1]), win.out_w(shape[2]), shape[3]}),
                      "avg_pool2d_input: ", y.shape(), " does not lead to ", shape);
  return record("avg_pool2d_input", kernel::avg_pool2d_input(y.value(), shape, win),
                from(y, [win](const Var<B>& g) { return avg_pool2d(g, win); }));
}

template <Backend B>
[[nodiscard]] Var<B> fold2d(const Var<B>& rows, const Shape& shape, const Window& win);

/// Every window as an axis of its own: (n, h, w, c) -> (n, out_h, out_w, area, c), `padding` outside the image.
template <Backend B>
[[nodiscard]] Var<B> unfold2d(const Var<B>& x, const Window& win, typename B::scalar padding = 0) {
  detail::check_window("unfold2d", x.shape(), win);
  return record("unfold2d", kernel::unfold2d(x.value(), win, padding),
                from(x, [win, s = x.shape()](const Var<B>& g) { return fold2d(g, s, win); }));
}

/// Adds every window back into an image of `shape`. The adjoint of unfold2d.
template <Backend B>
Var<B> fold2d(const Var<B>& rows, const Shape& shape, const Window& win) {
  detail::check_window("fold2d", shape, win);
  require<ShapeError>(rows.shape() == Shape({shape[0], win.out_h(shape[1]), win.out_w(shape[2]), win.area(), shape[3]}),
                      "fold2d: ", rows.shape(), " does not lead to ", shape);
  return record("fold2d", kernel::fold2d(rows.value(), shape, win),
                from(rows, [win](const Var<B>& g) { return unfold2d(g, win); }));
}

}  // namespace limn
