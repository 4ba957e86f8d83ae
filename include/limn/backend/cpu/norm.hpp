// Batch normalisation over all axes but the last.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Rows that stay in a core's cache, and few enough for sums to be exact to a few bits.
inline Index rows_of_block(Index c) { return std::clamp<Index>(65536 / c, 1, 512); }

/// Sums of two functions of (row, channel) over all rows, in blocks of a fixed number of rows: f(begin, end, a, b) adds
/// to a and b those of a block. Gives the sums of all blocks, 2 c a block.
template <class T>
std::vector<T> block_sums(Index rows, Index c, const FunctionRef<void(Index, Index, T*, T*)>& f) {
  const Index block = rows_of_block(c), blocks = (rows + block - 1) / block;
  std::vector<T> sums(static_cast<std::size_t>(2 * blocks * c));
  parallel_for(blocks, [&](Index i) {
    T* const a = sums.data() + 2 * i * c;
    f(i * block, std::min(rows, (i + 1) * block), a, a + c);
  });
  return sums;
}

}  // namespace detail

/// Mean and (biased) variance of every channel. Each block of rows is read twice, from the cache, so that a large mean
/// does not eat the variance; the blocks are joined as by Chan, Golub and LeVeque (1979).
template <class T>
[[nodiscard]] std::pair<Tensor<CpuOf<T>>, Tensor<CpuOf<T>>> moments(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back(), rows = x.size() / c, block = detail::rows_of_block(c);
  const T* const in = x.data();
  const auto sums = detail::block_sums<T>(rows, c, [&](Index begin, Index end, T* mean, T* squares) {
    for (Index r = begin; r < end; ++r)
#pragma omp simd
      for (Index k = 0; k < c; ++k) mean[k] += in[r * c + k];
    for (Index k = 0; k < c; ++k) mean[k] /= static_cast<T>(end - begin);
    for (Index r = begin; r < end; ++r)
#pragma omp simd
      for (Index k = 0; k < c; ++k) {
        const T d = in[r * c + k] - mean[k];
        squares[k] += d * d;
      }
  });
  Tensor<CpuOf<T>> mean(Shape{c}, T(0)), variance(Shape{c}, T(0));
  for (Index begin = 0; begin < rows; begin += block) {
    const T* const of_block = sums.data() + 2 * (begin / block) * c;
    const T count = static_cast<T>(std::min(block, rows - begin)), before = static_cast<T>(begin), all = before + count;
    for (Index k = 0; k < c; ++k) {
      const T away = of_block[k] - mean.data()[k];
      mean.data()[k] += away * (count / all);
      variance.data()[k] += of_block[c + k] + away * away * (before * count / all);
    }
  }
  for (T& v : variance.span()) v /= static_cast<T>(rows);
  return {std::move(mean), std::move(variance)};
}

/// y = (x - mean) / sqrt(variance + eps) * gamma + beta, per channel, as scale * x + shift: two rows of c numbers.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> scale_and_shift(const Tensor<CpuOf<T>>& mean, const Tensor<CpuOf<T>>& variance,
                                               const Tensor<CpuOf<T>>& gamma, const Tensor<CpuOf<T>>& beta, T eps) {
  const Index c = mean.size();
  Tensor<CpuOf<T>> out(Shape{2, c});
  T *const scale = out.data(), *const shift = scale + c;
  for (Index k = 0; k < c; ++k) {
    scale[k] = gamma.data()[k] / std::sqrt(variance.data()[k] + eps);
    shift[k] = beta.data()[k] - mean.data()[k] * scale[k];
  }
  return out;
}

/// y = scale * x + shift per channel; with `relu`, y = relu(scale * x + shift + add), where an empty `add` is left out.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> normalise(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<T>>& scale_shift,
                                         bool relu = false, const Tensor<CpuOf<T>>& add = {}) {
  const Index c = x.shape().back(), rows = x.size() / c;
  Tensor<CpuOf<T>> y(x.shape());
  const T *const s = scale_shift.data(), *const t = s + c;
  const T floor = relu ? T(0) : -std::numeric_limits<T>::infinity();
  const T* const added = add.data();
  parallel_pieces(rows, std::max<Index>(1, 16384 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const T* const in = x.data() + r * c;
      T* const out = y.data() + r * c;
#pragma omp simd
      for (Index k = 0; k < c; ++k) out[k] = in[k] * s[k] + t[k];
      if (added != nullptr) {
        const T* const more = added + r * c;
#pragma omp simd
        for (Index k = 0; k < c; ++k) out[k] += more[k];
      }
#pragma omp simd
      for (Index k = 0; k < c; ++k) out[k] = out[k] < floor ? floor : out[k];  // NaN stays NaN
    }
  });
  return y;
}

template <class T>
struct BatchNormGradient {
  Tensor<CpuOf<T>> x, gamma, beta, add;
};

/// Gradients of batch normalisation by batch statistics (Ioffe and Szegedy 2015, section 3), in two passes. With `y`,
/// the output of a ReLU after it, g is the gradient of that, and `add` becomes the gradient before the ReLU.
template <class T>
[[nodiscard]] BatchNormGradient<T> batch_norm_gradient(const Tensor<CpuOf<T>>& g, const Tensor<CpuOf<T>>& x,
                                                       const Tensor<CpuOf<T>>& mean, const Tensor<CpuOf<T>>& variance,
                                                       const Tensor<CpuOf<T>>& gamma, T eps,
                                                       const Tensor<CpuOf<T>>& y = {}, bool added = false) {
  const Index c = x.shape().back(), rows = x.size() / c, block = detail::rows_of_block(c);
  const bool mine = g.unique();
  Tensor<CpuOf<T>> masked = mine || y.empty() ? g : Tensor<CpuOf<T>>(g.shape());
  BatchNormGradient<T> out{!added && (mine || !y.empty()) ? masked : Tensor<CpuOf<T>>(x.shape()),
                           Tensor<CpuOf<T>>(Shape{c}, T(0)), Tensor<CpuOf<T>>(Shape{c}, T(0)),
                           added ? masked : Tensor<CpuOf<T>>()};
  const T *const in = x.data(), *const m = mean.data();
  const T *const from = g.data(), *const after = y.data();
  T* const before = masked.data();  // the gradient before the ReLU
  const auto sums = detail::block_sums<T>(rows, c, [&](Index begin, Index end, T* a, T* b) {
    if (after != nullptr) {
#pragma omp simd
      for (Index i = begin * c; i < end * c; ++i) {
        const T up = from[i];  // read in any case, or the loop stays scalar
        before[i] = after[i] > T(0) ? up : T(0);
      }
    }
    for (Index r = begin; r < end; ++r) {
      const T *const up = before + r * c, *const row = in + r * c;
#pragma omp simd
      for (Index k = 0; k < c; ++k) {
        a[k] += up[k];
        b[k] += up[k] * (row[k] - m[k]);
      }
    }
  });
  T *const to_beta = out.beta.data(), *const to_gamma = out.gamma.data();
  for (Index i = 0; i < (rows + block - 1) / block; ++i)
    for (Index k = 0; k < c; ++k) {
      to_beta[k] += sums[static_cast<std::size_t>(2 * i * c + k)];
      to_gamma[k] += sums[static_cast<std::size_t>((2 * i + 1) * c + k)];
    }
  Tensor<CpuOf<T>> factors(Shape{3, c});
  T *const p = factors.data(), *const q = p + c, *const o = q + c;
  for (Index k = 0; k < c; ++k) {
    const T inverse = T(1) / std::sqrt(variance.data()[k] + eps), scale = gamma.data()[k] * inverse;
    // dx = scale (g - mean(g) - xhat mean(g xhat)), written as p g + q x + o
    p[k] = scale;
    q[k] = -scale * inverse * inverse * to_gamma[k] / static_cast<T>(rows);
    o[k] = -scale * to_beta[k] / static_cast<T>(rows) - q[k] * m[k];
    to_gamma[k] *= inverse;
  }
  parallel_pieces(rows, std::max<Index>(1, 16384 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      T* const to = out.x.data() + r * c;
      const T *const up = before + r * c, *const row = in + r * c;
#pragma omp simd
      for (Index k = 0; k < c; ++k) to[k] = p[k] * up[k] + q[k] * row[k] + o[k];
    }
  });
  return out;
}

}  // namespace limn::kernel
