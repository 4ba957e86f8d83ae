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
  /// to[i] = where output first + i goes.
  void locate(Index first, Index count, Index* to) const {
    Index x = first % out_w, y = first / out_w % out_h, n = first / out_w / out_h;
    for (Index i = 0; i < count; ++i) {
      to[i] = (n * height + top + y * down) * width + left + x * across;
      if (++x == out_w) {
        x = 0;
        if (++y == out_h) y = 0, ++n;
      }
    }
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
    std::array<Index, static_cast<std::size_t>(rows * 40)> to;
    places.locate(first, last - first, to.data());
    alignas(vector_bytes) std::array<T, static_cast<std::size_t>(rows * block_columns<T>)> edge;
    for (Index p = unit % groups * in_unit; p < std::min(panels.count(), (unit % groups + 1) * in_unit); ++p) {
      const Index width = panels.width(p), used = panels.used(p), column = p * block_columns<T>;
      const auto block = width == lanes<T> ? rows_times_panel<T, 1> : rows_times_panel<T, 2>;
      for (Index r = first; r < last; r += rows) {
        const bool whole = used == width && r + rows <= last && places.in_order();
        block(windows.at((r - first) * windows.taps()), windows.taps(), windows.depth(), panels.at(p), false,
              whole ? y + r * k + column : edge.data(), whole ? k : width);
        for (Index i = r; !whole && i < std::min(r + rows, last); ++i) {
          const T* const from = edge.data() + (i - r) * width;
          T* const at = y + to[static_cast<std::size_t>(i - first)] * k + column;
          if (used < width) std::copy_n(from, used, at);
          for (Index v = 0; used == width && v < width; v += lanes<T>)
            Register<T>::store(at + v, Register<T>::load(from + v));
        }
        if (!finish.empty()) finish_rows(finish, y, k, r, std::min(r + rows, last), column, used);
      }
    }
  });
}

}  // namespace limn::kernel::detail
