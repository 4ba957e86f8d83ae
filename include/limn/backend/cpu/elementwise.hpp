// Element-wise loops with broadcasting. Axes that all operands treat alike are merged first, so nearly every call is
// one long loop.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel {

namespace detail {

/// Extents and strides after merging. Operand k moves by stride[k][i] when axis i moves by one.
template <std::size_t N>
struct Loop {
  int rank = 0;
  std::array<Index, Shape::max_rank> extent{};
  std::array<std::array<Index, Shape::max_rank>, N> stride{};
};

template <std::size_t N>
Loop<N> merge(const Shape& out, const std::array<Shape, N>& in) {
  Loop<N> loop;
  std::array<Index, N> step{};
  for (std::size_t k = 0; k < N; ++k) step[k] = 1;
  // From the last axis to the first; an axis joins the one after it when it continues every operand.
  std::array<std::array<Index, Shape::max_rank>, N> stride{};
  std::array<Index, Shape::max_rank> extent{};
  int count = 0;
  for (int axis = out.rank() - 1; axis >= 0; --axis) {
    std::array<Index, N> here{};
    for (std::size_t k = 0; k < N; ++k) {
      const int a = axis - (out.rank() - in[k].rank());
      const Index e = a < 0 ? 1 : in[k][a];
      here[k] = e == 1 ? 0 : step[k];
      step[k] *= e;
    }
    if (out[axis] == 1) continue;
    bool joins = count > 0;
    for (std::size_t k = 0; joins && k < N; ++k)
      joins = here[k] == stride[k][static_cast<std::size_t>(count - 1)] * extent[static_cast<std::size_t>(count - 1)];
    if (joins) {
      extent[static_cast<std::size_t>(count - 1)] *= out[axis];
    } else {
      for (std::size_t k = 0; k < N; ++k) stride[k][static_cast<std::size_t>(count)] = here[k];
      extent[static_cast<std::size_t>(count++)] = out[axis];
    }
  }
  if (count == 0) {
    extent[0] = out.size();
    count = 1;
  }
  loop.rank = count;  // stored innermost first
  loop.extent = extent;
  loop.stride = stride;
  return loop;
}

/// One row of the innermost axis. Strides of 1 and 0 get loops of their own, which the compiler turns into vectors.
template <class F, class T, class A>
inline void row(const F& f, Index n, T* out, const A* a, Index sa) {
  if (sa == 1) {
#pragma omp simd
    for (Index i = 0; i < n; ++i) out[i] = f(a[i]);
  } else {
    for (Index i = 0; i < n; ++i) out[i] = f(a[i * sa]);
  }
}
template <class F, class T, class A, class C>
inline void row(const F& f, Index n, T* out, const A* a, Index sa, const C* b, Index sb) {
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
inline void row(const F& f, Index n, T* out, const A* a, Index sa, const C* b, Index sb, const D* c, Index sc) {
  for (Index i = 0; i < n; ++i) out[i] = f(a[i * sa], b[i * sb], c[i * sc]);
}

}  // namespace detail

/// out = f(x...) where every operand has extent 1 or that of `shape` along each axis (missing axes are in front).
template <class T, class F, class... In>
[[nodiscard]] Tensor<CpuOf<T>> elementwise(const F& f, const Shape& shape, const Tensor<CpuOf<T>>& first,
                                           const In&... rest) {
  constexpr std::size_t count = 1 + sizeof...(In);
  Tensor<CpuOf<T>> out(shape);
  if (out.size() == 0) return out;
  const auto loop = detail::merge<count>(shape, std::array<Shape, count>{first.shape(), rest.shape()...});
  constexpr Index piece = 16384;
  const auto run = [&](Index row_length, Index done, const std::array<Index, count>& at) {
    [&]<std::size_t... K>(std::index_sequence<K...>, const auto*... in) {
      const auto call = [&](auto... pairs) {
        std::apply([&](auto... flat) { detail::row(f, row_length, out.data() + done, flat...); },
                   std::tuple_cat(pairs...));
      };
      call(std::make_tuple(in + at[K], loop.stride[K][0])...);
    }
    (std::make_index_sequence<count>{}, first.data(), rest.data()...);
  };
  const Index inner = loop.extent[0], rows = shape.size() / inner;
  if (loop.rank == 1) {
    parallel_pieces(inner, piece, [&](Index begin, Index end) {
      std::array<Index, count> at{};
      for (std::size_t k = 0; k < count; ++k) at[k] = begin * loop.stride[k][0];
      run(end - begin, begin, at);
    });
    return out;
  }
  parallel_pieces(rows, std::max<Index>(1, piece / inner), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      std::array<Index, count> at{};
      Index left = r;
      for (int axis = 1; axis < loop.rank; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const Index i = left % loop.extent[a];
        left /= loop.extent[a];
        for (std::size_t k = 0; k < count; ++k) at[k] += i * loop.stride[k][a];
      }
      run(inner, r * inner, at);
    }
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
