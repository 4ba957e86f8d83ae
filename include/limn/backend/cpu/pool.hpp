// Pooling on (n, h, w, c), and windows as an axis of their own.
#pragma once

#include <limits>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Calls body(out_position, n, y0, x0) for every window, one row of windows at a time and rows in parallel.
template <class Body>
void for_windows(Index n, Index h, Index w, const Window& win, const Body& body) {
  const Index oh = win.out_h(h), ow = win.out_w(w);
  parallel_for(n * oh, [&](Index line) {
    for (Index ox = 0; ox < ow; ++ox)
      body(line * ow + ox, line / oh, line % oh * win.stride_h - win.pad_h, ox * win.stride_w - win.pad_w);
  });
}

}  // namespace detail

template <class T>
struct Largest {
  Tensor<CpuOf<T>> value;
  Tensor<CpuOf<std::int32_t>> position;  ///< flat, in x
};

/// The largest element of every window, per channel; the first of equals. Padding never wins.
template <class T>
[[nodiscard]] Largest<T> max_pool2d(const Tensor<CpuOf<T>>& x, const Window& win) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  const Shape shape{n, win.out_h(h), win.out_w(w), c};
  Largest<T> out{Tensor<CpuOf<T>>(shape), Tensor<CpuOf<std::int32_t>>(shape)};
  detail::for_windows(n, h, w, win, [&](Index o, Index image, Index y0, Index x0) {
    T* const best = out.value.data() + o * c;
    std::int32_t* const at = out.position.data() + o * c;
    bool first = true;
    for (Index y = std::max<Index>(y0, 0); y < std::min(y0 + win.kernel_h, h); ++y)
      for (Index xx = std::max<Index>(x0, 0); xx < std::min(x0 + win.kernel_w, w); ++xx) {
        const Index start = ((image * h + y) * w + xx) * c;
        const T* const in = x.data() + start;
        const auto base = static_cast<std::int32_t>(start);
        const auto count = static_cast<std::int32_t>(c);
        if (first) {
          std::copy_n(in, c, best);
          for (std::int32_t k = 0; k < count; ++k) at[k] = base + k;
        } else {
#pragma omp simd
          for (std::int32_t k = 0; k < count; ++k) {
            const T old = best[k], v = in[k];
            const std::int32_t old_at = at[k];
            const bool larger = v > old || v != v;
            best[k] = larger ? v : old;
            at[k] = larger ? base + k : old_at;
          }
        }
        first = false;
      }
  });
  return out;
}

/// Mean of every window; padding counts as zeros (torch's count_include_pad).
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> avg_pool2d(const Tensor<CpuOf<T>>& x, const Window& win) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  Tensor<CpuOf<T>> out(Shape{n, win.out_h(h), win.out_w(w), c});
  const T share = T(1) / static_cast<T>(win.area());
  detail::for_windows(n, h, w, win, [&](Index o, Index image, Index y0, Index x0) {
    T* const to = out.data() + o * c;
    std::fill_n(to, c, T(0));
    for (Index y = std::max<Index>(y0, 0); y < std::min(y0 + win.kernel_h, h); ++y)
      for (Index xx = std::max<Index>(x0, 0); xx < std::min(x0 + win.kernel_w, w); ++xx) {
        const T* from = x.data() + ((image * h + y) * w + xx) * c;
#pragma omp simd
        for (Index k = 0; k < c; ++k) to[k] += share * from[k];
      }
  });
  return out;
}

/// The adjoint of avg_pool2d: x of shape `shape`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> avg_pool2d_input(const Tensor<CpuOf<T>>& y, const Shape& shape, const Window& win) {
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3], oh = y.dim(1), ow = y.dim(2);
  Tensor<CpuOf<T>> x(shape, T(0));
  const T share = T(1) / static_cast<T>(win.area());
  parallel_for(n, [&](Index image) {
    for (Index o = 0; o < oh * ow; ++o) {
      const Index y0 = o / ow * win.stride_h - win.pad_h, x0 = o % ow * win.stride_w - win.pad_w;
      const T* from = y.data() + (image * oh * ow + o) * c;
      for (Index yy = std::max<Index>(y0, 0); yy < std::min(y0 + win.kernel_h, h); ++yy)
        for (Index xx = std::max<Index>(x0, 0); xx < std::min(x0 + win.kernel_w, w); ++xx) {
          T* to = x.data() + ((image * h + yy) * w + xx) * c;
#pragma omp simd
          for (Index k = 0; k < c; ++k) to[k] += share * from[k];
        }
    }
  });
  return x;
}

/// Every window as rows: (n, h, w, c) -> (n, out_h, out_w, area, c). Outside the image stands `padding`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> unfold2d(const Tensor<CpuOf<T>>& x, const Window& win, T padding) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  Tensor<CpuOf<T>> out(Shape{n, win.out_h(h), win.out_w(w), win.area(), c});
  detail::for_windows(n, h, w, win, [&](Index o, Index image, Index y0, Index x0) {
    T* to = out.data() + o * win.area() * c;
    for (Index y = y0; y < y0 + win.kernel_h; ++y)
      for (Index xx = x0; xx < x0 + win.kernel_w; ++xx, to += c) {
        if (y < 0 || y >= h || xx < 0 || xx >= w) {
          std::fill_n(to, c, padding);
        } else {
          std::copy_n(x.data() + ((image * h + y) * w + xx) * c, c, to);
        }
      }
  });
  return out;
}

/// The adjoint of unfold2d: adds every window back into x of shape `shape`.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> fold2d(const Tensor<CpuOf<T>>& rows, const Shape& shape, const Window& win) {
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3], oh = rows.dim(1), ow = rows.dim(2);
  Tensor<CpuOf<T>> x(shape, T(0));
  parallel_for(n, [&](Index image) {
    const T* from = rows.data() + image * oh * ow * win.area() * c;
    for (Index o = 0; o < oh * ow; ++o) {
      const Index y0 = o / ow * win.stride_h - win.pad_h, x0 = o % ow * win.stride_w - win.pad_w;
      for (Index y = y0; y < y0 + win.kernel_h; ++y)
        for (Index xx = x0; xx < x0 + win.kernel_w; ++xx, from += c) {
          if (y < 0 || y >= h || xx < 0 || xx >= w) continue;
          T* to = x.data() + ((image * h + y) * w + xx) * c;
          for (Index k = 0; k < c; ++k) to[k] += from[k];
        }
    }
  });
  return x;
}

}  // namespace limn::kernel
