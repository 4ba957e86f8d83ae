// Matrices packed for the blocks of block.hpp: cut into panels of a block's width, which are read from front to back.
#pragma once

#include <algorithm>
#include <memory>

#include "limn/backend/cpu/block.hpp"
#include "limn/core/memory.hpp"
#include "limn/core/parallel.hpp"

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

}  // namespace limn::kernel::detail
