// Registers of neighbouring channels, for loops over (..., c) in which every channel is treated alike.
#pragma once

#include <algorithm>

#include "limn/backend/cpu/blocks/block.hpp"

namespace limn::kernel::detail {

/// Neighbouring channels that are worked on at once: a register, a quarter of one, or a single number.
template <class T, int Lanes>
struct Channels {
  using Value [[gnu::vector_size(Lanes * sizeof(T))]] = T;
  using InMemory [[gnu::vector_size(Lanes * sizeof(T)), gnu::aligned(alignof(T)), gnu::may_alias]] = T;
  static Value load(const T* from) { return *reinterpret_cast<const InMemory*>(from); }
  static void store(T* to, Value value) { *reinterpret_cast<InMemory*>(to) = value; }
};

/// Calls f.operator()<Lanes>() with the widest Lanes that c channels fill.
template <class T, class F>
void by_channels(Index c, const F& f) {
  constexpr int whole = static_cast<int>(lanes<T>), quarter = std::max(whole / 4, 1);
  if (c >= whole) return f.template operator()<whole>();
  if (c >= quarter) return f.template operator()<quarter>();
  f.template operator()<1>();
}

/// Rows that are summed at once: few enough to stay in a core's first cache.
inline Index rows_of_block(Index c) { return std::clamp<Index>(4096 / c, 16, 512); }

/// Calls f.operator()<Lanes, Side>(k) for strips of Side registers of channels from k on. The last register takes
/// channels of the one before along, for which f does the same again. Side: 4 where that many registers are full, or 1.
template <class T, class F>
void for_strips(Index c, const F& f) {
  by_channels<T>(c, [&]<int Lanes>() {
    Index k = 0;
    if constexpr (Lanes == lanes<T>)
      for (; k + 4 * Lanes <= c; k += 4 * Lanes) f.template operator()<Lanes, 4>(k);
    for (; k < c; k += Lanes) f.template operator()<Lanes, 1>(std::min<Index>(k, c - Lanes));
  });
}

}  // namespace limn::kernel::detail
