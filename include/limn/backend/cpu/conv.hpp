// Two-dimensional convolution and its two adjoints. Windows are read where they lie in the image (windows.hpp), weights
// are packed into panels of a block's width (block.hpp): the image is never unfolded.
// x (n, h, w, c), weight (k, kernel_h, kernel_w, c), y (n, out_h, out_w, k).
#pragma once

#include <algorithm>
#include <memory>

#include "limn/backend/cpu/product.hpp"
#include "limn/backend/cpu/winograd.hpp"

namespace limn::kernel {

namespace detail {

/// Adds rows of windows back to where they came from: the adjoint of unfolding.
template <class T>
void scatter_windows(T* x, Index h, Index w, Index c, const Window& win, Index first, Index last, const T* rows) {
  const Index oh = win.out_h(h), ow = win.out_w(w), part = win.kernel_w * c;
  for (Index r = first; r < last; ++r) {
    const Index n = r / (oh * ow), y0 = r / ow % oh * win.stride_h - win.pad_h, x0 = r % ow * win.stride_w - win.pad_w;
    for (Index ky = 0; ky < win.kernel_h; ++ky, rows += part) {
      const Index yy = y0 + ky;
      if (yy < 0 || yy >= h) continue;
      const Index a = std::clamp<Index>(x0 * c, 0, w * c), b = std::clamp<Index>(x0 * c + part, 0, w * c);
      T* line = x + (n * h + yy) * w * c + a;
      const T* in = rows + (a - x0 * c);
#pragma omp simd
      for (Index i = 0; i < b - a; ++i) line[i] += in[i];
    }
  }
}

/// y = windows of x (n, h, w, weight.inner()) times the weight, by the way that is faster.
template <class T>
void windows_times_weight(const T* x, Index n, Index h, Index w, const Window& win, const Weights<T>& weight,
                          const Epilogue<T>& finish, T* y) {
  const Index c = weight.inner(), k = weight.columns();
  if (const Algorithm<T>* by = winograd_for<T>(n, h, w, c, k, win)) {
    winograd_convolve<T>(*by, {x, h, w, c, win.pad_h, win.pad_w}, {by->tile, n, win.out_h(h), win.out_w(w)}, weight,
                         finish, y);
    return;
  }
  const auto panels = weight.turned ? turned_panels(weight.data, weight.k, win.area(), weight.c)
                                    : transposed_panels(weight.data, win.area() * c, k);
  convolve(x, n, h, w, c, win, panels, finish, y);
}

}  // namespace detail

/// y = x * weight (cross-correlation); with `scale_shift`, y = relu(scale * y + shift + add) per channel, where an
/// empty `add` is left out.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& weight, const Window& win,
                                      const Tensor<CpuOf<T>>& scale_shift = {}, const Tensor<CpuOf<T>>& add = {}) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), k = weight.dim(0);
  Tensor<CpuOf<T>> y(Shape{n, win.out_h(h), win.out_w(w), k});
  Epilogue<T> finish;
  if (!scale_shift.empty()) finish = {scale_shift.data(), scale_shift.data() + k, add.data(), true};
  detail::windows_times_weight<T>(x.data(), n, h, w, win, {weight.data(), k, c, false}, finish, y.data());
  return y;
}

/// The adjoint of conv2d in x: x of shape `shape` from y. (Transposed convolution.)
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d_input(const Tensor<CpuOf<T>>& y, const Tensor<CpuOf<T>>& weight,
                                            const Shape& shape, const Window& win) {
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3], k = weight.dim(0);
  const Index columns = win.area() * c, oh = win.out_h(h), ow = win.out_w(w), area = oh * ow;
  Tensor<CpuOf<T>> x(shape);
  if (win.stride_h == 1 && win.stride_w == 1) {
    const Window back{win.kernel_h, win.kernel_w, 1, 1, win.kernel_h - 1 - win.pad_h, win.kernel_w - 1 - win.pad_w};
    detail::windows_times_weight<T>(y.data(), n, oh, ow, back, {weight.data(), k, c, true}, {}, x.data());
    return x;
  }
  const auto panels = detail::plain_panels(weight.data(), k, columns);
  // One image by one thread: windows overlap, and the order of the additions stays the same.
  parallel_for(n, [&](Index image) {
    std::fill_n(x.data() + image * h * w * c, h * w * c, T(0));
    const Index step = std::clamp<Index>((Index{1} << 18) / columns, 96, 1024);
    const auto strip = pooled_buffer<T>(std::min(step, area) * columns);
    for (Index first = image * area; first < (image + 1) * area; first += step) {
      const Index last = std::min(first + step, (image + 1) * area);
      detail::convolve<T>(y.data() + first * k, 1, last - first, 1, k, Window{}, panels, {}, strip.get());
      detail::scatter_windows(x.data(), h, w, c, win, first, last, strip.get());
    }
  });
  return x;
}

/// The adjoint of conv2d in the weight, whose shape is `shape`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d_weight(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& y, const Shape& shape,
                                             const Window& win) {
  Tensor<CpuOf<T>> weight(shape);
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), k = shape[0];
  if (const auto* by = detail::winograd_for<T>(n, h, w, c, k, win)) {
    detail::winograd_weight<T>(*by, {x.data(), h, w, c, win.pad_h, win.pad_w}, {by->tile, n, y.dim(1), y.dim(2)},
                               {y.data(), y.dim(1), y.dim(2), k, 0, 0}, weight.data());
  } else {
    detail::outer_products(x.data(), n, h, w, c, win, y.data(), k, weight.data());
  }
  return weight;
}

}  // namespace limn::kernel
