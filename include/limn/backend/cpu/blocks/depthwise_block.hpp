// The innermost loops of the depthwise convolution: sums over a window, channel by channel, that stay in registers. In
// NHWC a register holds neighbouring channels of one position; a block of neighbouring columns shares the numbers and
// weights that were loaded.
#pragma once

#include <algorithm>

#include "limn/backend/cpu/blocks/channels.hpp"

namespace limn::kernel::detail {

/// The part of a window that lies in the image, from its first number and weight on; steps are distances in memory.
template <class T>
struct WindowPart {
  const T *in, *weight;
  Index rows, taps, in_row, in_tap, weight_row, weight_tap;
};

/// Columns that are summed together. Few: more gain nothing where the numbers come from far.
inline constexpr int block_of_columns = 4;

/// out[j * out_step] = the sum over a window of in[j * in_step], for a block of columns j and channels [from, to).
/// Where channels do not fill the last register, it takes some of those before along, which get the same sum again: no
/// register ends behind channel `last`. Dense: in_step is in_tap, so that neighbours share numbers. Rows, Taps: those
/// of the window, where the compiler shall know; or 0.
template <class T, int Lanes, bool Dense, int Rows, int Taps>
[[gnu::noinline]] void sum_window(const WindowPart<T>& window, Index in_step, Index from, Index to, Index last, T* out,
                                  Index out_step) {
  using V = Channels<T, Lanes>;
  constexpr int columns = block_of_columns, side = Taps == 1 || Taps == 2 ? Taps : 3;  // taps that are met at once
  const Index rows = Rows > 0 ? Rows : window.rows, size = Taps > 0 ? Taps : window.taps;
  const Index step = window.in_tap, weight_step = window.weight_tap;
  for (; from < to; from += Lanes) {
    const Index at = std::min(from, last - Lanes);
    typename V::Value sum[columns] = {};
    const T *in_row = window.in + at, *weight_row = window.weight + at;
#pragma GCC unroll 3
    for (Index row = 0; row < rows; ++row, in_row += window.in_row, weight_row += window.weight_row) {
      const T *in = in_row, *weight = weight_row;
      Index taps = size;
      if constexpr (Dense)
        for (; taps >= side; taps -= side, in += side * step, weight += side * weight_step) {
          typename V::Value factor[side];
#pragma GCC unroll 3
          for (int t = 0; t < side; ++t) factor[t] = V::load(weight + t * weight_step);
          const T* column = in;
#pragma GCC unroll 16
          for (int j = 0; j < columns + side - 1; ++j, column += step) {
            const auto value = V::load(column);
#pragma GCC unroll 3
            for (int t = side - 1; t >= 0; --t)
              if (j >= t && j - t < columns) sum[j - t] += value * factor[t];
          }
        }
#pragma GCC unroll 3
      for (; taps > 0; --taps, in += step, weight += weight_step) {
        const auto factor = V::load(weight);
        const T* column = in;
#pragma GCC unroll 16
        for (int j = 0; j < columns; ++j, column += in_step) sum[j] += V::load(column) * factor;
      }
    }
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) V::store(out + at + j * out_step, sum[j]);
  }
}

/// The same for one column, whose window may be cut by an edge. Side registers of channels are summed side by side: one
/// sum alone would wait for itself.
template <class T, int Lanes, int Side>
void sum_cut_window(const WindowPart<T>& window, Index at, T* out) {
  using V = Channels<T, Lanes>;
  typename V::Value sum[Side] = {};
  const T *in_row = window.in + at, *weight_row = window.weight + at;
  for (Index row = 0; row < window.rows; ++row, in_row += window.in_row, weight_row += window.weight_row) {
    const T *in = in_row, *weight = weight_row;
    for (Index tap = 0; tap < window.taps; ++tap, in += window.in_tap, weight += window.weight_tap)
#pragma GCC unroll 8
      for (int s = 0; s < Side; ++s) sum[s] += V::load(in + s * Lanes) * V::load(weight + s * Lanes);
  }
#pragma GCC unroll 8
  for (int s = 0; s < Side; ++s) V::store(out + at + s * Lanes, sum[s]);
}
template <class T, int Lanes>
[[gnu::noinline]] void sum_cut_window(const WindowPart<T>& window, Index from, Index to, Index last, T* out) {
  constexpr Index four = Index{4} * Lanes;
  for (; from + four <= to; from += four) sum_cut_window<T, Lanes, 4>(window, from, out);
  for (; from < to; from += Lanes) sum_cut_window<T, Lanes, 1>(window, std::min(from, last - Lanes), out);
}

/// sums[row * sums_row + tap * sums_tap] += the sum over columns j of y[j * c] times x[row * x_row + tap * c + j *
/// in_step], for Rows and Taps of a window and channels [from, to) of c. A register that takes channels of the one
/// before along has sums of its own, from `from` on. Dense: in_step is c.
template <class T, int Lanes, int Rows, int Taps, bool Dense>
[[gnu::noinline]] void add_window_products(const T* x, Index x_row, Index in_step, const T* y, Index columns,
                                           Index from, Index to, Index c, T* sums, Index sums_row, Index sums_tap) {
  using V = Channels<T, Lanes>;
  constexpr int block = block_of_columns;
  for (; from < to; from += Lanes) {
    const Index at = std::min(from, c - Lanes);
    const T *left = y + at, *right = x + at;
    typename V::Value sum[Rows][Taps];
#pragma GCC unroll 3
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
      for (int t = 0; t < Taps; ++t) sum[r][t] = V::load(sums + from + r * sums_row + t * sums_tap);
    Index j = 0;
    if constexpr (Dense)
      for (; j + block <= columns; j += block, left += block * c, right += block * c) {
        typename V::Value factor[block];
#pragma GCC unroll 8
        for (int b = 0; b < block; ++b) factor[b] = V::load(left + b * c);
#pragma GCC unroll 3
        for (int r = 0; r < Rows; ++r) {
          const T* column = right + r * x_row;
#pragma GCC unroll 16
          for (int i = 0; i < block + Taps - 1; ++i, column += c) {
            const auto value = V::load(column);
#pragma GCC unroll 3
            for (int t = 0; t < Taps; ++t)
              if (i >= t && i - t < block) sum[r][t] += value * factor[i - t];
          }
        }
      }
    for (; j < columns; ++j, left += c, right += in_step) {
      const auto factor = V::load(left);
#pragma GCC unroll 3
      for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
        for (int t = 0; t < Taps; ++t) sum[r][t] += V::load(right + r * x_row + t * c) * factor;
    }
#pragma GCC unroll 3
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
      for (int t = 0; t < Taps; ++t) V::store(sums + from + r * sums_row + t * sums_tap, sum[r][t]);
  }
}

/// The same for any number of rows and taps.
template <class T, int Lanes>
void add_window_products(const T* x, Index x_row, Index in_step, const T* y, Index columns, Index rows, Index taps,
                         Index from, Index to, Index c, T* sums, Index sums_row, Index sums_tap) {
  const auto add = [&](auto* kernel, Index row, Index tap) {
    kernel(x + row * x_row + tap * c, x_row, in_step, y, columns, from, to, c, sums + row * sums_row + tap * sums_tap,
           sums_row, sums_tap);
  };
  const auto three_by_three =
      in_step == c ? add_window_products<T, Lanes, 3, 3, true> : add_window_products<T, Lanes, 3, 3, false>;
  Index tap = 0;
  for (; taps - tap >= 3; tap += 3) {
    Index row = 0;
    for (; rows - row >= 3; row += 3) add(three_by_three, row, tap);
    if (rows - row == 2) add(add_window_products<T, Lanes, 2, 3, false>, row, tap);
    if (rows - row == 1) add(add_window_products<T, Lanes, 1, 3, false>, row, tap);
  }
  for (; tap < taps; ++tap) {
    Index row = 0;
    for (; rows - row >= 3; row += 3) add(add_window_products<T, Lanes, 3, 1, false>, row, tap);
    for (; row < rows; ++row) add(add_window_products<T, Lanes, 1, 1, false>, row, tap);
  }
}

}  // namespace limn::kernel::detail
