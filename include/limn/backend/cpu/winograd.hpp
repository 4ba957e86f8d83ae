// Winograd's algorithm F(4x4, 3x3) for 3x3 convolutions with stride one (Lavin and Gray 2016): 36 products for a tile
// of 4 x 4 outputs in place of 144. Tiles are transformed to 36 matrices (tiles x channels), these are multiplied on
// the blocks of the other convolutions, and the products are transformed back. Sums are in an order that depends on
// sizes alone. In float errors are below 1e-4 of the largest value on ResNet-18's layers
// (tests/backend/test_winograd.cpp); set_winograd(false) takes the windows as they are.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <type_traits>
#include <vector>

#include "limn/backend/cpu/block.hpp"
#include "limn/backend/cpu/panels.hpp"
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

inline constexpr Index tile = 4, patch = 6, products = patch * patch;

// The steps along one axis, for the points 0, 1, -1, 2, -2 and infinity.

/// A patch of the input: 6 -> 6.
struct InputStep {
  static constexpr Index in = 6, out = 6;
  template <class V>
  static void apply(const V* d, Index from, V* to, Index by) {
    const V d0 = d[0], d1 = d[from], d2 = d[2 * from], d3 = d[3 * from], d4 = d[4 * from], d5 = d[5 * from];
    const V even = d4 - d2 * 4, odd = d3 - d1 * 4, two = d4 - d2, twice = (d3 - d1) * 2;
    to[0] = d0 * 4 - d2 * 5 + d4;
    to[by] = even + odd;
    to[2 * by] = even - odd;
    to[3 * by] = two + twice;
    to[4 * by] = two - twice;
    to[5 * by] = d1 * 4 - d3 * 5 + d5;
  }
};
/// A tile of the output: 6 -> 4.
struct OutputStep {
  static constexpr Index in = 6, out = 4;
  template <class V>
  static void apply(const V* m, Index from, V* to, Index by) {
    const V m1 = m[from], m2 = m[2 * from], m3 = m[3 * from], m4 = m[4 * from];
    const V a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
    to[0] = m[0] + a + c;
    to[by] = b + d * 2;
    to[2 * by] = a + c * 4;
    to[3 * by] = b + d * 8 + m[5 * from];
  }
};
/// The weight: 3 -> 6.
struct WeightStep {
  static constexpr Index in = 3, out = 6;
  template <class V>
  static void apply(const V* g, Index from, V* to, Index by) {
    using S = std::remove_cvref_t<decltype(g[0][0])>;
    const V g0 = g[0], g1 = g[from], g2 = g[2 * from];
    const V near = (g0 + g2) * S(-1. / 6), far = g0 * S(1. / 24) + g2 * S(1. / 6);
    to[0] = g0 * S(.25);
    to[by] = near - g1 * S(1. / 6);
    to[2 * by] = near + g1 * S(1. / 6);
    to[3 * by] = far + g1 * S(1. / 12);
    to[4 * by] = far - g1 * S(1. / 12);
    to[5 * by] = g2;
  }
};
/// The adjoint of OutputStep: 4 -> 6.
struct OutputAdjoint {
  static constexpr Index in = 4, out = 6;
  template <class V>
  static void apply(const V* y, Index from, V* to, Index by) {
    const V y0 = y[0], y1 = y[from], y2 = y[2 * from], y3 = y[3 * from];
    const V even = y0 + y2, odd = y1 + y3, far = y0 + y2 * 4, twice = y1 * 2 + y3 * 8;
    to[0] = y0;
    to[by] = even + odd;
    to[2 * by] = even - odd;
    to[3 * by] = far + twice;
    to[4 * by] = far - twice;
    to[5 * by] = y3;
  }
};
/// The adjoint of WeightStep: 6 -> 3.
struct WeightAdjoint {
  static constexpr Index in = 6, out = 3;
  template <class V>
  static void apply(const V* m, Index from, V* to, Index by) {
    using S = std::remove_cvref_t<decltype(m[0][0])>;
    const V m1 = m[from], m2 = m[2 * from], m3 = m[3 * from], m4 = m[4 * from];
    const V near = (m1 + m2) * S(1. / 6), far = m3 + m4;
    to[0] = m[0] * S(.25) - near + far * S(1. / 24);
    to[by] = (m2 - m1) * S(1. / 6) + (m3 - m4) * S(1. / 12);
    to[2 * by] = far * S(1. / 6) - near + m[5 * from];
  }
};

/// A step along both axes: in x in registers to out x out.
template <class Step, class V>
inline void along_both(const V* from, V* to) {
  V half[Step::out * Step::in];
#pragma GCC unroll 6
  for (Index j = 0; j < Step::in; ++j) Step::apply(from + j, Step::in, half + j, Step::in);
#pragma GCC unroll 6
  for (Index i = 0; i < Step::out; ++i) Step::apply(half + i * Step::in, 1, to + i * Step::out, 1);
}

/// 36 (or fewer) matrices of rows x columns. Distances of matrices, and of long rows, are not multiples of a page,
/// which would fall on the same lines of the cache.
template <class T>
struct Matrices {
  Index rows, columns, stride, step;
  std::shared_ptr<T> data;

  Matrices(Index row_count, Index column_count, Index count = products)
      : rows(row_count),
        columns(column_count),
        stride(columns % 256 == 0 ? columns + lanes<T> : columns),
        step(rows * stride + lanes<T>),
        data(pooled_buffer<T>(count * step)) {}
  [[nodiscard]] T* at(Index product, Index row = 0) const { return data.get() + product * step + row * stride; }
};

/// The tiles of n pictures of height x width, counted over n, down, across.
struct Tiles {
  Index n, height, width;
  [[nodiscard]] Index down() const { return (height + tile - 1) / tile; }
  [[nodiscard]] Index across() const { return (width + tile - 1) / tile; }
  [[nodiscard]] Index count() const { return n * down() * across(); }
  [[nodiscard]] Index picture(Index t) const { return t / (down() * across()); }
  [[nodiscard]] Index top(Index t) const { return t / across() % down() * tile; }
  [[nodiscard]] Index left(Index t) const { return t % across() * tile; }
};

/// Row t - first of `to` = the transformed piece of x (n, h, w, c) of Step::in x Step::in pixels that begins `pad`
/// above and left of tile t, for t in [first, last). Outside the picture are zeros.
template <class Step, class T>
[[gnu::noinline]] void transform_tiles(const T* x, Index h, Index w, Index c, const Tiles& tiles, Index pad_h,
                                       Index pad_w, Index first, Index last, const Matrices<T>& to, Index row) {
  using R = Register<T>;
  for (Index t = first; t < last; ++t, ++row) {
    const Index y0 = tiles.top(t) - pad_h, x0 = tiles.left(t) - pad_w;
    const T* const picture = x + tiles.picture(t) * h * w * c;
    for (Index k = 0; k < c; k += lanes<T>) {
      typename R::Value in[Step::in * Step::in], out[products];
#pragma GCC unroll 6
      for (Index i = 0; i < Step::in; ++i)
#pragma GCC unroll 6
        for (Index j = 0; j < Step::in; ++j) {
          const Index yy = y0 + i, xx = x0 + j;
          const bool inside = yy >= 0 && yy < h && xx >= 0 && xx < w;
          in[i * Step::in + j] = inside ? R::load(picture + (yy * w + xx) * c + k) : typename R::Value{};
        }
      along_both<Step>(in, out);
      for (int e = 0; e < products; ++e) R::store(to.at(e, row) + k, out[e]);
    }
  }
}

/// Products [6 * from, 6 * to) of the transformed weight of a panel (9 * c rows): matrices of c rows.
template <class T>
[[gnu::noinline]] void transform_panel(const Panels<T>& panels, Index p, Index from, Index to,
                                       const Matrices<T>& weight) {
  using R = Register<T>;
  const Index width = weight.columns, c = weight.rows;
  for (Index r = 0; r < c; ++r)
    for (Index v = 0; v < width; v += lanes<T>) {
      typename R::Value in[9], half[18], out[patch];
      for (Index tap = 0; tap < 9; ++tap) in[tap] = R::load(panels.at(p) + (tap * c + r) * width + v);
#pragma GCC unroll 3
      for (Index j = 0; j < 3; ++j) WeightStep::apply(in + j, 3, half + j, 3);
      for (Index i = from; i < to; ++i) {
        WeightStep::apply(half + i * 3, 1, out, 1);
        for (Index j = 0; j < patch; ++j) R::store(weight.at((i - from) * patch + j, r) + v, out[j]);
      }
    }
}

/// products[6 * from ... 6 * to) = transformed tiles (rows [row, row + count)) times the transformed weight.
template <class T>
[[gnu::noinline]] void multiply_tiles(const Matrices<T>& input, Index row, Index count, const Matrices<T>& weight,
                                      Index from, Index to, const Matrices<T>& out) {
  const auto block = weight.columns == lanes<T> ? rows_times_panel<T, 1> : rows_times_panel<T, 2>;
  for (Index e = from * patch; e < to * patch; ++e)
    for (Index r = 0; r < count; r += block_rows) {
      const T* rows[block_rows];
      for (Index i = 0; i < block_rows; ++i) rows[i] = input.at(e, row + std::min(r + i, count - 1));
      block(rows, 1, weight.rows, weight.at(e - from * patch), out.at(e, r), out.stride);
    }
}

/// `width` channels of y (k channels) at the tiles [first, first + count): the products, transformed back.
template <class T>
[[gnu::noinline]] void put_tiles(const Matrices<T>& from, Index width, const Tiles& tiles, Index first, Index count,
                                 T* y, Index k) {
  using R = Register<T>;
  for (Index t = 0; t < count; ++t) {
    const Index y0 = tiles.top(first + t), x0 = tiles.left(first + t);
    T* const picture = y + tiles.picture(first + t) * tiles.height * tiles.width * k;
    for (Index v = 0; v < width; v += lanes<T>) {
      typename R::Value in[products], out[tile * tile];
      for (Index e = 0; e < products; ++e) in[e] = R::load(from.at(e, t) + v);
      along_both<OutputStep>(in, out);
      for (Index i = 0; i < std::min(tile, tiles.height - y0); ++i)
        for (Index j = 0; j < std::min(tile, tiles.width - x0); ++j)
          R::store(picture + ((y0 + i) * tiles.width + x0 + j) * k + v, out[i * tile + j]);
    }
  }
}

/// As many tiles, a multiple of `block_rows`, as make matrices of `columns` columns fill this many bytes.
template <class T>
Index tiles_for(Index bytes, Index columns) {
  const Index count = bytes / (products * columns * static_cast<Index>(sizeof(T)));
  return std::max<Index>(1, count / block_rows) * block_rows;
}

/// Winograd's algorithm fits, and there are enough tiles to be worth the transformed weight.
template <class T>
bool takes_winograd(Index n, Index h, Index w, Index c, Index k, const Window& win) {
  const bool fits = win.kernel_h == 3 && win.kernel_w == 3 && win.stride_h == 1 && win.stride_w == 1 &&
                    c % lanes<T> == 0 && k % lanes<T> == 0;
  if (!fits || !winograd()) return false;
  const Tiles tiles{n, win.out_h(h), win.out_w(w)};
  return tiles.height > 2 && tiles.width > 2 && tiles.count() >= Index{2} * block_rows;
}

/// y (n, out_h, out_w, panels.columns) = the 3x3 windows of x (n, h, w, c) times panels.
template <class T>
void winograd_convolve(const T* x, Index n, Index h, Index w, Index c, const Window& win, const Panels<T>& panels,
                       T* y) {
  const Tiles tiles{n, win.out_h(h), win.out_w(w)};
  const Index k = panels.columns;
  const auto transform = [&](Index first, Index last, const Matrices<T>& to, Index row) {
    transform_tiles<InputStep>(x, h, w, c, tiles, win.pad_h, win.pad_w, first, last, to, row);
  };
  if (c * k <= Index{1} << 14) {
    // A small weight is transformed once; a strip of tiles stays in the cache of its thread from end to end.
    std::vector<Matrices<T>> weight;
    for (Index p = 0; p < panels.count(); ++p) weight.push_back(Matrices<T>(c, panels.width(p)));
    parallel_for(panels.count(),
                 [&](Index p) { transform_panel(panels, p, 0, patch, weight[static_cast<std::size_t>(p)]); });
    const Index strip = tiles_for<T>(Index{3} << 17, std::max(c, block_columns<T>));
    parallel_pieces(tiles.count(), strip, [&](Index first, Index last) {
      const Matrices<T> input(last - first, c), room(strip, block_columns<T>);
      transform(first, last, input, 0);
      for (Index p = 0; p < panels.count(); ++p) {
        multiply_tiles(input, 0, last - first, weight[static_cast<std::size_t>(p)], 0, patch, room);
        put_tiles(room, panels.width(p), tiles, first, last - first, y + p * block_columns<T>, k);
      }
    });
    return;
  }
  // A large one is transformed by the thread that multiplies with it, a panel and six products at a time.
  const Index strip = tiles_for<T>(Index{1} << 24, c), part = tiles_for<T>(Index{1} << 20, block_columns<T>);
  for (Index begin = 0; begin < tiles.count(); begin += strip) {
    const Index end = std::min(tiles.count(), begin + strip);
    const Matrices<T> input(end - begin, c);
    parallel_pieces(end - begin, 8,
                    [&](Index first, Index last) { transform(begin + first, begin + last, input, first); });
    parallel_for(panels.count(), [&](Index p) {
      const Matrices<T> weight(c, panels.width(p), patch), room(part, panels.width(p));
      for (Index first = begin; first < end; first += part) {
        const Index count = std::min(part, end - first);
        for (Index i = 0; i < patch; ++i) {
          transform_panel(panels, p, i, i + 1, weight);
          multiply_tiles(input, first - begin, count, weight, i, i + 1, room);
        }
        put_tiles(room, panels.width(p), tiles, first, count, y + p * block_columns<T>, k);
      }
    });
  }
}

/// sum[e][r - from] (+)= the sum over t < count of left[e][t][r] * right[e][t], for r in [from, to).
template <class T>
[[gnu::noinline]] void multiply_transposed(const Matrices<T>& left, const Matrices<T>& right, Index count, Index from,
                                           Index to, bool add, const Matrices<T>& sum) {
  constexpr Index rows = outer_rows, run = 96;  // rows of `right` that stay in the first-level cache
  const Index c = right.columns;
  for (Index e = 0; e < products; ++e) {
    for (Index t = 0; t < count; t += run)
      for (Index i = 0; i < c; i += block_columns<T>) {
        const auto block = c - i == lanes<T> ? add_outer_products<T, 1> : add_outer_products<T, 2>;
        for (Index r = from; r < to; r += rows)
          block(left.at(e, t) + r, left.stride, right.at(e, t) + i, right.stride, std::min(run, count - t),
                add || t > 0, sum.at(e, r - from) + i, sum.stride);
      }
  }
}

/// out[r] (3, 3, c) (+)= the products transformed back, for r in [from, to), whose rows begin at `row`.
template <class T>
[[gnu::noinline]] void put_weight(const Matrices<T>& sum, Index row, Index from, Index to, bool add, T* out) {
  using R = Register<T>;
  const Index c = sum.columns;
  for (Index r = from; r < to; ++r)
    for (Index i = 0; i < c; i += lanes<T>) {
      typename R::Value in[products], taps[9];
      for (int e = 0; e < products; ++e) in[e] = R::load(sum.at(e, row + r - from) + i);
      along_both<WeightAdjoint>(in, taps);
      for (int tap = 0; tap < 9; ++tap) {
        T* const at = out + (r * 9 + tap) * c + i;
        R::store(at, add ? R::load(at) + taps[tap] : taps[tap]);
      }
    }
}

/// out (k, 3, 3, c) = the sum over positions of y (n, out_h, out_w, k) times the windows of x (n, h, w, c) there.
template <class T>
void winograd_weight(const T* x, Index n, Index h, Index w, Index c, const Window& win, const T* y, Index k, T* out) {
  const Tiles tiles{n, win.out_h(h), win.out_w(w)};
  const auto transform = [&](Index first, Index last, const Matrices<T>& left, const Matrices<T>& right, Index row) {
    transform_tiles<InputStep>(x, h, w, c, tiles, win.pad_h, win.pad_w, first, last, right, row);
    transform_tiles<OutputAdjoint>(y, tiles.height, tiles.width, k, tiles, 0, 0, first, last, left, row);
  };
  if (c * k <= Index{1} << 13) {
    // A small weight: groups of strips that stay in the cache of their thread, each with a sum of its own.
    const Index strip = tiles_for<T>(Index{1} << 19, c + k), strips = (tiles.count() + strip - 1) / strip;
    std::vector<Matrices<T>> sums;
    while (static_cast<Index>(sums.size()) < std::min<Index>(8, strips)) sums.push_back(Matrices<T>(k, c));
    const Index groups = static_cast<Index>(sums.size());
    parallel_for(groups, [&](Index group) {
      const Matrices<T> left(strip, k), right(strip, c);
      const Index begin = strips * group / groups * strip,
                  end = std::min(tiles.count(), strips * (group + 1) / groups * strip);
      for (Index first = begin; first < end; first += strip) {
        const Index last = std::min(end, first + strip);
        transform(first, last, left, right, 0);
        multiply_transposed(left, right, last - first, 0, k, first > begin, sums[static_cast<std::size_t>(group)]);
      }
    });
    parallel_pieces(k, 8, [&](Index from, Index to) {
      for (std::size_t group = 1; group < sums.size(); ++group)
        for (Index e = 0; e < products; ++e) {
          T* const total = sums[0].at(e, from);
          const T* const more = sums[group].at(e, from);
          for (Index i = 0; i < (to - from) * c; ++i) total[i] += more[i];
        }
      put_weight(sums[0], from, from, to, false, out);
    });
    return;
  }
  // A large one is cut into parts of its rows, each by one thread for all tiles.
  const Index strip = tiles_for<T>(Index{1} << 24, c + k);
  for (Index begin = 0; begin < tiles.count(); begin += strip) {
    const Index count = std::min(strip, tiles.count() - begin);
    const Matrices<T> left(count, k), right(count, c);
    parallel_pieces(count, 8,
                    [&](Index first, Index last) { transform(begin + first, begin + last, left, right, first); });
    parallel_pieces(k, 16, [&](Index from, Index to) {
      const Matrices<T> sum(to - from, c);
      multiply_transposed(left, right, count, from, to, false, sum);
      put_weight(sum, 0, from, to, begin > 0, out);
    });
  }
}

}  // namespace kernel::detail

}  // namespace limn
