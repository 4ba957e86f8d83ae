// Matrices packed for the blocks of block.hpp: cut into panels of a block's width, which are read from front to back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "limn/backend/cpu/blocks/block.hpp"
#include "limn/core/memory.hpp"
#include "limn/core/parallel.hpp"

namespace limn::kernel::detail {

/// A matrix (inner x columns) cut into panels of block_columns columns, each with its rows one after the other, filled
/// up with zeros. A last panel that one register holds is one register wide.
template <class T>
struct Panels {
  Index inner, columns;
  std::shared_ptr<T> data;

  /// Without data: new, and not filled.
  Panels(Index inner_size, Index column_count, std::shared_ptr<T> filled = nullptr)
      : inner(inner_size),
        columns(column_count),
        data(filled != nullptr ? std::move(filled) : pooled_buffer<T>(inner * round_up(columns))) {}

  static Index round_up(Index columns) { return (columns + lanes<T> - 1) / lanes<T> * lanes<T>; }
  [[nodiscard]] Index count() const { return (columns + block_columns<T> - 1) / block_columns<T>; }
  [[nodiscard]] Index width(Index p) const {
    return round_up(std::min(block_columns<T>, columns - p * block_columns<T>));
  }
  [[nodiscard]] Index used(Index p) const { return std::min(block_columns<T>, columns - p * block_columns<T>); }
  [[nodiscard]] T* at(Index p) const { return data.get() + p * block_columns<T> * inner; }
};

/// One step of a transposition: exchanges the halves, quarters, ... of registers that lie `Distance` apart.
template <class T, int Distance, std::size_t... Lane>
inline void exchange(typename Register<T>::Value* row, std::index_sequence<Lane...>) {
  constexpr int count = lanes<T>;
#pragma GCC unroll 16
  for (int i = 0; i < count; ++i) {
    if ((i & Distance) != 0) continue;
    const auto a = row[i], b = row[i + Distance];
    row[i] = __builtin_shufflevector(a, b, ((Lane & Distance) == 0 ? Lane : count + Lane - Distance)...);
    row[i + Distance] = __builtin_shufflevector(a, b, ((Lane & Distance) == 0 ? Lane + Distance : count + Lane)...);
  }
  if constexpr (Distance > 1) exchange<T, Distance / 2>(row, std::index_sequence<Lane...>{});
}

/// to[i * to_step + j] = from[j * from_step + i] for i and j below the number of lanes.
template <class T>
[[gnu::noinline]] void transpose_block(const T* from, Index from_step, T* to, Index to_step) {
  constexpr int count = lanes<T>;
  typename Register<T>::Value row[count];
#pragma GCC unroll 16
  for (int i = 0; i < count; ++i) {
    row[i] = Register<T>::load(from + i * from_step);
    __builtin_prefetch(from + i * from_step + 2 * count);
  }
  exchange<T, count / 2>(row, std::make_index_sequence<count>{});
#pragma GCC unroll 16
  for (int i = 0; i < count; ++i) Register<T>::store(to + i * to_step, row[i]);
}

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
    Index i0 = unit % chunks * chunk;
    for (; used == width && i0 + lanes<T> <= end; i0 += lanes<T>)
      for (Index j = 0; j < width; j += lanes<T>)
        transpose_block(from + j * inner + i0, inner, panels.at(p) + i0 * width + j, width);
    for (Index i = i0; i < end; ++i) {
      T* const to = panels.at(p) + i * width;
      for (Index j = 0; j < used; ++j) to[j] = from[j * inner + i];
      std::fill(to + used, to + width, T(0));
    }
  });
  return panels;
}

/// Rows (tap, j), columns c: some taps of the weight (k, area, c), in the order of `taps`.
template <class T>
Panels<T> panels_of_taps(const T* weight, Index k, Index area, Index c, const std::vector<Index>& taps) {
  const Index count = static_cast<Index>(taps.size());
  Panels<T> panels(count * k, c);
  parallel_for(panels.count() * count, [&](Index unit) {
    const Index p = unit / count, t = unit % count, width = panels.width(p), used = panels.used(p);
    for (Index j = 0; j < k; ++j) {
      const T* const from = weight + (j * area + taps[static_cast<std::size_t>(t)]) * c + p * block_columns<T>;
      T* const to = panels.at(p) + (t * k + j) * width;
      std::fill(std::copy_n(from, used, to), to + width, T(0));
    }
  });
  return panels;
}

}  // namespace limn::kernel::detail
