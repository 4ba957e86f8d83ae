// Winograd's algorithms F(4x4, 3x3) and F(2x2, 3x3) along one axis (Lavin and Gray 2016), on numbers or registers: for
// tiles of 4 outputs by the points 0, 1, -1, 2, -2 and infinity, for tiles of 2 by 0, 1, -1 and infinity. Each step
// reads `in` values and writes `out`.
#pragma once

#include <type_traits>

#include "limn/core/config.hpp"

namespace limn::kernel::detail {

struct F4 {
  static constexpr Index tile = 4, patch = 6, products = patch * patch;

  /// A patch of the input: 6 -> 6.
  struct Input {
    static constexpr Index in = 6, out = 6;
    template <class V>
    static void apply(const V* d, V* to) {
      const V d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4], d5 = d[5];
      const V even = d4 - d2 * 4, odd = d3 - d1 * 4, two = d4 - d2, twice = (d3 - d1) * 2;
      to[0] = d0 * 4 - d2 * 5 + d4;
      to[1] = even + odd;
      to[2] = even - odd;
      to[3] = two + twice;
      to[4] = two - twice;
      to[5] = d1 * 4 - d3 * 5 + d5;
    }
  };
  /// A tile of the output: 6 -> 4.
  struct Output {
    static constexpr Index in = 6, out = 4;
    template <class V>
    static void apply(const V* m, V* to) {
      const V m1 = m[1], m2 = m[2], m3 = m[3], m4 = m[4];
      const V a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
      to[0] = m[0] + a + c;
      to[1] = b + d * 2;
      to[2] = a + c * 4;
      to[3] = b + d * 8 + m[5];
    }
  };
  /// The weight: 3 -> 6.
  struct Weight {
    static constexpr Index in = 3, out = 6;
    template <class V>
    static void apply(const V* g, V* to) {
      using S = std::remove_cvref_t<decltype(g[0][0])>;
      const V g0 = g[0], g1 = g[1], g2 = g[2];
      const V near = (g0 + g2) * S(-1. / 6), far = g0 * S(1. / 24) + g2 * S(1. / 6);
      to[0] = g0 * S(.25);
      to[1] = near - g1 * S(1. / 6);
      to[2] = near + g1 * S(1. / 6);
      to[3] = far + g1 * S(1. / 12);
      to[4] = far - g1 * S(1. / 12);
      to[5] = g2;
    }
  };
  /// The adjoint of Output: 4 -> 6.
  struct OutputAdjoint {
    static constexpr Index in = 4, out = 6;
    template <class V>
    static void apply(const V* y, V* to) {
      const V y0 = y[0], y1 = y[1], y2 = y[2], y3 = y[3];
      const V even = y0 + y2, odd = y1 + y3, far = y0 + y2 * 4, twice = y1 * 2 + y3 * 8;
      to[0] = y0;
      to[1] = even + odd;
      to[2] = even - odd;
      to[3] = far + twice;
      to[4] = far - twice;
      to[5] = y3;
    }
  };
  /// The adjoint of Weight: 6 -> 3.
  struct WeightAdjoint {
    static constexpr Index in = 6, out = 3;
    template <class V>
    static void apply(const V* m, V* to) {
      using S = std::remove_cvref_t<decltype(m[0][0])>;
      const V m1 = m[1], m2 = m[2], m3 = m[3], m4 = m[4];
      const V near = (m1 + m2) * S(1. / 6), far = m3 + m4;
      to[0] = m[0] * S(.25) - near + far * S(1. / 24);
      to[1] = (m2 - m1) * S(1. / 6) + (m3 - m4) * S(1. / 12);
      to[2] = far * S(1. / 6) - near + m[5];
    }
  };
};

struct F2 {
  static constexpr Index tile = 2, patch = 4, products = patch * patch;

  /// 4 -> 4
  struct Input {
    static constexpr Index in = 4, out = 4;
    template <class V>
    static void apply(const V* d, V* to) {
      const V d1 = d[1], d2 = d[2];
      to[0] = d[0] - d2;
      to[1] = d1 + d2;
      to[2] = d2 - d1;
      to[3] = d[3] - d1;
    }
  };
  /// 4 -> 2
  struct Output {
    static constexpr Index in = 4, out = 2;
    template <class V>
    static void apply(const V* m, V* to) {
      const V m1 = m[1], m2 = m[2];
      to[0] = m[0] + m1 + m2;
      to[1] = m1 - m2 + m[3];
    }
  };
  /// 3 -> 4
  struct Weight {
    static constexpr Index in = 3, out = 4;
    template <class V>
    static void apply(const V* g, V* to) {
      using S = std::remove_cvref_t<decltype(g[0][0])>;
      const V g0 = g[0], g2 = g[2], outer = (g0 + g2) * S(.5), middle = g[1] * S(.5);
      to[0] = g0;
      to[1] = outer + middle;
      to[2] = outer - middle;
      to[3] = g2;
    }
  };
  /// 2 -> 4
  struct OutputAdjoint {
    static constexpr Index in = 2, out = 4;
    template <class V>
    static void apply(const V* y, V* to) {
      const V y0 = y[0], y1 = y[1];
      to[0] = y0;
      to[1] = y0 + y1;
      to[2] = y0 - y1;
      to[3] = y1;
    }
  };
  /// 4 -> 3
  struct WeightAdjoint {
    static constexpr Index in = 4, out = 3;
    template <class V>
    static void apply(const V* m, V* to) {
      using S = std::remove_cvref_t<decltype(m[0][0])>;
      const V m1 = m[1], m2 = m[2], half = (m1 + m2) * S(.5);
      to[0] = m[0] + half;
      to[1] = (m1 - m2) * S(.5);
      to[2] = half + m[3];
    }
  };
};

/// A step along both axes: from in x in values, read(row, column), to write(row, column, value) for rows [begin, end)
/// of out x out.
template <class Step, class V, class Read, class Write>
inline void along_both(const Read& read, const Write& write, Index begin = 0, Index end = Step::out) {
  V half[Step::out][Step::in];
#pragma GCC unroll 6
  for (Index j = 0; j < Step::in; ++j) {
    V column[Step::in], out[Step::out];
#pragma GCC unroll 6
    for (Index i = 0; i < Step::in; ++i) column[i] = read(i, j);
    Step::apply(column, out);
#pragma GCC unroll 6
    for (Index i = 0; i < Step::out; ++i) half[i][j] = out[i];
  }
  for (Index i = begin; i < end; ++i) {
    V out[Step::out];
    Step::apply(half[i], out);
#pragma GCC unroll 6
    for (Index j = 0; j < Step::out; ++j) write(i, j, out[j]);
  }
}

}  // namespace limn::kernel::detail
