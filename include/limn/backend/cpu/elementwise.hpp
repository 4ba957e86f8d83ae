// Element-wise loops with broadcasting. Axes that all operands treat alike are merged first, so nearly every call is
// one long loop.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// How operands lie along the axes of the result, after merging: operand k moves by stride[k][i] when axis i, counted
/// from the innermost, moves by one.
struct Loop {
  static constexpr std::size_t most = 3;  // operands
  using Axes = std::array<Index, Shape::max_rank>;
  int rank = 0;
  Axes extent{};
  std::array<Axes, most> stride{};
};

[[gnu::noinline]] inline Loop merge(const Shape& out, std::initializer_list<Shape> in) {
  Loop loop;
  std::array<Index, Loop::most> step{1, 1, 1};
  // From the last axis to the first; an axis joins the one after it when it continues every operand.
  for (int axis = out.rank() - 1; axis >= 0; --axis) {
    std::array<Index, Loop::most> here{};
    for (std::size_t k = 0; k < in.size(); ++k) {
      const int a = axis - (out.rank() - in.begin()[k].rank());
      const Index e = a < 0 ? 1 : in.begin()[k][a];
      here[k] = e == 1 ? 0 : step[k];
      step[k] *= e;
    }
    if (out[axis] == 1) continue;
    const auto last = static_cast<std::size_t>(loop.rank - 1);
    bool joins = loop.rank > 0;
    for (std::size_t k = 0; joins && k < in.size(); ++k) joins = here[k] == loop.stride[k][last] * loop.extent[last];
    if (joins) {
      loop.extent[last] *= out[axis];
    } else {
      for (std::size_t k = 0; k < in.size(); ++k) loop.stride[k][last + 1] = here[k];
      loop.extent[last + 1] = out[axis];
      ++loop.rank;
    }
  }
  if (loop.rank == 0) {
    loop.extent[0] = out.size();
    loop.rank = 1;
  }
  return loop;
}

/// Calls body(length, done, at) for every row of the innermost axis, and for pieces of it where it is the only one:
/// `length` elements from `done` of the result on; operand k begins at at[k].
[[gnu::noinline]] inline void for_rows(const Loop& loop, Index size,
                                       const FunctionRef<void(Index, Index, const Index*)>& body) {
  constexpr Index piece = 16384;
  const Index inner = loop.extent[0];
  if (loop.rank == 1) {
    parallel_pieces(inner, piece, [&](Index begin, Index end) {
      std::array<Index, Loop::most> at{};
      for (std::size_t k = 0; k < Loop::most; ++k) at[k] = begin * loop.stride[k][0];
      body(end - begin, begin, at.data());
    });
    return;
  }
  parallel_pieces(size / inner, std::max<Index>(1, piece / inner), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      std::array<Index, Loop::most> at{};
      Index left = r;
      for (int axis = 1; axis < loop.rank; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const Index i = left % loop.extent[a];
        left /= loop.extent[a];
        for (std::size_t k = 0; k < Loop::most; ++k) at[k] += i * loop.stride[k][a];
      }
      body(inner, r * inner, at.data());
    }
  });
}

/// One row of the innermost axis. Strides of 1 and 0 get loops of their own, which the compiler turns into vectors.
template <class F, class T, class A>
inline void row(const F& f, Index n, T* out, std::pair<const A*, Index> first) {
  const A* const a = first.first;
  const Index sa = first.second;
  if (sa == 1) {
#pragma omp simd
    for (Index i = 0; i < n; ++i) out[i] = f(a[i]);
  } else {
    for (Index i = 0; i < n; ++i) out[i] = f(a[i * sa]);
  }
}
template <class F, class T, class A, class C>
inline void row(const F& f, Index n, T* out, std::pair<const A*, Index> first, std::pair<const C*, Index> second) {
  const A* const a = first.first;
  const Index sa = first.second;
  const C* const b = second.first;
  const Index sb = second.second;
  if (sa == 1 && sb == 1) {
#pragma omp simd
    for (Index i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
  } else if (sa == 1 && sb == 0) {
    const C s = *b;
#pragma omp simd
    for (Index i = 0; i < n; ++i) out[i] = f(a[i], s);
  } else if (sa == 0 && sb == 1) {
    const A s = *a;
#pragma omp simd
    for (Index i = 0; i < n; ++i) out[i] = f(s, b[i]);
  } else {
    for (Index i = 0; i < n; ++i) out[i] = f(a[i * sa], b[i * sb]);
  }
}
template <class F, class T, class A, class C, class D>
inline void row(const F& f, Index n, T* out, std::pair<const A*, Index> first, std::pair<const C*, Index> second,
                std::pair<const D*, Index> third) {
  const A* const a = first.first;
  const Index sa = first.second;
  const C* const b = second.first;
  const Index sb = second.second;
  const D* const c = third.first;
  const Index sc = third.second;
  for (Index i = 0; i < n; ++i) out[i] = f(a[i * sa], b[i * sb], c[i * sc]);
}

}  // namespace detail

/// out = f(x...) where every operand has extent 1 or that of `shape` along each axis (missing axes are in front).
template <class T, class F, class... In>
[[nodiscard]] Tensor<CpuOf<T>> elementwise(const F& f, const Shape& shape, const Tensor<CpuOf<T>>& first,
                                           const In&... rest) {
  static_assert(1 + sizeof...(In) <= detail::Loop::most);
  Tensor<CpuOf<T>> out(shape);
  if (out.size() == 0) return out;
  const detail::Loop loop = detail::merge(shape, {first.shape(), rest.shape()...});
  detail::for_rows(loop, out.size(), [&](Index length, Index done, const Index* at) {
    [&]<std::size_t... K>(std::index_sequence<K...>, const auto*... in) {
      detail::row(f, length, out.data() + done, std::pair(in + at[K], loop.stride[K][0])...);
    }
    (std::index_sequence_for<T, In...>{}, first.data(), rest.data()...);
  });
  return out;
}

/// Repeats x along the axes in which it has extent 1 (or that it lacks, in front).
template <class T>
[[nodiscard]] Tensor<CpuOf<T>> repeat_to(const Tensor<CpuOf<T>>& x, const Shape& shape) {
  return elementwise([](T v) { return v; }, shape, x);
}

/// a += b, same shape, in place.
template <class T>
void accumulate(Tensor<CpuOf<T>>& a, const Tensor<CpuOf<T>>& b) {
  T* const to = a.data();
  const T* const from = b.data();
  parallel_pieces(a.size(), 16384, [&](Index begin, Index end) {
#pragma omp simd
    for (Index i = begin; i < end; ++i) to[i] += from[i];
  });
}

}  // namespace limn::kernel
