// Pooling on (n, h, w, c), and windows as an axis of their own.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "limn/backend/cpu/blocks/channels.hpp"
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

/// Positions of neighbouring channels, as many as Channels<T, Lanes> has numbers.
template <int Lanes>
using PositionsOf = Channels<std::int32_t, Lanes>;

/// 0, 1, 2, ...
template <int Lanes>
typename PositionsOf<Lanes>::Value counted() {
  typename PositionsOf<Lanes>::Value out;
  for (int i = 0; i < Lanes; ++i) out[i] = i;
  return out;
}

/// A choice between positions as one between numbers of type T, which may be wider.
template <class T, int Lanes, class Mask>
auto widened(Mask mask) {
  using Choice [[gnu::vector_size(Lanes * sizeof(T))]] = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  return __builtin_convertvector(mask, Choice);
}

/// The largest of `rows` rows of `taps` elements, and where it lies; the first element is at flat position `first`. The
/// last register takes channels of the one before along.
template <class T, int Lanes>
void largest_of_window(const T* x, Index first, Index rows, Index taps, Index w, Index c, T* value,
                       std::int32_t* position) {
  using V = Channels<T, Lanes>;
  using P = PositionsOf<Lanes>;
  const typename P::Value count = counted<Lanes>();
  for (Index from = 0; from < c; from += Lanes) {
    const Index k = std::min(from, c - Lanes);
    auto best = V::load(x + first + k);
    typename P::Value at = static_cast<std::int32_t>(first + k) + count;
    for (Index row = 0; row < rows; ++row)
      for (Index tap = row == 0 ? 1 : 0; tap < taps; ++tap) {
        const Index here = first + (row * w + tap) * c + k;
        const auto v = V::load(x + here);
        const auto larger = (v > best) | (v != v);  // the last NaN, if there are any
        best = larger ? v : best;
        at = __builtin_convertvector(larger, typename P::Value) ? static_cast<std::int32_t>(here) + count : at;
      }
    V::store(value + k, best);
    P::store(position + k, at);
  }
}

/// For each of `extent` elements along an axis the windows [first, second) that it lies in, one after the other.
inline std::vector<Index> windows_of_elements(Index extent, Index kernel, Index stride, Index pad, Index windows) {
  std::vector<Index> out(static_cast<std::size_t>(2 * extent), 0);
  for (Index i = 0; i < extent; ++i) {
    const Index reach = i + pad, before = reach - kernel;  // the windows until `before` end before the element
    if (before >= 0) out[static_cast<std::size_t>(2 * i)] = std::min(windows, before / stride + 1);
    out[static_cast<std::size_t>(2 * i + 1)] = std::min(windows, reach / stride + 1);
  }
  return out;
}

/// out = the sum of the gradients g of some windows where they chose the element whose first channel is at flat
/// position `here`. The numbers of a window begin at at[i]. Windows: how many, where the compiler shall know; or 0.
template <class T, int Lanes, int Windows>
[[gnu::noinline]] void gather(const T* g, const std::int32_t* position, const Index* at, Index windows, Index here,
                              Index c, T* out) {
  using V = Channels<T, Lanes>;
  using P = PositionsOf<Lanes>;
  const Index all = Windows > 0 ? Windows : windows;
  const typename P::Value count = counted<Lanes>();
  for (Index from = 0; from < c; from += Lanes) {
    const Index k = std::min(from, c - Lanes);
    const typename P::Value self = static_cast<std::int32_t>(here + k) + count;
    typename V::Value sum{};
#pragma GCC unroll 4
    for (Index i = 0; i < all; ++i) {
      const auto chosen = P::load(position + at[i] + k) == self;
      sum += widened<T, Lanes>(chosen) ? V::load(g + at[i] + k) : typename V::Value{};
    }
    V::store(out + k, sum);
  }
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
  detail::by_channels<T>(c, [&]<int Lanes>() {
    detail::for_windows(n, h, w, win, [&](Index o, Index image, Index y0, Index x0) {
      const Index top = std::max<Index>(y0, 0), left = std::max<Index>(x0, 0);
      detail::largest_of_window<T, Lanes>(x.data(), ((image * h + top) * w + left) * c,
                                          std::min(y0 + win.kernel_h, h) - top, std::min(x0 + win.kernel_w, w) - left,
                                          w, c, out.value.data() + o * c, out.position.data() + o * c);
    });
  });
  return out;
}

/// The adjoint of max_pool2d at `position`: every element of x, which has `shape`, gathers the gradients g of the
/// windows that chose it, in their order, so nothing is scattered.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> max_pool2d_input(const Tensor<CpuOf<T>>& g, const Tensor<CpuOf<std::int32_t>>& position,
                                                const Shape& shape, const Window& win) {
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3], oh = g.dim(1), ow = g.dim(2);
  Tensor<CpuOf<T>> x(shape);
  const auto rows = detail::windows_of_elements(h, win.kernel_h, win.stride_h, win.pad_h, oh),
             columns = detail::windows_of_elements(w, win.kernel_w, win.stride_w, win.pad_w, ow);
  detail::by_channels<T>(c, [&]<int Lanes>() {
    constexpr std::array known{detail::gather<T, Lanes, 0>, detail::gather<T, Lanes, 1>, detail::gather<T, Lanes, 2>,
                               detail::gather<T, Lanes, 0>, detail::gather<T, Lanes, 4>};
    parallel_for(n * h, [&](Index line) {
      const Index image = line / h;
      const Index* const row = rows.data() + 2 * (line % h);
      std::vector<Index> at;
      for (Index column = 0; column < w; ++column) {
        const Index* const along = columns.data() + 2 * column;
        at.clear();
        for (Index oy = row[0]; oy < row[1]; ++oy)
          for (Index ox = along[0]; ox < along[1]; ++ox) at.push_back(((image * oh + oy) * ow + ox) * c);
        const Index here = (line * w + column) * c;
        known[at.size() < known.size() ? at.size() : 0](g.data(), position.data(), at.data(),
                                                        static_cast<Index>(at.size()), here, c, x.data() + here);
      }
    });
  });
  return x;
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
