// The two products that convolutions are made of, on blocks that stay in registers: windows that lie anywhere times a
// packed matrix, and the sum of outer products over all positions.
// The order of all additions depends on the sizes of the factors alone, for the first product not even on the number of
// rows: a picture alone gives the same bits as in a batch.
#pragma once

#include <algorithm>
#include <array>
#include <memory>

#include "limn/backend/cpu/blocks/block.hpp"
#include "limn/backend/cpu/blocks/epilogue.hpp"
#include "limn/backend/cpu/blocks/panels.hpp"
#include "limn/backend/cpu/blocks/windows.hpp"
#include "limn/core/parallel.hpp"
#include "limn/core/tensor.hpp"

namespace limn::kernel::detail {

/// Where the outputs of a convolution go: position (y, x) of picture n to (n, top + y * down, left + x * across) of an
/// image of height x width.
struct Places {
  Index out_h, out_w;
  Index height = out_h, width = out_w, top = 0, left = 0, down = 1, across = 1;

  [[nodiscard]] bool in_order() const { return height == out_h && width == out_w; }
  [[nodiscard]] Index operator()(Index position) const {
    if (in_order()) return position;
    const Index x = position % out_w, y = position / out_w % out_h, n = position / out_w / out_h;
    return (n * height + top + y * down) * width + left + x * across;
  }
};

/// y = windows of x (n, h, w, c) times panels, finished; y has panels.columns channels.
template <class T>
void convolve(const T* x, Index n, Index h, Index w, Index c, const Window& win, const Places& places,
              const Panels<T>& panels, const Epilogue<T>& finish, T* y) {
  constexpr Index rows = block_rows;
  const Index positions = n * places.out_h * places.out_w, k = panels.columns;
  const bool unfold = win.kernel_w * c < 8 && win.kernel_h > 1;
  // A unit of work is a strip of positions by some panels. Small weights stay in the cache while the positions pass by;
  // large ones are cut, so that every thread reads its part of them only once.
  const bool large = panels.inner * k * static_cast<Index>(sizeof(T)) > (Index{1} << 19);
  const Index strip = rows * (large ? 40 : 8), in_unit = large ? 4 : panels.count();
  const Index strips = (positions + strip - 1) / strip, groups = (panels.count() + in_unit - 1) / in_unit;
  parallel_for(strips * groups, [&](Index unit) {
    const Index first = unit / groups * strip, last = std::min(positions, first + strip);
    Windows<T> windows(x, h, w, c, win, places.out_h, places.out_w, unfold);
    windows.locate(first, last, rows);
    alignas(vector_bytes) std::array<T, static_cast<std::size_t>(rows * block_columns<T>)> edge;
    for (Index p = unit % groups * in_unit; p < std::min(panels.count(), (unit % groups + 1) * in_unit); ++p) {
      const Index width = panels.width(p), used = panels.used(p), column = p * block_columns<T>;
      const auto block = width == lanes<T> ? rows_times_panel<T, 1> : rows_times_panel<T, 2>;
      for (Index r = first; r < last; r += rows) {
        const bool whole = used == width && r + rows <= last && places.in_order();
        block(windows.at((r - first) * windows.taps()), windows.taps(), windows.depth(), panels.at(p), false,
              whole ? y + r * k + column : edge.data(), whole ? k : width);
        for (Index i = r; !whole && i < std::min(r + rows, last); ++i)
          std::copy_n(edge.data() + (i - r) * width, used, y + places(i) * k + column);
        if (!finish.empty()) finish_rows(finish, y, k, r, std::min(r + rows, last), column, used);
      }
    }
  });
}

/// out[from to to)[columns] += the sum over positions of y (count, k) times their windows.
template <class T>
void add_weight_gradient(const T* y, Index k, Index from, Index to, Index count, const Windows<T>& windows,
                         Index columns, T* out) {
  // Both factors are copied to where the block reads them one after the other: y once, in columns of a block's width,
  // windows once a tap.
  constexpr Index rows = outer_rows, panel = block_columns<T>;
  const Index depth = windows.depth(), panels = (to - from + panel - 1) / panel;
  const auto left = pooled_buffer<T>(panels * count * panel);
  const auto right = pooled_buffer<T>(count * panel);
  alignas(vector_bytes) std::array<T, static_cast<std::size_t>(rows * panel)> edge;
  for (Index j = 0; j < panels; ++j) {
    const Index used = std::min(panel, to - from - j * panel);
    T* row = left.get() + j * count * panel;
    for (const T* in = y + from + j * panel; in < y + count * k; in += k, row += panel) {
      if (used == panel)
        for (Index v = 0; v < panel; v += lanes<T>) Register<T>::store(row + v, Register<T>::load(in + v));
      else
        std::fill(std::copy_n(in, used, row), row + panel, T(0));
    }
  }
  for (Index tap = 0; tap < windows.taps(); ++tap)
    for (Index i = 0; i < depth; i += panel) {
      const Index width = std::min(depth - i, panel), used = std::min(width, columns - tap * depth - i);
      const auto block = width == lanes<T> ? add_outer_products<T, 1> : add_outer_products<T, 2>;
      const T* const* lines = windows.at(tap * count);
      for (Index p = 0; p < count; ++p)
        for (Index v = 0; v < width; v += lanes<T>)
          Register<T>::store(right.get() + p * width + v, Register<T>::load(lines[p] + i + v));
      for (Index j = from; j < to; j += rows) {
        const Index used_rows = std::min(rows, to - j), at_row = j - from;
        T* const at = out + j * columns + tap * depth + i;
        const bool whole = used_rows == rows && used == width;
        if (!whole)
          for (Index r = 0; r < used_rows; ++r) std::copy_n(at + r * columns, used, edge.data() + r * width);
        block(left.get() + at_row / panel * count * panel + at_row % panel, panel, right.get(), width, count, true,
              whole ? at : edge.data(), whole ? columns : width);
        if (!whole)
          for (Index r = 0; r < used_rows; ++r) std::copy_n(edge.data() + r * width, used, at + r * columns);
      }
    }
}

/// out (k, window) = the sum over positions of y (positions, k) times the windows of x (n, h, w, c) there.
template <class T>
void outer_products(const T* x, Index n, Index h, Index w, Index c, const Window& win, const T* y, Index k, T* out) {
  constexpr Index rows = outer_rows;
  const Index columns = win.area() * c, positions = n * win.out_h(h) * win.out_w(w);
  // Work is cut in two ways: a small weight into groups of positions, whose sums are added at the end, a large one into
  // parts of its rows, each a number of blocks.
  const Index size = k * columns, strip = 128, steps = (positions + strip - 1) / strip, blocks = (k + rows - 1) / rows;
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
    Windows<T> windows(x, h, w, c, win, win.out_h(h), win.out_w(w), win.kernel_w * c % lanes<T> != 0, lanes<T>);
    for (Index first = begin; first < end; first += strip) {
      const Index last = std::min(end, first + strip);
      windows.locate(first, last);
      add_weight_gradient(y + first * k, k, from, to, last - first, windows, columns, sum);
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
