// Two-dimensional convolution and its two adjoints. Windows are read where they lie in the image (blocks/windows.hpp),
// weights are packed into panels of a block's width (blocks/panels.hpp): the image is never unfolded.
// x (n, h, w, c), weight (k, kernel_h, kernel_w, c), y (n, out_h, out_w, k).
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "limn/backend/cpu/blocks/outer.hpp"
#include "limn/backend/cpu/blocks/product.hpp"
#include "limn/backend/cpu/blocks/winograd.hpp"

namespace limn::kernel {

namespace detail {

/// Packed or transformed weights, kept between calls: for predictions with a network that does not change while this
/// lives. Several threads may use it.
template <class T>
class PackedWeights {
 public:
  /// transposed_panels of the weight.
  Panels<T> transposed(const Tensor<CpuOf<T>>& weight, Index inner, Index columns) {
    return {inner, columns, find(weight, 0, [&] { return transposed_panels(weight.data(), inner, columns).data; })};
  }
  /// transformed_weight of the weight.
  Matrices<T> transformed(const Tensor<CpuOf<T>>& weight, const Algorithm<T>& by, const Weights<T>& of) {
    return {by.products(), of.inner(), of.columns(), panel_width<T>(of.columns()),
            find(weight, by.tile, [&] { return transformed_weight(by, of).data; })};
  }

 private:
  struct Kept {
    Tensor<CpuOf<T>> weight;  // holds its address
    Index tile;               // of the transformation
    std::shared_ptr<T> made;
  };
  /// What `make` gave at the first call with this weight and tile.
  std::shared_ptr<T> find(const Tensor<CpuOf<T>>& weight, Index tile, const FunctionRef<std::shared_ptr<T>()>& make) {
    const std::lock_guard lock(mutex_);
    for (const Kept& kept : kept_)
      if (kept.weight.data() == weight.data() && kept.tile == tile) return kept.made;
    kept_.push_back({weight, tile, make()});
    return kept_.back().made;
  }

  std::mutex mutex_;
  std::vector<Kept> kept_;
};

/// y = windows of x (n, h, w, c) times the weight (k, area, c), by the way that is faster.
template <class T>
void windows_times_weight(const T* x, Index n, Index h, Index w, Index c, const Window& win,
                          const Tensor<CpuOf<T>>& weight, const Epilogue<T>& finish, PackedWeights<T>* packed, T* y) {
  const Index out_h = win.out_h(h), out_w = win.out_w(w), k = weight.dim(0), inner = win.area() * c;
  const bool keeps = packed != nullptr && worth_keeping(c, k);  // then it pays for fewer tiles
  if (const Algorithm<T>* by = winograd_for<T>(n, h, w, c, k, win, keeps ? block_rows : 2 * block_rows)) {
    const Weights<T> of{weight.data(), k, c, false};
    std::optional<Matrices<T>> kept;
    if (keeps) kept = packed->transformed(weight, *by, of);
    winograd_convolve<T>(*by, {x, h, w, c, win.pad_h, win.pad_w}, {by->tile, n, out_h, out_w}, of,
                         kept ? &*kept : nullptr, finish, y);
  } else {
    convolve(x, n, h, w, c, win, {out_h, out_w},
             packed != nullptr ? packed->transposed(weight, inner, k) : transposed_panels(weight.data(), inner, k),
             finish, y);
  }
}

/// The elements of an axis of the input whose number, counted from the first one that is padding, leaves the same rest
/// by the stride: they meet the same taps, every `stride`th one, in the reverse order.
struct Phase {
  Index taps, first, count, pad;  ///< first of `count` elements; padding of the convolution that leads back to them

  Phase(Index rest, Index extent, Index kernel, Index stride, Index padding)
      : taps(rest < kernel ? (kernel - rest + stride - 1) / stride : 0) {
    const Index skipped = padding > rest ? (padding - rest + stride - 1) / stride : 0;  // they lie in the padding
    first = skipped * stride + rest - padding;
    count = first < extent ? (extent - first + stride - 1) / stride : 0;
    pad = taps - 1 - skipped;
  }
};

/// x (n, h, w, c) = the adjoint of a convolution on y (n, out_h, out_w, k): one convolution with stride one for every
/// phase of the stride, each with the taps that meet it.
template <class T>
void convolve_back(const T* y, Index n, Index h, Index w, Index c, const Window& win, const T* weight, Index k, T* x) {
  const Index out_h = win.out_h(h), out_w = win.out_w(w);
  if (win.kernel_h < win.stride_h || win.kernel_w < win.stride_w)
    parallel_for(n * h, [&](Index line) { std::fill_n(x + line * w * c, w * c, T(0)); });
  for (Index a = 0; a < std::min(win.stride_h, win.kernel_h); ++a)
    for (Index b = 0; b < std::min(win.stride_w, win.kernel_w); ++b) {
      const Phase down(a, h, win.kernel_h, win.stride_h, win.pad_h),
          across(b, w, win.kernel_w, win.stride_w, win.pad_w);
      std::vector<Index> taps;
      for (Index i = down.taps; i-- > 0;)
        for (Index j = across.taps; j-- > 0;)
          taps.push_back((a + i * win.stride_h) * win.kernel_w + b + j * win.stride_w);
      convolve<T>(y, n, out_h, out_w, k, {down.taps, across.taps, 1, 1, down.pad, across.pad},
                  {down.count, across.count, h, w, down.first, across.first, win.stride_h, win.stride_w},
                  panels_of_taps(weight, k, win.area(), c, taps), {}, x);
    }
}

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

/// The same for few channels, which would leave most of a register empty: whole windows by a product with the weight,
/// added to where they belong. One image by one thread: windows overlap, and the order of the additions stays the same.
template <class T>
void scatter_back(const T* y, Index n, Index h, Index w, Index c, const Window& win, const T* weight, Index k, T* x) {
  const Index columns = win.area() * c, area = win.out_h(h) * win.out_w(w);
  const auto panels = panels_of_taps(weight, k, 1, columns, {0});
  parallel_for(n, [&](Index image) {
    std::fill_n(x + image * h * w * c, h * w * c, T(0));
    const Index step = std::clamp<Index>((Index{1} << 18) / columns, 96, 1024);
    const auto strip = pooled_buffer<T>(std::min(step, area) * columns);
    for (Index first = image * area; first < (image + 1) * area; first += step) {
      const Index last = std::min(first + step, (image + 1) * area);
      convolve<T>(y + first * k, 1, last - first, 1, k, Window{}, {last - first, 1}, panels, {}, strip.get());
      scatter_windows(x, h, w, c, win, first, last, strip.get());
    }
  });
}

}  // namespace detail

/// y = x * weight (cross-correlation); with `scale_shift`, y = relu(scale * y + shift + add) per channel, where an
/// empty `add` is left out.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& weight, const Window& win,
                                      const Tensor<CpuOf<T>>& scale_shift = {}, const Tensor<CpuOf<T>>& add = {},
                                      detail::PackedWeights<T>* packed = nullptr) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), k = weight.dim(0);
  Tensor<CpuOf<T>> y(Shape{n, win.out_h(h), win.out_w(w), k});
  Epilogue<T> finish;
  if (!scale_shift.empty()) finish = {scale_shift.data(), scale_shift.data() + k, add.data(), true};
  detail::windows_times_weight<T>(x.data(), n, h, w, c, win, weight, finish, packed, y.data());
  return y;
}

/// The adjoint of conv2d in x: x of shape `shape` from y. (Transposed convolution.)
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> conv2d_input(const Tensor<CpuOf<T>>& y, const Tensor<CpuOf<T>>& weight,
                                            const Shape& shape, const Window& win) {
  const Index n = shape[0], h = shape[1], w = shape[2], c = shape[3], k = weight.dim(0);
  Tensor<CpuOf<T>> x(shape);
  const Window back{win.kernel_h, win.kernel_w, 1, 1, win.kernel_h - 1 - win.pad_h, win.kernel_w - 1 - win.pad_w};
  const auto* const by =
      win.stride_h == 1 && win.stride_w == 1 ? detail::winograd_for<T>(n, y.dim(1), y.dim(2), k, c, back) : nullptr;
  if (by != nullptr)
    detail::winograd_convolve<T>(*by, {y.data(), y.dim(1), y.dim(2), k, back.pad_h, back.pad_w}, {by->tile, n, h, w},
                                 {weight.data(), k, c, true}, nullptr, {}, x.data());
  else if (2 * c < detail::lanes<T> && win.area() > 1)
    detail::scatter_back(y.data(), n, h, w, c, win, weight.data(), k, x.data());
  else
    detail::convolve_back(y.data(), n, h, w, c, win, weight.data(), k, x.data());
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
