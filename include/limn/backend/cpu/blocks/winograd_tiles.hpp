// The parts of Winograd's algorithm: tiles, the matrices that they are transformed to and from, and the functions that
// do it, listed in a table for every size of tile so that what drives them is compiled once.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "limn/backend/cpu/blocks/block.hpp"
#include "limn/backend/cpu/blocks/epilogue.hpp"
#include "limn/backend/cpu/blocks/panels.hpp"
#include "limn/backend/cpu/blocks/winograd_steps.hpp"
#include "limn/core/memory.hpp"

namespace limn::kernel::detail {

/// Matrices of rows x columns, one per product. With `panel` the columns are cut into panels of that width, each with
/// all its rows (and all matrices) before the next. Distances of matrices, and of long rows, are not multiples of a
/// page, which would fall on the same lines of the cache.
template <class T>
struct Matrices {
  Index rows, columns, panel, stride, step, panel_step;
  std::shared_ptr<T> data;

  /// Without data: new, and not filled.
  Matrices(Index count, Index row_count, Index column_count, Index panel_width = 0, std::shared_ptr<T> filled = nullptr)
      : rows(row_count),
        columns(column_count),
        panel(panel_width > 0 ? std::min(panel_width, columns) : columns),
        stride(panel % 256 == 0 ? panel + lanes<T> : panel),
        step(rows * stride + lanes<T>),
        panel_step(count * step),
        data(filled != nullptr ? std::move(filled) : pooled_buffer<T>((columns + panel - 1) / panel * panel_step)) {}
  /// Row `row` of a matrix, from `column` (a multiple of a register's width) to the end of its panel.
  [[nodiscard]] T* at(Index product, Index row = 0, Index column = 0) const {
    return data.get() + column / panel * panel_step + product * step + row * stride + column % panel;
  }
  /// Some of the rows and columns where they are; columns begin with a panel.
  [[nodiscard]] Matrices part(Index row, Index row_count, Index column, Index column_count) const {
    Matrices out = *this;
    out.rows = row_count;
    out.columns = column_count;
    out.data = {data, at(0, row, column)};
    return out;
  }
};

/// The tiles of n pictures of height x width, counted over n, down, across.
struct Tiles {
  Index tile, n, height, width;
  [[nodiscard]] Index down() const { return (height + tile - 1) / tile; }
  [[nodiscard]] Index across() const { return (width + tile - 1) / tile; }
  [[nodiscard]] Index count() const { return n * down() * across(); }
  [[nodiscard]] Index picture(Index t) const { return t / (down() * across()); }
  [[nodiscard]] Index top(Index t) const { return t / across() % down() * tile; }
  [[nodiscard]] Index left(Index t) const { return t % across() * tile; }
};

/// An image (n, h, w, c) from one of its channels on, read in pieces that begin pad_h above and pad_w left of each
/// tile.
template <class T>
struct Pieces {
  const T* x;
  Index h, w, c, pad_h, pad_w;
  [[nodiscard]] Pieces from(Index channel) const { return {x + channel, h, w, c, pad_h, pad_w}; }
};

/// Row `row` + t - first of `to` = the transformed piece of Step::in x Step::in pixels of tile t, for t in [first,
/// last) and as many channels as `to` has columns. Outside the picture are zeros.
template <class Step, class T>
[[gnu::noinline]] void transform_tiles(const Pieces<T>& from, const Tiles& tiles, Index first, Index last,
                                       const Matrices<T>& to, Index row) {
  using R = Register<T>;
  const Index h = from.h, w = from.w, c = from.c;
  for (Index t = first; t < last; ++t, ++row) {
    const Index y0 = tiles.top(t) - from.pad_h, x0 = tiles.left(t) - from.pad_w;
    const T* const corner = from.x + ((tiles.picture(t) * h + y0) * w + x0) * c;
    // The part of the piece that lies in the picture; where that is not all, it is copied to between zeros.
    const Index top = std::clamp<Index>(-y0, 0, Step::in), bottom = std::clamp<Index>(h - y0, 0, Step::in),
                left = std::clamp<Index>(-x0, 0, Step::in), right = std::clamp<Index>(w - x0, 0, Step::in);
    const bool inside = bottom - top == Step::in && right - left == Step::in;
    alignas(vector_bytes) T copy[Step::in * Step::in * lanes<T>];
    // The columns that the next tile adds would otherwise come from far away, one after the other.
    for (Index i = 0; i < Step::in; ++i)
      for (Index j = 0; j < tiles.tile; ++j)
        for (Index k = 0; k < to.columns; k += lanes<T>) __builtin_prefetch(corner + (i * w + Step::in + j) * c + k);
    if (!inside) std::fill_n(copy, Step::in * Step::in * lanes<T>, T(0));
    for (Index k = 0; k < to.columns; k += lanes<T>) {
      const T* at = corner + k;
      Index down = w * c, across = c;
      if (!inside) {
        for (Index i = top; i < bottom; ++i)
          for (Index j = left; j < right; ++j)
            R::store(copy + (i * Step::in + j) * lanes<T>, R::load(at + i * down + j * across));
        at = copy;
        down = Step::in * lanes<T>;
        across = lanes<T>;
      }
      T* const out = to.at(0, row, k);
      along_both<Step, typename R::Value>(
          [&](Index i, Index j) { return R::load(at + i * down + j * across); },
          [&](Index i, Index j, const auto& v) { R::store(out + (i * Step::out + j) * to.step, v); });
    }
  }
}

/// The weight (k, 3, 3, c) of a convolution, or, turned, that of the convolution that leads back.
template <class T>
struct Weights {
  const T* data;
  Index k, c;
  bool turned;
  [[nodiscard]] Index inner() const { return turned ? k : c; }
  [[nodiscard]] Index columns() const { return turned ? c : k; }
};

/// Rows [begin, end) of the columns [column, column + to.columns) of the weight, transformed.
template <class F, class T>
[[gnu::noinline]] void transform_weight(const Weights<T>& weight, Index begin, Index end, Index column,
                                        const Matrices<T>& to) {
  using R = Register<T>;
  constexpr Index count = lanes<T>;
  alignas(vector_bytes) T copy[9 * count * count];
  for (Index r = begin; r < end; r += count)
    for (Index v = 0; v < to.columns; v += count) {
      // Where element (tap, row, column) is: turned weights are read where they lie, others are transposed.
      const T* at = weight.data + (r * 9 + 8) * weight.c + column + v;
      Index tap = -weight.c, row = 9 * weight.c;
      if (!weight.turned) {
        for (Index t = 0; t < 9; ++t)
          transpose_block(weight.data + ((column + v) * 9 + t) * weight.c + r, 9 * weight.c, copy + t * count,
                          9 * count);
        at = copy;
        tap = count;
        row = 9 * count;
      }
      for (Index i = 0; i < count; ++i, at += row) {
        if (weight.turned)
          for (Index t = 0; t < 9; ++t) __builtin_prefetch(at + 4 * row + t * tap);
        T* const out = to.at(0, r - begin + i, v);
        along_both<typename F::Weight, typename R::Value>(
            [&](Index a, Index b) { return R::load(at + (a * 3 + b) * tap); },
            [&](Index a, Index b, const auto& value) { R::store(out + (a * F::patch + b) * to.step, value); });
      }
    }
}

/// The columns from `column` on of y (k channels) at the tiles [first, first + count): the products,
/// transformed back.
template <class F, class T>
[[gnu::noinline]] void put_tiles(const Matrices<T>& from, const Tiles& tiles, Index first, Index count,
                                 const Epilogue<T>& finish, T* y, Index k, Index column) {
  using R = Register<T>;
  for (Index t = 0; t < count; ++t) {
    const Index y0 = tiles.top(first + t), x0 = tiles.left(first + t);
    const Index down = std::min(F::tile, tiles.height - y0), across = std::min(F::tile, tiles.width - x0);
    const Index corner = ((tiles.picture(first + t) * tiles.height + y0) * tiles.width + x0) * k + column;
    for (Index v = 0; v < from.columns; v += lanes<T>) {
      const T* const in = from.at(0, t, v);
      along_both<typename F::Output, typename R::Value>(
          [&](Index i, Index j) { return R::load(in + (i * F::patch + j) * from.step); },
          [&](Index i, Index j, const auto& value) {
            const Index at = corner + (i * tiles.width + j) * k + v;
            if (j < across) R::store(y + at, finish(value, column + v, at, R::load));
          },
          0, down);
    }
  }
}

/// out[r] (3, 3, c), from `column` on, (+)= row `row` + r - from of the products transformed back, for r in [from, to).
template <class F, class T>
[[gnu::noinline]] void put_weight(const Matrices<T>& sum, Index row, Index from, Index to, bool add, T* out, Index c,
                                  Index column) {
  using R = Register<T>;
  for (Index r = from; r < to; ++r)
    for (Index i = 0; i < sum.columns; i += lanes<T>) {
      const T* const in = sum.at(0, row + r - from, i);
      T* const to_row = out + r * 9 * c + column + i;
      along_both<typename F::WeightAdjoint, typename R::Value>(
          [&](Index a, Index b) { return R::load(in + (a * F::patch + b) * sum.step); },
          [&](Index a, Index b, const auto& value) {
            T* const at = to_row + (a * 3 + b) * c;
            R::store(at, add ? R::load(at) + value : value);
          });
    }
}

/// The functions for one size of tile.
template <class T>
struct Algorithm {
  Index tile, patch;
  decltype(&transform_tiles<F4::Input, T>) input, output_adjoint;
  decltype(&transform_weight<F4, T>) weight;
  decltype(&put_tiles<F4, T>) output;
  decltype(&put_weight<F4, T>) weight_adjoint;
  [[nodiscard]] Index products() const { return patch * patch; }
};
template <class F, class T>
inline constexpr Algorithm<T> algorithm{F::tile,
                                        F::patch,
                                        transform_tiles<typename F::Input, T>,
                                        transform_tiles<typename F::OutputAdjoint, T>,
                                        transform_weight<F, T>,
                                        put_tiles<F, T>,
                                        put_weight<F, T>};

}  // namespace limn::kernel::detail
