// Blocks of a matrix product that stay in registers: the innermost loops of the convolutions. Written with the
// compiler's vector types, so that one text serves AVX-512, AVX2 and everything else.
#pragma once

#include <utility>

#include "limn/core/config.hpp"

namespace limn::kernel::detail {

#if defined(__AVX512F__)
inline constexpr int vector_bytes = 64, block_rows = 14, low_block_rows = 8;  // 14 rows of two vectors, of 32 registers
#elif defined(__AVX__)
inline constexpr int vector_bytes = 32, block_rows = 6, low_block_rows = 4;  // of 16 registers
#else
inline constexpr int vector_bytes = 16, block_rows = 6, low_block_rows = 4;
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

/// Calls body(std::integral_constant<int, 0>) to Count - 1, one after the other, with no loop left.
template <int Count, class Body>
[[gnu::always_inline]] inline void unrolled(const Body& body) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (body(std::integral_constant<int, I>{}), ...); }
  (std::make_integer_sequence<int, Count>{});
}

/// out[r][0 to Vectors registers) = the sum over taps t and i < depth of rows[t][r][i] * panel[t][i][...]. Every row is
/// found by its own pointer: rows[t * block_rows + r]. The panel is Vectors registers wide, without gaps.
template <class T, int Vectors>
[[gnu::noinline]] void rows_times_panel(const T* const* rows, Index taps, Index depth, const T* panel, T* out,
                                        Index stride) {
  using R = Register<T>;
  typename R::Value sum[block_rows][Vectors] = {};
  for (; taps > 0; --taps, rows += block_rows) {
    const T* row[block_rows];
    unrolled<block_rows>([&](auto r) { row[r] = rows[r]; });
    for (Index i = 0; i < depth; ++i, panel += Vectors * lanes<T>) {
      typename R::Value right[Vectors];
      unrolled<Vectors>([&](auto v) { right[v] = R::load(panel + v * lanes<T>); });
      unrolled<block_rows>([&](auto r) {
        const T left = row[r][i];
        unrolled<Vectors>([&](auto v) { sum[r][v] += left * right[v]; });
      });
    }
  }
  unrolled<block_rows>(
      [&](auto r) { unrolled<Vectors>([&](auto v) { R::store(out + r * stride + v * lanes<T>, sum[r][v]); }); });
}

/// out[r][0 to Vectors registers) += the sum over p < count of left[p][r] * right[p][...], for Rows values of r. Both
/// factors lie without gaps.
template <class T, int Rows, int Vectors>
[[gnu::noinline]] void add_outer_products(const T* left, const T* right, Index count, T* out, Index stride) {
  using R = Register<T>;
  typename R::Value sum[Rows][Vectors];
  unrolled<Rows>(
      [&](auto r) { unrolled<Vectors>([&](auto v) { sum[r][v] = R::load(out + r * stride + v * lanes<T>); }); });
  for (Index p = 0; p < count; ++p, left += Rows, right += Vectors * lanes<T>) {
    typename R::Value row[Vectors];
    unrolled<Vectors>([&](auto v) { row[v] = R::load(right + v * lanes<T>); });
    unrolled<Rows>([&](auto r) {
      const T factor = left[r];
      unrolled<Vectors>([&](auto v) { sum[r][v] += factor * row[v]; });
    });
  }
  unrolled<Rows>(
      [&](auto r) { unrolled<Vectors>([&](auto v) { R::store(out + r * stride + v * lanes<T>, sum[r][v]); }); });
}

}  // namespace limn::kernel::detail
