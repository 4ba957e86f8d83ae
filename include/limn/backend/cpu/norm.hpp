// Batch normalisation over all axes but the last, and softmax along the last.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Sums of two functions of (row, channel) over all rows, in blocks of a fixed length.
template <class T, class F>
std::pair<std::vector<T>, std::vector<T>> channel_sums(Index rows, Index c, const F& f) {
  constexpr Index block = 512;
  const Index blocks = (rows + block - 1) / block;
  const auto total = static_cast<std::size_t>(c);
  std::vector<T> a(static_cast<std::size_t>(blocks) * total), b(a.size());
  parallel_for(blocks, [&](Index i) {
    T* const pa = a.data() + i * c;
    T* const pb = b.data() + i * c;
    for (Index r = i * block; r < std::min(rows, (i + 1) * block); ++r) f(r, pa, pb);
  });
  for (Index i = 1; i < blocks; ++i)
    for (Index k = 0; k < c; ++k) {
      a[static_cast<std::size_t>(k)] += a[static_cast<std::size_t>(i * c + k)];
      b[static_cast<std::size_t>(k)] += b[static_cast<std::size_t>(i * c + k)];
    }
  a.resize(total);
  b.resize(total);
  return {std::move(a), std::move(b)};
}

}  // namespace detail

/// Mean and (biased) variance of every channel. Two passes, so that a large mean does not eat the variance.
template <class T>
[[nodiscard]] std::pair<Tensor<CpuOf<T>>, Tensor<CpuOf<T>>> moments(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back(), rows = x.size() / c;
  const T* const in = x.data();
  Tensor<CpuOf<T>> mean(Shape{c}), variance(Shape{c});
  const auto first = detail::channel_sums<T>(rows, c, [&](Index r, T* a, T*) {
#pragma omp simd
    for (Index k = 0; k < c; ++k) a[k] += in[r * c + k];
  });
  for (Index k = 0; k < c; ++k) mean.data()[k] = first.first[static_cast<std::size_t>(k)] / static_cast<T>(rows);
  const T* const m = mean.data();
  const auto second = detail::channel_sums<T>(rows, c, [&](Index r, T* a, T*) {
#pragma omp simd
    for (Index k = 0; k < c; ++k) {
      const T d = in[r * c + k] - m[k];
      a[k] += d * d;
    }
  });
  for (Index k = 0; k < c; ++k) variance.data()[k] = second.first[static_cast<std::size_t>(k)] / static_cast<T>(rows);
  return {mean, variance};
}

/// y = (x - mean) / sqrt(variance + eps) * gamma + beta, per channel.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> normalise(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& mean,
                                         const Tensor<CpuOf<T>>& variance, const Tensor<CpuOf<T>>& gamma,
                                         const Tensor<CpuOf<T>>& beta, T eps) {
  const Index c = x.shape().back(), rows = x.size() / c;
  Tensor<CpuOf<T>> y(x.shape());
  std::vector<T> scale(static_cast<std::size_t>(c)), shift(scale.size());
  for (Index k = 0; k < c; ++k) {
    const auto i = static_cast<std::size_t>(k);
    scale[i] = gamma.data()[k] / std::sqrt(variance.data()[k] + eps);
    shift[i] = beta.data()[k] - mean.data()[k] * scale[i];
  }
  parallel_pieces(rows, std::max<Index>(1, 16384 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const T* const in = x.data() + r * c;
      T* const out = y.data() + r * c;
      const T *const s = scale.data(), *const t = shift.data();
#pragma omp simd
      for (Index k = 0; k < c; ++k) out[k] = in[k] * s[k] + t[k];
    }
  });
  return y;
}

template <class T>
struct BatchNormGradient {
  Tensor<CpuOf<T>> x, gamma, beta;
};

/// Gradients of batch normalisation by batch statistics (Ioffe and Szegedy 2015, section 3), in two passes.
template <class T>
[[nodiscard]] BatchNormGradient<T> batch_norm_gradient(const Tensor<CpuOf<T>>& g, const Tensor<CpuOf<T>>& x,
                                                       const Tensor<CpuOf<T>>& mean, const Tensor<CpuOf<T>>& variance,
                                                       const Tensor<CpuOf<T>>& gamma, T eps) {
  const Index c = x.shape().back(), rows = x.size() / c;
  const T *const in = x.data(), *const up = g.data(), *const m = mean.data();
  const auto sums = detail::channel_sums<T>(rows, c, [&](Index r, T* a, T* b) {
#pragma omp simd
    for (Index k = 0; k < c; ++k) {
      a[k] += up[r * c + k];
      b[k] += up[r * c + k] * (in[r * c + k] - m[k]);
    }
  });
  BatchNormGradient<T> out{Tensor<CpuOf<T>>(x.shape()), Tensor<CpuOf<T>>(Shape{c}), Tensor<CpuOf<T>>(Shape{c})};
  std::vector<T> p(static_cast<std::size_t>(c)), q(p.size()), o(p.size());
  for (Index k = 0; k < c; ++k) {
    const auto i = static_cast<std::size_t>(k);
    const T inverse = T(1) / std::sqrt(variance.data()[k] + eps), scale = gamma.data()[k] * inverse;
    out.beta.data()[k] = sums.first[i];
    out.gamma.data()[k] = sums.second[i] * inverse;
    // dx = scale (g - mean(g) - xhat mean(g xhat)), written as p g + q x + o
    p[i] = scale;
    q[i] = -scale * inverse * inverse * sums.second[i] / static_cast<T>(rows);
    o[i] = -scale * sums.first[i] / static_cast<T>(rows) - q[i] * m[k];
  }
  parallel_pieces(rows, std::max<Index>(1, 16384 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      T* const to = out.x.data() + r * c;
      const T *const pp = p.data(), *const qq = q.data(), *const oo = o.data();
#pragma omp simd
      for (Index k = 0; k < c; ++k) to[k] = pp[k] * up[r * c + k] + qq[k] * in[r * c + k] + oo[k];
    }
  });
  return out;
}

/// Softmax along the last axis, shifted by the largest element: finite for any finite x.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> softmax(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back();
  Tensor<CpuOf<T>> y(x.shape());
  parallel_pieces(x.size() / c, std::max<Index>(1, 4096 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const T* const in = x.data() + r * c;
      T* const out = y.data() + r * c;
      T sum = 0;
      const T top = *std::max_element(in, in + c);
      for (Index k = 0; k < c; ++k) sum += out[k] = std::exp(in[k] - top);
      for (Index k = 0; k < c; ++k) out[k] /= sum;
    }
  });
  return y;
}

/// ln(softmax(x)) along the last axis.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> log_softmax(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back();
  Tensor<CpuOf<T>> y(x.shape());
  parallel_pieces(x.size() / c, std::max<Index>(1, 4096 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const T* const in = x.data() + r * c;
      T* const out = y.data() + r * c;
      T sum = 0;
      const T top = *std::max_element(in, in + c);
      for (Index k = 0; k < c; ++k) sum += std::exp(in[k] - top);
      const T shift = top + std::log(sum);
      for (Index k = 0; k < c; ++k) out[k] = in[k] - shift;
    }
  });
  return y;
}

}  // namespace limn::kernel
