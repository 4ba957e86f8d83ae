// Blocks of a matrix product that stay in registers: the innermost loops of the convolutions. Written with the
// compiler's vector types, so that one text serves AVX-512, AVX2 and everything else.
#pragma once

#include <utility>

#include "limn/core/config.hpp"

namespace limn::kernel::detail {

#if defined(__AVX512F__)
inline constexpr int vector_bytes = 64, block_rows = 14, outer_rows = 8;  // of 32 registers
#elif defined(__AVX__)
inline constexpr int vector_bytes = 32, block_rows = 6, outer_rows = 4;  // of 16
#else
inline constexpr int vector_bytes = 16, block_rows = 6, outer_rows = 4;
#endif

/// Numbers in a vector register, and the columns of a block: two registers.
template <class T>
inline constexpr Index lanes = vector_bytes / static_cast<Index>(sizeof(T));
template <class T>
inline constexpr Index block_columns = 2 * lanes<T>;

/// A register, and the same read from anywhere in memory.
template <class T>
struct Register {
  using Value [[gnu::vector_size(vector_bytes)]] = T;
  using InMemory [[gnu::vector_size(vector_bytes), gnu::aligned(alignof(T)), gnu::may_alias]] = T;
  static Value load(const T* from) { return *reinterpret_cast<const InMemory*>(from); }
  static void store(T* to, Value value) { *reinterpret_cast<InMemory*>(to) = value; }
};

/// out[r][0 to Vectors registers) = or, with `add`, += the sum over taps t and i < depth of rows[t][r][i] *
/// panel[t][i][...]. Every row is found by its own pointer: rows[t * Rows + r]. The panel is Vectors registers wide,
/// without gaps.
template <class T, int Vectors, int Rows = block_rows>
[[gnu::noinline]] void rows_times_panel(const T* const* rows, Index taps, Index depth, const T* panel, bool add, T* out,
                                        Index stride) {
  using R = Register<T>;
  typename R::Value sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      T* const to = out + r * stride + v * lanes<T>;
      sum[r][v] = add ? R::load(to) : typename R::Value{};
      __builtin_prefetch(to, 1);  // it is there by the time that the sum is
    }
  for (; taps > 0; --taps, rows += Rows) {
    const T* row[Rows];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) row[r] = rows[r];
    for (Index i = 0; i < depth; ++i, panel += Vectors * lanes<T>) {
      typename R::Value right[Vectors];
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) right[v] = R::load(panel + v * lanes<T>);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const T left = row[r][i];
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v) sum[r][v] += left * right[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) R::store(out + r * stride + v * lanes<T>, sum[r][v]);
}

/// out[r][0 to Vectors registers) = or, with `add`, += the sum over p < count of left[p][r] * right[p][...], for
/// outer_rows values of r. The steps are the distances of rows in memory. Meanwhile memory from `ahead` on is fetched
/// into the second-level cache, `ahead_step` numbers for every p.
template <class T, int Vectors>
[[gnu::noinline]] void add_outer_products(const T* left, Index left_step, const T* right, Index right_step, Index count,
                                          bool add, T* out, Index stride, const T* ahead, Index ahead_step) {
  using R = Register<T>;
  typename R::Value sum[outer_rows][Vectors];
#pragma GCC unroll 16
  for (int r = 0; r < outer_rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sum[r][v] = add ? R::load(out + r * stride + v * lanes<T>) : typename R::Value{};
  for (Index p = 0; p < count; ++p, left += left_step, right += right_step, ahead += ahead_step) {
    __builtin_prefetch(ahead, 0, 2);
    typename R::Value row[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) row[v] = R::load(right + v * lanes<T>);
#pragma GCC unroll 16
    for (int r = 0; r < outer_rows; ++r) {
      const T factor = left[r];
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sum[r][v] += factor * row[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < outer_rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) R::store(out + r * stride + v * lanes<T>, sum[r][v]);
}

}  // namespace limn::kernel::detail
