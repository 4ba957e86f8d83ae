// 3x3 convolutions with stride one by Winograd's algorithm (Lavin and Gray 2016): 36 products for a tile of 4 x 4
// outputs in place of 144, or 16 for one of 2 x 2 in place of 36. Tiles are transformed to matrices (tiles x channels),
// these are multiplied on the blocks of the other convolutions, and the products are transformed back. Sums are in an
// order that depends on sizes alone. In float errors are below 1e-4 of the largest value on ResNet-18's layers
// (tests/backend/test_winograd.cpp); set_winograd(false) takes the windows as they are.
#pragma once

#include <algorithm>
#include <atomic>

#include "limn/backend/cpu/blocks/winograd_tiles.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/shape.hpp"

namespace limn {

namespace detail {
inline std::atomic<bool>& winograd_switch() {
  static std::atomic<bool> on = true;
  return on;
}
}  // namespace detail

/// Whether 3x3 convolutions use Winograd's algorithm where it is faster.
inline void set_winograd(bool on) { detail::winograd_switch() = on; }
[[nodiscard]] inline bool winograd() { return detail::winograd_switch(); }

namespace kernel::detail {

/// The algorithm for a 3x3 window on n images of h x w x c with k channels of output: the one with fewer products. Null
/// where none fits, or where there are fewer than `fewest` tiles: too few to be worth the transformed weight.
template <class T>
const Algorithm<T>* winograd_for(Index n, Index h, Index w, Index c, Index k, const Window& win,
                                 Index fewest = Index{2} * block_rows) {
  const bool fits = win.kernel_h == 3 && win.kernel_w == 3 && win.stride_h == 1 && win.stride_w == 1 &&
                    c % lanes<T> == 0 && k % lanes<T> == 0 && k % outer_rows == 0;
  if (!fits || !winograd()) return nullptr;
  const Tiles four{4, n, win.out_h(h), win.out_w(w)}, two{2, n, four.height, four.width};
  const Index products_four = algorithm<F4, T>.products() * four.count(),
              products_two = algorithm<F2, T>.products() * two.count();
  if (std::min(products_four, products_two) > 6 * n * four.height * four.width) return nullptr;
  const bool smaller = products_two < products_four;
  if ((smaller ? two : four).count() < fewest) return nullptr;
  return smaller ? &algorithm<F2, T> : &algorithm<F4, T>;
}

/// out = or, with `add`, += columns [from, from + weight.rows) of the transformed tiles [row, row + count) times the
/// transformed weight.
template <class T>
[[gnu::noinline]] void multiply_tiles(Index products, const Matrices<T>& input, Index row, Index count, Index from,
                                      const Matrices<T>& weight, bool add, const Matrices<T>& out) {
  // Blocks of many rows, and one of fewer for a rest that it holds; or only those where that leaves much less empty.
  constexpr Index many = block_rows, few = outer_rows;
  const Index rest = count % many, only = (count + few - 1) / few;
  Index tall = count / many + (rest > few), low = rest > 0 && rest <= few;
  if (only * few * 12 < (tall * many + low * few) * 11) tall = 0, low = only;
  for (Index column = 0; column < weight.columns; column += weight.panel) {
    const bool narrow = weight.panel == lanes<T>;
    const auto tall_block = narrow ? rows_times_panel<T, 1> : rows_times_panel<T, 2>;
    const auto low_block = narrow ? rows_times_panel<T, 1, few> : rows_times_panel<T, 2, few>;
    const T* panel = weight.at(0, 0, column);
    const T* left = input.at(0, row, from);
    T* to = out.at(0, 0, column);
    for (Index e = 0; e < products; ++e, panel += weight.step, left += input.step, to += out.step) {
      const T* rows[many];
      for (Index i = 0, r = 0; i < tall + low; ++i) {
        const Index height = i < tall ? many : few;
        for (Index j = 0; j < height; ++j) rows[j] = left + std::min(r + j, count - 1) * input.stride;
        (i < tall ? tall_block : low_block)(rows, 1, weight.rows, panel, add, to + r * out.stride, out.stride);
        r += height;
      }
    }
  }
}

/// The width of panels that fill so many columns: a block's or, where that leaves a rest, a register's.
template <class T>
Index panel_width(Index columns) {
  return columns % block_columns<T> == 0 ? block_columns<T> : lanes<T>;
}

/// As many tiles, a multiple of `block_rows`, as make matrices of `columns` columns fill this many bytes.
template <class T>
Index tiles_for(Index bytes, Index products, Index columns) {
  const Index count = bytes / (products * columns * static_cast<Index>(sizeof(T)));
  return std::max<Index>(1, count / block_rows) * block_rows;
}

/// A transformed weight of c to k channels, four times as large, fits the cache.
[[nodiscard]] inline bool worth_keeping(Index c, Index k) { return c * k <= Index{1} << 16; }

/// The whole weight, transformed.
template <class T>
Matrices<T> transformed_weight(const Algorithm<T>& by, const Weights<T>& weight) {
  const Index c = weight.inner(), k = weight.columns();
  Matrices<T> out(by.products(), c, k, panel_width<T>(k));
  parallel_pieces(c, lanes<T>, [&](Index begin, Index end) {
    by.weight(weight, begin, end, 0, out.part(begin, end - begin, 0, k));
  });
  return out;
}

/// y (n, out_h, out_w, weight.columns()) = the 3x3 windows of x times the weight; `kept`: what transformed_weight gave.
template <class T>
void winograd_convolve(const Algorithm<T>& by, const Pieces<T>& x, const Tiles& tiles, const Weights<T>& weight,
                       const Matrices<T>* kept, const Epilogue<T>& finish, T* y) {
  const Index c = weight.inner(), k = weight.columns(), products = by.products(), width = 2 * block_columns<T>;
  const Index part = tiles_for<T>(Index{5} << 18, products, width);
  const bool small = c * k <= Index{1} << 14;
  if (kept == nullptr && (small || (worth_keeping(c, k) && tiles.count() > part))) {
    const Matrices<T> transformed = transformed_weight(by, weight);
    return winograd_convolve(by, x, tiles, weight, &transformed, finish, y);
  }
  if (small) {
    // A strip of tiles stays in the cache of its thread from end to end.
    Index strip = tiles_for<T>(Index{3} << 17, products, std::max(c, k));
    if (tiles.count() < 8 * strip) strip = block_rows;  // so that threads share them evenly
    parallel_pieces(tiles.count(), strip, [&](Index first, Index last) {
      const Matrices<T> input(products, last - first, c), room(products, strip, k, kept->panel);
      by.input(x, tiles, first, last, input, 0);
      multiply_tiles(products, input, 0, last - first, 0, *kept, false, room);
      by.output(room, tiles, first, last - first, finish, y, k, 0);
    });
    return;
  }
  // As many tiles as the cache holds are transformed for all columns of the weight. This is transformed by the thread
  // that multiplies with it, some rows and columns at a time, where it is too large to be transformed as a whole.
  const Index most = tiles_for<T>(Index{1} << 24, products, c), strips = (tiles.count() + most - 1) / most;
  const Index depth = 4 * lanes<T>, strip = (tiles.count() + strips - 1) / strips;
  for (Index begin = 0; begin < tiles.count(); begin += strip) {
    const Index end = std::min(tiles.count(), begin + strip);
    const Matrices<T> input(products, end - begin, c, depth);
    parallel_pieces(end - begin, 8,
                    [&](Index first, Index last) { by.input(x, tiles, begin + first, begin + last, input, first); });
    parallel_pieces(k, width, [&](Index column, Index next) {
      for (Index first = begin; first < end; first += part) {
        const Index count = std::min(part, end - first);
        const Index panel = panel_width<T>(next - column);
        const Matrices<T> room(products, count + block_rows, next - column, panel);
        for (Index r = 0; r < c; r += depth) {
          const Index rows = std::min(depth, c - r), columns = next - column;
          const Matrices<T> transformed =
              kept != nullptr ? kept->part(r, rows, column, columns) : Matrices<T>(products, rows, columns, panel);
          if (kept == nullptr) by.weight(weight, r, r + rows, column, transformed);
          multiply_tiles(products, input, first - begin, count, r, transformed, r > 0, room);
        }
        by.output(room, tiles, first, count, finish, y, k, column);
      }
    });
  }
}

/// sum[e][r][i] (+)= the sum over t < count of left[e][t][from + r] * right[e][t][column + i].
template <class T>
[[gnu::noinline]] void multiply_transposed(Index products, const Matrices<T>& left, Index from,
                                           const Matrices<T>& right, Index column, Index count, bool add,
                                           const Matrices<T>& sum) {
  constexpr Index panel = block_columns<T>;
  const T *const first = left.at(0, 0, from), *const second = right.at(0, 0, column);
  // A product at a time: its factors stay in the first-level cache.
  for (Index e = 0; e < products; ++e)
    for (Index r0 = 0; r0 < sum.rows; r0 += panel)
      for (Index i = 0; i < sum.columns; i += panel) {
        const auto block = sum.columns - i == lanes<T> ? add_outer_products<T, 1> : add_outer_products<T, 2>;
        const T* const at = first + e * left.step + r0 / panel * left.panel_step;
        const T* const row = second + e * right.step + i / panel * right.panel_step;
        T* const to = sum.data.get() + e * sum.step + r0 * sum.stride + i / panel * sum.panel_step;
        for (Index r = 0; r < std::min(panel, sum.rows - r0); r += outer_rows)
          block(at + r, left.stride, row, right.stride, count, add, to + r * sum.stride, sum.stride, at + r, 0);
      }
}

/// out (k, 3, 3, c) = the sum over positions of y (n, out_h, out_w, k) times the windows of x there.
template <class T>
void winograd_weight(const Algorithm<T>& by, const Pieces<T>& x, const Tiles& tiles, const Pieces<T>& y, T* out) {
  const Index c = x.c, k = y.c, products = by.products(), panel = block_columns<T>;
  // A unit of work is a part of the weight, whose sums stay in the cache of its thread.
  const Index part = 64, across = (c + part - 1) / part, parts = across * ((k + part - 1) / part);
  const Index bytes = products * (c + k) * tiles.count() * static_cast<Index>(sizeof(T));
  if (tiles.count() <= 256 && bytes <= Index{5} << 22) {
    // Few tiles: all are transformed first.
    const Matrices<T> left(products, tiles.count(), k, panel), right(products, tiles.count(), c, panel);
    parallel_pieces(tiles.count(), 4, [&](Index first, Index last) {
      by.input(x, tiles, first, last, right, first);
      by.output_adjoint(y, tiles, first, last, left, first);
    });
    parallel_for(parts, [&](Index unit) {
      const Index from = unit / across * part, column = unit % across * part;
      const Matrices<T> sum(products, std::min(part, k - from), std::min(part, c - column), panel);
      multiply_transposed(products, left, from, right, column, tiles.count(), false, sum);
      by.weight_adjoint(sum, 0, from, from + sum.rows, false, out, c, column);
    });
    return;
  }
  // Many: strips of them are transformed by every thread for its part of the channels, so that they stay in its cache
  // too. Where there are few parts, groups of strips have sums of their own.
  const Index strip = tiles_for<T>(Index{1} << 19, products, std::min(c, part) + std::min(k, part));
  const Index strips = (tiles.count() + strip - 1) / strip, groups = std::clamp<Index>(8 / parts, 1, strips);
  const Matrices<T> sums(products, groups > 1 ? groups * k : 0, c, panel);
  parallel_for(parts * groups, [&](Index unit) {
    const Index group = unit % groups, from = unit / groups / across * part, column = unit / groups % across * part;
    const Index height = std::min(part, k - from), width = std::min(part, c - column);
    const Matrices<T> left(products, strip, height, panel), right(products, strip, width, panel);
    const Matrices<T> sum =
        groups > 1 ? sums.part(group * k + from, height, column, width) : Matrices<T>(products, height, width, panel);
    const Index begin = strips * group / groups * strip,
                end = std::min(tiles.count(), strips * (group + 1) / groups * strip);
    for (Index first = begin; first < end; first += strip) {
      const Index last = std::min(end, first + strip);
      by.input(x.from(column), tiles, first, last, right, 0);
      by.output_adjoint(y.from(from), tiles, first, last, left, 0);
      multiply_transposed(products, left, 0, right, 0, last - first, first > begin, sum);
    }
    if (groups == 1) by.weight_adjoint(sum, 0, from, from + height, false, out, c, column);
  });
  if (groups == 1) return;
  parallel_pieces(k, 8, [&](Index from, Index to) {
    const Matrices<T> total = sums.part(from, to - from, 0, c);
    for (Index e = 0; e < products; ++e)
      for (Index column = 0; column < c; column += panel) {
        T* const at = total.at(e, 0, column);
        for (Index group = 1; group < groups; ++group)
          for (Index i = 0; i < total.rows * total.stride; ++i) at[i] += at[group * k * total.stride + i];
      }
    by.weight_adjoint(total, 0, from, to, false, out, c, 0);
  });
}

}  // namespace kernel::detail

}  // namespace limn
