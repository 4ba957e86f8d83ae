// Batch normalisation over all axes but the last.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "limn/backend/cpu/blocks/channels.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Rows whose blocks are joined by one thread.
inline Index rows_of_group(Index c) { return 8 * rows_of_block(c); }

/// Calls f(begin, end, a, b) for groups of rows; it leaves two sums for every channel. Gives those of all groups, 2 c
/// each. A group works on memory of its own: threads that write side by side would wait for each other.
template <class T>
std::vector<T> group_sums(Index rows, Index c, const FunctionRef<void(Index, Index, T*, T*)>& f) {
  const Index group = rows_of_group(c), groups = (rows + group - 1) / group;
  std::vector<T> sums(static_cast<std::size_t>(2 * groups * c));
  parallel_for(groups, [&](Index i) {
    std::vector<T> mine(static_cast<std::size_t>(2 * c));
    f(i * group, std::min(rows, (i + 1) * group), mine.data(), mine.data() + c);
    std::copy(mine.begin(), mine.end(), sums.data() + 2 * i * c);
  });
  return sums;
}

/// Mean and sum of squared distances from it, over rows of a strip.
template <class T, int Lanes, int Side>
void moments_of_strip(const T* in, Index rows, Index c, T* mean, T* squares) {
  using V = Channels<T, Lanes>;
  typename V::Value m[Side] = {}, sum[Side] = {};
  for (Index r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (Index s = 0; s < Side; ++s) m[s] += V::load(in + r * c + s * Lanes);
  }
#pragma GCC unroll 4
  for (Index s = 0; s < Side; ++s) m[s] /= static_cast<T>(rows);
  for (Index r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (Index s = 0; s < Side; ++s) {
      const auto d = V::load(in + r * c + s * Lanes) - m[s];
      sum[s] += d * d;
    }
  }
#pragma GCC unroll 4
  for (Index s = 0; s < Side; ++s) {
    V::store(mean + s * Lanes, m[s]);
    V::store(squares + s * Lanes, sum[s]);
  }
}

/// Joins the moments of `count` rows to those of `before` rows (Chan, Golub and LeVeque 1979).
template <class T>
void join_moments(const T* of_block, Index count, Index before, Index c, T* mean, T* squares) {
  const T share = static_cast<T>(count) / static_cast<T>(before + count), weight = static_cast<T>(before) * share;
#pragma omp simd
  for (Index k = 0; k < c; ++k) {
    const T away = of_block[k] - mean[k];
    mean[k] += away * share;
    squares[k] += of_block[c + k] + away * away * weight;
  }
}

}  // namespace detail

/// Mean and (biased) variance of every channel. Each block of rows is read twice, from the cache, so that a large mean
/// does not eat the variance.
template <class T>
[[nodiscard]] std::pair<Tensor<CpuOf<T>>, Tensor<CpuOf<T>>> moments(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back(), rows = x.size() / c, block = detail::rows_of_block(c),
              group = detail::rows_of_group(c);
  const T* const in = x.data();
  const auto sums = detail::group_sums<T>(rows, c, [&](Index first, Index last, T* mean, T* squares) {
    std::vector<T> of_block(static_cast<std::size_t>(2 * c));
    T* const to = of_block.data();
    for (Index begin = first; begin < last; begin += block) {
      const Index count = std::min(block, last - begin);
      detail::for_strips<T>(c, [&]<int Lanes, int Side>(Index k) {
        detail::moments_of_strip<T, Lanes, Side>(in + begin * c + k, count, c, to + k, to + c + k);
      });
      detail::join_moments(to, count, begin - first, c, mean, squares);
    }
  });
  Tensor<CpuOf<T>> mean(Shape{c}, T(0)), variance(Shape{c}, T(0));
  for (Index begin = 0; begin < rows; begin += group)
    detail::join_moments(sums.data() + 2 * (begin / group) * c, std::min(group, rows - begin), begin, c, mean.data(),
                         variance.data());
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

namespace detail {
/// Sums of g and of g (x - m) over rows of a strip. With `y`, the output of a ReLU, only where it is positive; what
/// remains of g goes to `masked`, which may be where g is.
template <class T, int Lanes, int Side>
void gradient_of_strip(const T* g, const T* y, const T* x, const T* m, Index rows, Index c, T* masked, T* sum,
                       T* product) {
  using V = Channels<T, Lanes>;
  typename V::Value mean[Side], a[Side] = {}, b[Side] = {};
#pragma GCC unroll 4
  for (Index s = 0; s < Side; ++s) mean[s] = V::load(m + s * Lanes);
  for (Index r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (Index s = 0; s < Side; ++s) {
      const Index at = r * c + s * Lanes;
      auto up = V::load(g + at);
      if (y != nullptr) {
        up = V::load(y + at) > T(0) ? up : typename V::Value{};
        V::store(masked + at, up);
      }
      a[s] += up;
      b[s] += up * (V::load(x + at) - mean[s]);
    }
  }
#pragma GCC unroll 4
  for (Index s = 0; s < Side; ++s) {
    V::store(sum + s * Lanes, a[s]);
    V::store(product + s * Lanes, b[s]);
  }
}
}  // namespace detail

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
  const Index c = x.shape().back(), rows = x.size() / c, block = detail::rows_of_block(c),
              group = detail::rows_of_group(c);
  const bool mine = g.unique();
  Tensor<CpuOf<T>> masked = mine || y.empty() ? g : Tensor<CpuOf<T>>(g.shape());
  BatchNormGradient<T> out{!added && (mine || !y.empty()) ? masked : Tensor<CpuOf<T>>(x.shape()),
                           Tensor<CpuOf<T>>(Shape{c}, T(0)), Tensor<CpuOf<T>>(Shape{c}, T(0)),
                           added ? masked : Tensor<CpuOf<T>>()};
  const T *const in = x.data(), *const m = mean.data();
  const T *const from = g.data(), *const after = y.data();
  T* const before = masked.data();  // the gradient before the ReLU
  const auto sums = detail::group_sums<T>(rows, c, [&](Index first, Index last, T* a, T* b) {
    std::vector<T> of_block(static_cast<std::size_t>(2 * c));
    T* const to = of_block.data();
    for (Index begin = first; begin < last; begin += block) {
      const Index count = std::min(block, last - begin);
      detail::for_strips<T>(c, [&]<int Lanes, int Side>(Index k) {
        const Index at = begin * c + k;
        detail::gradient_of_strip<T, Lanes, Side>(from + at, after == nullptr ? nullptr : after + at, in + at, m + k,
                                                  count, c, before + at, to + k, to + c + k);
      });
#pragma omp simd
      for (Index k = 0; k < c; ++k) {
        a[k] += to[k];
        b[k] += to[c + k];
      }
    }
  });
  T *const to_beta = out.beta.data(), *const to_gamma = out.gamma.data();
  for (Index i = 0; i < (rows + group - 1) / group; ++i)
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
