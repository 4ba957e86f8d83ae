// Softmax along the last axis and the loss that is made of it: a row is read once for its largest element and once for
// the exponentials, the second time from the cache. In float the exponentials are vectors (backend/exponential.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "limn/backend/cpu/blocks/block.hpp"
#include "limn/backend/cpu/reduce.hpp"
#include "limn/backend/exponential.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Calls f(register, position, count) for all numbers of a row. The last register may have fewer: `count`, and
/// -infinity behind them, of which the exponential is 0.
template <class T, class F>
void by_registers(const T* row, Index c, const F& f) {
  using R = Register<T>;
  Index k = 0;
  for (; k + lanes<T> <= c; k += lanes<T>) f(R::load(row + k), k, lanes<T>);
  if (k == c) return;
  T rest[lanes<T>];
  std::fill(std::copy(row + k, row + c, rest), rest + lanes<T>, -std::numeric_limits<T>::infinity());
  f(R::load(rest), k, c - k);
}

template <class T>
void store_some(T* to, typename Register<T>::Value value, Index count) {
  if (count == lanes<T>) return Register<T>::store(to, value);
  for (Index i = 0; i < count; ++i) to[i] = value[i];
}

template <class T>
typename Register<T>::Value exponentials(typename Register<T>::Value x) {
  if constexpr (std::is_same_v<T, float>) {
    using Bits [[gnu::vector_size(vector_bytes)]] = std::uint32_t;
    return functor::exponential_of<typename Register<T>::Value, Bits>(x);
  } else {
    for (int i = 0; i < lanes<T>; ++i) x[i] = functor::exponential(x[i]);
    return x;
  }
}

/// The largest number of a row; where one is NaN, any number.
template <class T>
T largest(const T* row, Index c) {
  using R = Register<T>;
  typename R::Value top[4];  // one alone would wait for itself
  for (auto& some : top) some = -std::numeric_limits<T>::infinity() - typename R::Value{};
  Index k = 0;
  for (; k + 4 * lanes<T> <= c; k += 4 * lanes<T>)
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const auto x = R::load(row + k + i * lanes<T>);
      top[i] = x > top[i] ? x : top[i];
    }
  by_registers(row + k, c - k, [&](auto x, Index, Index) { top[0] = x > top[0] ? x : top[0]; });
  T all = top[0][0];
  for (const auto& some : top)
    for (int i = 0; i < lanes<T>; ++i) all = std::max<T>(all, some[i]);
  return all;
}

/// What a row is shifted and divided by.
template <class T>
struct RowSum {
  T top, sum;  ///< the largest number, and the sum of e^(x - top)
};

/// With `out`, e^(x - top) is left there.
template <class T>
RowSum<T> sum_of_row(const T* row, Index c, T* out = nullptr) {
  const T top = largest(row, c);
  typename Register<T>::Value sums{};
  by_registers(row, c, [&](auto x, Index k, Index count) {
    const auto e = exponentials<T>(x - top);
    sums += e;
    if (out != nullptr) store_some(out + k, e, count);
  });
  T sum = 0;
  for (int i = 0; i < lanes<T>; ++i) sum += sums[i];
  return {top, sum};
}

/// Calls f(row) for so many rows of c numbers.
inline void for_softmax_rows(Index rows, Index c, const FunctionRef<void(Index)>& f) {
  parallel_pieces(rows, std::max<Index>(1, 4096 / c), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) f(r);
  });
}

}  // namespace detail

/// Softmax along the last axis, shifted by the largest element: finite for any finite x.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> softmax(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back();
  Tensor<CpuOf<T>> y(x.shape());
  detail::for_softmax_rows(x.size() / c, c, [&](Index r) {
    T* const out = y.data() + r * c;
    const T share = T(1) / detail::sum_of_row(x.data() + r * c, c, out).sum;
#pragma omp simd
    for (Index k = 0; k < c; ++k) out[k] *= share;
  });
  return y;
}

/// ln(softmax(x)) along the last axis.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> log_softmax(const Tensor<CpuOf<T>>& x) {
  const Index c = x.shape().back();
  Tensor<CpuOf<T>> y(x.shape());
  detail::for_softmax_rows(x.size() / c, c, [&](Index r) {
    const T* const in = x.data() + r * c;
    T* const out = y.data() + r * c;
    const auto [top, sum] = detail::sum_of_row(in, c);
    const T log = std::log(sum), shift = top;
#pragma omp simd
    for (Index k = 0; k < c; ++k) out[k] = (in[k] - shift) - log;
  });
  return y;
}

template <class T>
struct CrossEntropy {
  Tensor<CpuOf<T>> mean;  ///< (1)
  Tensor<CpuOf<T>> rows;  ///< (n, 2): largest logit, sum of e^(logit - largest)
};

/// The mean over rows of -ln(softmax(x)) at a position of each row; x (n, c), positions (n) flat, in x.
template <class T>
[[nodiscard]] CrossEntropy<T> cross_entropy(const Tensor<CpuOf<T>>& x, const Tensor<CpuOf<std::int32_t>>& positions) {
  const Index n = x.dim(0), c = x.dim(1);
  CrossEntropy<T> out{Tensor<CpuOf<T>>(Shape{1}), Tensor<CpuOf<T>>(Shape{n, 2})};
  Tensor<CpuOf<T>> losses(Shape{n});
  detail::for_softmax_rows(n, c, [&](Index r) {
    const auto [top, sum] = detail::sum_of_row(x.data() + r * c, c);
    losses.data()[r] = std::log(sum) - (x.data()[positions.data()[r]] - top);
    out.rows.data()[2 * r] = top;
    out.rows.data()[2 * r + 1] = sum;
  });
  detail::sum_middle(losses.data(), out.mean.data(), 1, n, 1);
  out.mean.data()[0] /= static_cast<T>(n);
  return out;
}

/// Its gradient in x for the upstream gradient g (1): (softmax(x) - one at the positions) g / n.
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> cross_entropy_gradient(const Tensor<CpuOf<T>>& g, const Tensor<CpuOf<T>>& x,
                                                      const Tensor<CpuOf<T>>& rows,
                                                      const Tensor<CpuOf<std::int32_t>>& positions) {
  const Index n = x.dim(0), c = x.dim(1);
  Tensor<CpuOf<T>> dx(x.shape());
  const T share = g.data()[0] / static_cast<T>(n);
  detail::for_softmax_rows(n, c, [&](Index r) {
    const T top = rows.data()[2 * r], factor = share / rows.data()[2 * r + 1];
    T* const out = dx.data() + r * c;
    detail::by_registers(x.data() + r * c, c, [&](auto in, Index k, Index count) {
      detail::store_some<T>(out + k, detail::exponentials<T>(in - top) * factor, count);
    });
    dx.data()[positions.data()[r]] -= share;
  });
  return dx;
}

}  // namespace limn::kernel
