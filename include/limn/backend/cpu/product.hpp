// The two products that convolutions are made of, on blocks that stay in registers: windows that lie anywhere times a
// packed matrix, and the sum of outer products over all positions.
// The order of all additions depends on the sizes of the factors alone, for the first product not even on the number of
// rows: a picture alone gives the same bits as in a batch.
#pragma once

#include <algorithm>
#include <array>
#include <memory>

#include "limn/backend/cpu/block.hpp"
#include "limn/backend/cpu/windows.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel::detail {

/// A matrix (inner x columns) cut into panels of block_columns columns, each with its rows one after the other, filled
/// up with zeros. A last panel that one register holds is one register wide.
template <class T>
struct Panels {
  Index inner, columns;
  std::shared_ptr<T> data;

  Panels(Index inner_size, Index column_count)
      : inner(inner_size), columns(column_count), data(pooled_buffer<T>(inner * round_up(columns))) {}

  static Index round_up(Index columns) { return (columns + lanes<T> - 1) / lanes<T> * lanes<T>; }
  [[nodiscard]] Index count() const { return (columns + block_columns<T> - 1) / block_columns<T>; }
  [[nodiscard]] Index width(Index p) const {
    return round_up(std::min(block_columns<T>, columns - p * block_columns<T>));
  }
  [[nodiscard]] Index used(Index p) const { return std::min(block_columns<T>, columns - p * block_columns<T>); }
  [[nodiscard]] T* at(Index p) const { return data.get() + p * block_columns<T> * inner; }
};

/// Element (i, j) is weight[j][i].
template <class T>
Panels<T> transposed_panels(const T* weight, Index inner, Index columns) {
  constexpr Index chunk = 512;
  Panels<T> panels(inner, columns);
  const Index chunks = (inner + chunk - 1) / chunk;
  parallel_for(panels.count() * chunks, [&](Index unit) {
    const Index p = unit / chunks, width = panels.width(p), used = panels.used(p);
    const Index end = std::min(inner, (unit % chunks + 1) * chunk);
    const T* const from = weight + p * block_columns<T> * inner;
    for (Index i0 = unit % chunks * chunk; i0 < end; i0 += 16) {
      const Index i1 = std::min(i0 + 16, end);
      for (Index j = 0; j < used; ++j)
        for (Index i = i0; i < i1; ++i) panels.at(p)[i * width + j] = from[j * inner + i];
      for (Index i = i0; i < i1; ++i) std::fill_n(panels.at(p) + i * width + used, width - used, T(0));
    }
  });
  return panels;
}

/// The weight of the convolution that leads back: rows (kernel_h, kernel_w, k) with the window turned by half a circle,
/// columns c.
template <class T>
Panels<T> turned_panels(const T* weight, Index k, Index area, Index c) {
  Panels<T> panels(area * k, c);
  parallel_for(panels.count() * area, [&](Index unit) {
    const Index p = unit / area, tap = unit % area, width = panels.width(p), used = panels.used(p);
    for (Index j = 0; j < k; ++j) {
      const T* const from = weight + (j * area + area - 1 - tap) * c + p * block_columns<T>;
      T* const to = panels.at(p) + (tap * k + j) * width;
      std::fill(std::copy_n(from, used, to), to + width, T(0));
    }
  });
  return panels;
}

/// Element (i, j) is matrix[i][j].
template <class T>
Panels<T> plain_panels(const T* matrix, Index inner, Index columns) {
  return turned_panels(matrix, inner, 1, columns);
}

/// y = windows of x (n, h, w, c) times panels; y has panels.columns channels.
template <class T>
void convolve(const T* x, Index n, Index h, Index w, Index c, const Window& win, const Panels<T>& panels, T* y) {
  constexpr Index rows = block_rows;
  const Index positions = n * win.out_h(h) * win.out_w(w), k = panels.columns;
  const bool unfold = win.kernel_w * c < 8 && win.kernel_h > 1;
  // A unit of work is a strip of positions by some panels. Small weights stay in the cache while the positions pass by;
  // large ones are cut, so that every thread reads its part of them only once.
  const bool large = panels.inner * k * static_cast<Index>(sizeof(T)) > (Index{1} << 19);
  const Index strip = rows * (large ? 40 : 8), in_unit = large ? 4 : panels.count();
  const Index strips = (positions + strip - 1) / strip, groups = (panels.count() + in_unit - 1) / in_unit;
  parallel_for(strips * groups, [&](Index unit) {
    const Index first = unit / groups * strip, last = std::min(positions, first + strip);
    Windows<T> windows(x, h, w, c, win, unfold);
    windows.locate(first, last, rows);
    alignas(vector_bytes) std::array<T, static_cast<std::size_t>(rows * block_columns<T>)> edge;
    for (Index p = unit % groups * in_unit; p < std::min(panels.count(), (unit % groups + 1) * in_unit); ++p) {
      const Index width = panels.width(p), used = panels.used(p);
      const auto block = width == lanes<T> ? rows_times_panel<T, 1> : rows_times_panel<T, 2>;
      for (Index r = first; r < last; r += rows) {
        const bool whole = used == width && r + rows <= last;
        T* const out = y + r * k + p * block_columns<T>;
        block(windows.at((r - first) * windows.taps()), windows.taps(), windows.depth(), panels.at(p),
              whole ? out : edge.data(), whole ? k : width);
        for (Index i = r; !whole && i < std::min(r + rows, last); ++i)
          std::copy_n(edge.data() + (i - r) * width, used, y + i * k + p * block_columns<T>);
      }
    }
  });
}

/// out[from to to)[columns] += the sum over positions of y (count, k) times their windows.
template <class T, int Rows>
void add_weight_gradient(const T* y, Index k, Index from, Index to, Index count, const Windows<T>& windows,
                         Index columns, T* out) {
  // Both factors are copied to where the block reads them one after the other: columns of y once, windows once a tap.
  const Index depth = windows.depth(), blocks = (to - from + Rows - 1) / Rows;
  const auto left = pooled_buffer<T>(blocks * count * Rows);
  const auto right = pooled_buffer<T>(count * block_columns<T>);
  alignas(vector_bytes) std::array<T, static_cast<std::size_t>(Rows * block_columns<T>)> edge;
  for (Index j = 0; j < blocks; ++j) {
    const Index used = std::min<Index>(Rows, to - from - j * Rows);
    T* row = left.get() + j * count * Rows;
    for (const T* in = y + from + j * Rows; in < y + count * k; in += k, row += Rows) {
      if (used == Rows)
        std::copy_n(in, Rows, row);
      else
        std::fill(std::copy_n(in, used, row), row + Rows, T(0));
    }
  }
  for (Index tap = 0; tap < windows.taps(); ++tap)
    for (Index i = 0; i < depth; i += block_columns<T>) {
      const Index width = std::min(depth - i, block_columns<T>), used = std::min(width, columns - tap * depth - i);
      const auto block = width == lanes<T> ? add_outer_products<T, Rows, 1> : add_outer_products<T, Rows, 2>;
      const T* const* rows = windows.at(tap * count);
      for (Index p = 0; p < count; ++p)
        for (Index v = 0; v < width; v += lanes<T>)
          Register<T>::store(right.get() + p * width + v, Register<T>::load(rows[p] + i + v));
      for (Index j = 0; j < blocks; ++j) {
        const Index used_rows = std::min<Index>(Rows, to - from - j * Rows);
        T* const at = out + (from + j * Rows) * columns + tap * depth + i;
        const bool whole = used_rows == Rows && used == width;
        if (!whole)
          for (Index r = 0; r < used_rows; ++r) std::copy_n(at + r * columns, used, edge.data() + r * width);
        block(left.get() + j * count * Rows, right.get(), count, whole ? at : edge.data(), whole ? columns : width);
        if (!whole)
          for (Index r = 0; r < used_rows; ++r) std::copy_n(edge.data() + r * width, used, at + r * columns);
      }
    }
}

/// out (k, window) = the sum over positions of y (positions, k) times the windows of x (n, h, w, c) there.
template <class T>
void outer_products(const T* x, Index n, Index h, Index w, Index c, const Window& win, const T* y, Index k, T* out) {
  constexpr int tall = block_rows, low = low_block_rows;
  const Index columns = win.area() * c, positions = n * win.out_h(h) * win.out_w(w);
  // Work is cut in two ways: a small weight into groups of positions, whose sums are added at the end, a large one into
  // parts of its rows, each a number of blocks. Low blocks are for few rows, of which tall ones would waste some.
  const Index size = k * columns, strip = 256, steps = (positions + strip - 1) / strip;
  const bool use_low = (k + tall - 1) / tall * tall * 8 > (k + low - 1) / low * low * 9;
  const Index rows = use_low ? low : tall, blocks = (k + rows - 1) / rows;
  const Index groups = size <= (Index{1} << 18) ? std::min<Index>(8, steps) : 1;
  const Index parts = groups > 1 ? 1 : std::min<Index>(blocks, 8);
  const auto partial = pooled_buffer<T>(groups > 1 ? groups * size : 0);
  T* const sums = groups > 1 ? partial.get() : out;
  parallel_for(groups * parts, [&](Index unit) {
    const Index group = unit / parts, part = unit % parts;
    const Index from = blocks * part / parts * rows, to = std::min(k, blocks * (part + 1) / parts * rows);
    const Index begin = steps * group / groups * strip, end = std::min(positions, steps * (group + 1) / groups * strip);
    T* const sum = sums + group * size;
    std::fill(sum + from * columns, sum + to * columns, T(0));
    Windows<T> windows(x, h, w, c, win, win.kernel_w * c % lanes<T> != 0, lanes<T>);
    const auto add = use_low ? add_weight_gradient<T, low> : add_weight_gradient<T, tall>;
    for (Index first = begin; first < end; first += strip) {
      const Index last = std::min(end, first + strip);
      windows.locate(first, last);
      add(y + first * k, k, from, to, last - first, windows, columns, sum);
    }
  });
  if (groups > 1)
    parallel_pieces(size, 4096, [&](Index begin, Index end) {
      std::copy(sums + begin, sums + end, out + begin);
      for (Index group = 1; group < groups; ++group)
        for (Index i = begin; i < end; ++i) out[i] += sums[group * size + i];
    });
}

}  // namespace limn::kernel::detail
