// LAP-Pool (Distinguishing Clues, Eq. 6 and 7): the mean of a window, weighted by how close each element's score is to
// the best score of the window. One pass forward, one backward; windows are never unfolded in memory.
//   weight_j = exp(-alpha^2 (max q - q_j)^2) + eps,   y = sum weight_j x_j / sum weight_j
// x (n, h, w, c), q (n, h, w, 1), alpha (1). Elements outside the image have no weight. With `taps`, another window,
// x_j is the whole window (kernel_h, kernel_w, c) around element j, zeros outside the image: then y is what a
// convolution with stride one before the pooling reads, pooled (docs/engine.md).
#pragma once

#include <cmath>
#include <vector>

#include "limn/backend/cpu/blocks/block.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// The elements of one window that lie in the image.
template <class T>
struct LapWindow {
  std::vector<Index> at;      // positions, counted over (n, h, w)
  std::vector<T> gap, share;  // max q - q_j; weight_j / sum of weights
  std::size_t best = 0;       // the first element that has the best score
  T total = 0;                // sum of weights
  // Of one tap: the elements for which it lies in the image, their shares, and how far the tap is from the element.
  std::vector<std::size_t> element;
  std::vector<T> share_of;
  std::vector<Index> source;

  void read(const T* q, Index h, Index w, const Window& win, Index n, Index y0, Index x0, T alpha, T eps) {
    from_y_ = std::max<Index>(y0, 0);
    from_x_ = std::max<Index>(x0, 0);
    to_y_ = std::min(y0 + win.kernel_h, h);
    to_x_ = std::min(x0 + win.kernel_w, w);
    at.clear();
    for (Index y = from_y_; y < to_y_; ++y)
      for (Index x = from_x_; x < to_x_; ++x) at.push_back((n * h + y) * w + x);
    weigh(q, alpha, eps);
  }

  /// Of the elements in `at`.
  void weigh(const T* q, T alpha, T eps) {
    gap.clear();
    share.clear();
    best = 0;
    for (std::size_t j = 1; j < at.size(); ++j)
      if (q[at[j]] > q[at[best]]) best = j;
    total = 0;
    for (Index a : at) {
      gap.push_back(q[at[best]] - q[a]);
      const T d = alpha * gap.back();
      share.push_back(std::exp(-d * d) + eps);
      total += share.back();
    }
    for (T& s : share) s /= total;
  }

  void find(Index h, Index w, const Window& taps, Index tap) {
    element.clear();
    share_of.clear();
    source.clear();
    const Index down = tap / taps.kernel_w - taps.pad_h, right = tap % taps.kernel_w - taps.pad_w;
    std::size_t j = 0;
    for (Index y = from_y_; y < to_y_; ++y)
      for (Index x = from_x_; x < to_x_; ++x, ++j) {
        if (y + down < 0 || y + down >= h || x + right < 0 || x + right >= w) continue;
        element.push_back(j);
        share_of.push_back(share[j]);
        source.push_back(at[j] + down * w + right);
      }
  }

  /// Adds what the scores and alpha get for `along`, s_j of every element (see lap_pool_gradient).
  void spread(const std::vector<T>& along, T alpha, T eps, T* to_q, T& to_alpha) const {
    T mean = 0;
    for (std::size_t j = 0; j < at.size(); ++j) mean += share[j] * along[j];
    for (std::size_t j = 0; j < at.size(); ++j) {
      // weight = exp(-a^2 gap^2) + eps: d/dgap = -2 a^2 gap exp, d/da = -2 a gap^2 exp
      const T exponential = share[j] * total - eps;
      const T common = T(-2) * alpha * gap[j] * exponential * (along[j] - mean) / total;
      to_alpha += common * gap[j];
      to_q[at[j]] -= common * alpha;
      to_q[at[best]] += common * alpha;
    }
  }

  /// out[c] = the sum over the elements of this tap of share * x.
  void add_up(const T* x, Index c, T* out) const {
    Index k = 0;
    for (; k + 4 * lanes<T> <= c; k += 4 * lanes<T>) add_registers<4>(x + k, c, out + k);
    for (; k + lanes<T> <= c; k += lanes<T>) add_registers<1>(x + k, c, out + k);
    for (; k < c; ++k) {
      out[k] = 0;
      for (std::size_t i = 0; i < source.size(); ++i) out[k] += share_of[i] * x[source[i] * c + k];
    }
  }

 private:
  template <int Count>
  void add_registers(const T* x, Index c, T* out) const {
    using R = Register<T>;
    typename R::Value sum[Count]{};
    for (std::size_t i = 0; i < source.size(); ++i) {
      const T* const from = x + source[i] * c;
      const T s = share_of[i];
#pragma GCC unroll 4
      for (int v = 0; v < Count; ++v) sum[v] += s * R::load(from + v * lanes<T>);
    }
#pragma GCC unroll 4
    for (int v = 0; v < Count; ++v) R::store(out + v * lanes<T>, sum[v]);
  }

  Index from_y_ = 0, from_x_ = 0, to_y_ = 0, to_x_ = 0;
};

}  // namespace detail

template <class T>
[[nodiscard]] Tensor<CpuOf<T>> lap_pool(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& q,
                                        const Tensor<CpuOf<T>>& alpha, const Window& win, T eps,
                                        const Window& taps = {}) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), oh = win.out_h(h), ow = win.out_w(w);
  Tensor<CpuOf<T>> y(Shape{n, oh, ow, taps.area() * c});
  parallel_for(n * oh, [&](Index line) {
    detail::LapWindow<T> window;
    for (Index ox = 0; ox < ow; ++ox) {
      window.read(q.data(), h, w, win, line / oh, line % oh * win.stride_h - win.pad_h, ox * win.stride_w - win.pad_w,
                  alpha.data()[0], eps);
      for (Index tap = 0; tap < taps.area(); ++tap) {
        window.find(h, w, taps, tap);
        window.add_up(x.data(), c, y.data() + ((line * ow + ox) * taps.area() + tap) * c);
      }
    }
  });
  return y;
}

template <class T>
struct LapPoolGradient {
  Tensor<CpuOf<T>> x, q, alpha;
};

/// With s_j = <g, x_j> and s = sum_j share_j s_j:  dy/dweight_j contracts to (s_j - s) / total, and the score of the
/// best element collects what every gap loses.
template <class T>
[[nodiscard]] LapPoolGradient<T> lap_pool_gradient(const Tensor<CpuOf<T>>& g, const Tensor<CpuOf<T>>& x,
                                                   const Tensor<CpuOf<T>>& q, const Tensor<CpuOf<T>>& alpha,
                                                   const Window& win, T eps, const Window& taps = {}) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), oh = win.out_h(h), ow = win.out_w(w);
  LapPoolGradient<T> out{Tensor<CpuOf<T>>(x.shape(), T(0)), Tensor<CpuOf<T>>(q.shape(), T(0)),
                         Tensor<CpuOf<T>>(alpha.shape(), T(0))};
  std::vector<T> of_image(static_cast<std::size_t>(n));
  const T a = alpha.data()[0];
  parallel_for(n, [&](Index image) {
    detail::LapWindow<T> window;
    std::vector<T> along;
    T to_alpha = 0;
    for (Index o = 0; o < oh * ow; ++o) {
      window.read(q.data(), h, w, win, image, o / ow * win.stride_h - win.pad_h, o % ow * win.stride_w - win.pad_w, a,
                  eps);
      along.assign(window.at.size(), T(0));
      for (Index tap = 0; tap < taps.area(); ++tap) {
        const T* const up = g.data() + ((image * oh * ow + o) * taps.area() + tap) * c;
        window.find(h, w, taps, tap);
        for (std::size_t i = 0; i < window.source.size(); ++i) {
          const T* const in = x.data() + window.source[i] * c;
          T* const to = out.x.data() + window.source[i] * c;
          const T s = window.share_of[i];
          T dot = 0;
#pragma omp simd reduction(+ : dot)
          for (Index k = 0; k < c; ++k) {
            to[k] += s * up[k];
            dot += up[k] * in[k];
          }
          along[window.element[i]] += dot;
        }
      }
      window.spread(along, a, eps, out.q.data(), to_alpha);
    }
    of_image[static_cast<std::size_t>(image)] = to_alpha;
  });
  for (T part : of_image) out.alpha.data()[0] += part;
  return out;
}

}  // namespace limn::kernel
