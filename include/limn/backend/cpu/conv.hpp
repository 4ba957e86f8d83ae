// Two-dimensional convolution and its two adjoints, as matrix products on strips of unfolded windows. A strip stays in
// the second-level cache; the whole image is never unfolded.
// x (n, h, w, c), weight (k, kernel_h, kernel_w, c), y (n, out_h, out_w, k).
#pragma once

#include <algorithm>
#include <memory>

#include "limn/backend/cpu/matmul.hpp"

namespace limn::kernel {

namespace detail {

/// The windows of output positions [first, last) (counted over n, out_h, out_w), one per row, restricted to columns
/// [from, to) of kernel_h x kernel_w x c.
template <class T>
void gather_windows(const T* x, Index h, Index w, Index c, const Window& win, Index first, Index last, Index from,
                    Index to, T* rows) {
  const Index oh = win.out_h(h), ow = win.out_w(w), width = to - from;
  for (Index r = first; r < last; ++r, rows += width) {
    const Index n = r / (oh * ow), y0 = r / ow % oh * win.stride_h - win.pad_h, x0 = r % ow * win.stride_w - win.pad_w;
    for (Index ky = from / (win.kernel_w * c); ky * win.kernel_w * c < to; ++ky) {
      // One kernel row is kernel_w * c contiguous numbers of the image; what hangs over its edge is zero.
      const Index begin = std::max(from, ky * win.kernel_w * c), end = std::min(to, (ky + 1) * win.kernel_w * c);
      T* out = rows + (begin - from);
      const Index yy = y0 + ky, shift = x0 * c - ky * win.kernel_w * c;
      if (yy < 0 || yy >= h) {
        std::fill_n(out, end - begin, T(0));
        continue;
      }
      const T* line = x + (n * h + yy) * w * c;
      const Index a = std::clamp<Index>(begin + shift, 0, w * c), b = std::clamp<Index>(end + shift, 0, w * c);
      const Index left = std::min(std::max<Index>(0, -(begin + shift)), end - begin);
      std::fill_n(out, left, T(0));
      std::copy(line + a, line + b, out + left);
      std::fill(out + left + (b - a), out + (end - begin), T(0));
    }
  }
}

/// Adds rows of windows back to where they came from. The adjoint of gather_windows over all columns.
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

/// Rows of a strip: about a megabyte of unfolded windows.
inline Index strip_rows(Index columns) { return std::clamp<Index>((Index{1} << 18) / columns, 96, 1024); }

}  // namespace detail

/// y = x * weight (cross-correlation).
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& weight, const Window& win) {
  using detail::Layout;
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), k = weight.dim(0);
  const Index columns = win.area() * c, oh = win.out_h(h), ow = win.out_w(w), rows = n * oh * ow;
  Tensor<CpuOf<T>> y(Shape{n, oh, ow, k});
  parallel_pieces(rows, detail::strip_rows(columns), [&](Index first, Index last) {
    std::shared_ptr<T> strip;
    const T* windows = x.data() + first * c;
    if (!win.pointwise()) {
      strip = pooled_buffer<T>((last - first) * columns);
      detail::gather_windows(x.data(), h, w, c, win, first, last, 0, columns, strip.get());
      windows = strip.get();
    }
    detail::gemm(Layout::plain, Layout::transposed, last - first, k, columns, windows, columns, weight.data(), columns,
                 y.data() + first * k, k, false);
  });
  return y;
}

/// The adjoint of conv2d in x: x of shape `shape` from y. (Transposed convolution.)
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d_input(const Tensor<CpuOf<T>>& y, const Tensor<CpuOf<T>>& weight,
                                            const Shape& shape, const Window& win) {
  using detail::Layout;
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3], k = weight.dim(0);
  const Index columns = win.area() * c, area = win.out_h(h) * win.out_w(w);
  Tensor<CpuOf<T>> x(shape);
  const auto product = [&](Index first, Index last, T* out) {
    detail::gemm(Layout::plain, Layout::plain, last - first, columns, k, y.data() + first * k, k, weight.data(),
                 columns, out, columns, false);
  };
  if (win.pointwise()) {
    parallel_pieces(n * area, detail::strip_rows(columns),
                    [&](Index first, Index last) { product(first, last, x.data() + first * c); });
    return x;
  }
  // One image by one thread: windows overlap, and the order of the additions stays the same.
  parallel_for(n, [&](Index image) {
    std::fill_n(x.data() + image * h * w * c, h * w * c, T(0));
    const Index step = detail::strip_rows(columns);
    const auto strip = pooled_buffer<T>(std::min(step, area) * columns);
    for (Index first = image * area; first < (image + 1) * area; first += step) {
      const Index last = std::min(first + step, (image + 1) * area);
      product(first, last, strip.get());
      detail::scatter_windows(x.data(), h, w, c, win, first, last, strip.get());
    }
  });
  return x;
}

/// The adjoint of conv2d in the weight, whose shape is `shape`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d_weight(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& y, const Shape& shape,
                                             const Window& win) {
  using detail::Layout;
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), k = shape[0];
  const Index columns = win.area() * c, rows = n * win.out_h(h) * win.out_w(w);
  Tensor<CpuOf<T>> weight(shape);
  // Work is cut twice: into blocks of columns, each summed over its rows in order, and, where there are few columns,
  // into groups of rows whose sums are added at the end.
  const Index pieces = std::clamp<Index>(columns / 128, 1, 12),
              piece = ((columns + pieces - 1) / pieces + 15) / 16 * 16;
  const Index groups = columns < 1024 ? 8 : 1, in_group = (rows + groups - 1) / groups;
  Tensor<CpuOf<T>> partial = groups > 1 ? Tensor<CpuOf<T>>(Shape{groups, weight.size()}) : weight;
  parallel_for(((columns + piece - 1) / piece) * groups, [&](Index unit) {
    const Index group = unit % groups, from = unit / groups * piece, to = std::min(columns, from + piece);
    const Index begin = std::min(rows, group * in_group), end = std::min(rows, begin + in_group);
    const Index width = to - from, step = std::clamp<Index>((Index{1} << 16) / width, 192, 1024);
    T* const out = partial.data() + group * weight.size() + from;
    if (begin == end)
      for (Index i = 0; i < k; ++i) std::fill_n(out + i * columns, width, T(0));
    const auto strip = pooled_buffer<T>(win.pointwise() ? 1 : std::min(step, rows) * width);
    for (Index first = begin; first < end; first += step) {
      const Index last = std::min(end, first + step);
      const T* windows = x.data() + first * c + from;
      if (!win.pointwise()) {
        detail::gather_windows(x.data(), h, w, c, win, first, last, from, to, strip.get());
        windows = strip.get();
      }
      detail::gemm(Layout::transposed, Layout::plain, k, width, last - first, y.data() + first * k, k, windows,
                   win.pointwise() ? c : width, out, columns, first > begin);
    }
  });
  if (groups > 1)
    parallel_pieces(weight.size(), 4096, [&](Index begin, Index end) {
      std::copy(partial.data() + begin, partial.data() + end, weight.data() + begin);
      for (Index group = 1; group < groups; ++group)
        for (Index i = begin; i < end; ++i) weight.data()[i] += partial.data()[group * weight.size() + i];
    });
  return weight;
}

}  // namespace limn::kernel
