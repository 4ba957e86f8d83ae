// LAP-Pool (Distinguishing Clues, Eq. 6 and 7): the mean of a window, weighted by how close each element's score is to
// the best score of the window. One pass forward, one backward; windows are never unfolded in memory.
//   weight_j = exp(-alpha^2 (max q - q_j)^2) + eps,   y = sum weight_j x_j / sum weight_j
// x (n, h, w, c), q (n, h, w, 1), alpha (1). Elements outside the image have no weight.
#pragma once

#include <cmath>
#include <vector>

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

  void read(const T* q, Index h, Index w, const Window& win, Index n, Index y0, Index x0, T alpha, T eps) {
    at.clear();
    gap.clear();
    share.clear();
    for (Index y = std::max<Index>(y0, 0); y < std::min(y0 + win.kernel_h, h); ++y)
      for (Index x = std::max<Index>(x0, 0); x < std::min(x0 + win.kernel_w, w); ++x) at.push_back((n * h + y) * w + x);
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
};

}  // namespace detail

template <class T>
[[nodiscard]] Tensor<CpuOf<T>> lap_pool(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& q,
                                        const Tensor<CpuOf<T>>& alpha, const Window& win, T eps) {
  const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3), oh = win.out_h(h), ow = win.out_w(w);
  Tensor<CpuOf<T>> y(Shape{n, oh, ow, c});
  parallel_for(n * oh, [&](Index line) {
    detail::LapWindow<T> window;
    for (Index ox = 0; ox < ow; ++ox) {
      window.read(q.data(), h, w, win, line / oh, line % oh * win.stride_h - win.pad_h, ox * win.stride_w - win.pad_w,
                  alpha.data()[0], eps);
      T* const out = y.data() + (line * ow + ox) * c;
      std::fill_n(out, c, T(0));
      for (std::size_t j = 0; j < window.at.size(); ++j) {
        const T* const in = x.data() + window.at[j] * c;
        const T s = window.share[j];
#pragma omp simd
        for (Index k = 0; k < c; ++k) out[k] += s * in[k];
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
                                                   const Window& win, T eps) {
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
      const T* const up = g.data() + (image * oh * ow + o) * c;
      along.assign(window.at.size(), T(0));
      T mean = 0;
      for (std::size_t j = 0; j < window.at.size(); ++j) {
        const T* const in = x.data() + window.at[j] * c;
        T* const to = out.x.data() + window.at[j] * c;
        const T s = window.share[j];
        T dot = 0;
#pragma omp simd reduction(+ : dot)
        for (Index k = 0; k < c; ++k) {
          to[k] += s * up[k];
          dot += up[k] * in[k];
        }
        along[j] = dot;
        mean += s * dot;
      }
      for (std::size_t j = 0; j < window.at.size(); ++j) {
        // weight = exp(-a^2 gap^2) + eps: d/dgap = -2 a^2 gap exp, d/da = -2 a gap^2 exp
        const T gap = window.gap[j], exponential = window.share[j] * window.total - eps;
        const T common = T(-2) * a * gap * exponential * (along[j] - mean) / window.total;
        to_alpha += common * gap;
        out.q.data()[window.at[j]] -= common * a;
        out.q.data()[window.at[window.best]] += common * a;
      }
    }
    of_image[static_cast<std::size_t>(image)] = to_alpha;
  });
  for (T part : of_image) out.alpha.data()[0] += part;
  return out;
}

}  // namespace limn::kernel
