// Where the elements of LAP maps of different depths lie. Element i of a map that was pooled by windows of 3 with
// stride 2 and padding 1 stands for the elements 2i - 1 to 2i + 1 of the map before, its middle is 2i; a plain resize
// would take it for 2i + 1/2, and the error doubles from depth to depth (docs/lap.md).
#pragma once

#include <vector>

#include "limn/nn/run.hpp"
#include "limn/ops/resize.hpp"

namespace limn {

/// Along one axis: element i lies at first + step * i, in elements of the first LAP's map.
struct GridAxis {
  double first = 0, step = 1;

  /// Where the elements of `to` lie in the map on this axis.
  [[nodiscard]] constexpr Sampling sampling(const GridAxis& to) const {
    return {(to.first - first) / step, to.step / step};
  }
  /// After windows of this kind; after anything else that leaves `out` of `in` elements, both maps cover the same
  /// extent.
  [[nodiscard]] constexpr GridAxis pooled(bool by_windows, Index kernel, Index stride, Index pad, Index in,
                                          Index out) const {
    const Sampling plain = Sampling::half_pixel(in, out);
    return by_windows ? GridAxis{first + step * (static_cast<double>(kernel - 1) / 2 - static_cast<double>(pad)),
                                 step * static_cast<double>(stride)}
                      : GridAxis{first + step * plain.first, step * plain.step};
  }
};

struct LapGrid {
  GridAxis rows, columns;
};

/// A map of `in_h` x `in_w` becomes one of `out_h` x `out_w` by these windows.
[[nodiscard]] constexpr bool leads_to(const Window& window, Index in_h, Index in_w, Index out_h, Index out_w) {
  return window.out_h(in_h) == out_h && window.out_w(in_w) == out_w;
}

/// One grid per LAP, from shallow to deep. Where something else than the LAP's own pool lies between two LAPs (their
/// sizes do not follow from its window), their maps are taken to cover the same extent.
template <Backend B>
[[nodiscard]] std::vector<LapGrid> lap_grids(const std::vector<LapOutput<B>>& laps) {
  std::vector<LapGrid> out(laps.size());
  for (std::size_t l = 1; l < laps.size(); ++l) {
    const Window& w = laps[l - 1].window;
    const Shape &in = laps[l - 1].logits.shape(), &to = laps[l].logits.shape();
    const bool own = leads_to(w, in[1], in[2], to[1], to[2]);
    out[l].rows = out[l - 1].rows.pooled(own, w.kernel_h, w.stride_h, w.pad_h, in[1], to[1]);
    out[l].columns = out[l - 1].columns.pooled(own, w.kernel_w, w.stride_w, w.pad_w, in[2], to[2]);
  }
  return out;
}

/// A map (n, h, w, c) on grid `from`, read where the elements of a map of `height` x `width` on grid `to` lie.
template <Backend B>
[[nodiscard]] Var<B> on_grid(const Var<B>& map, const LapGrid& from, const LapGrid& to, Index height, Index width) {
  return resize(map, height, width, from.rows.sampling(to.rows), from.columns.sampling(to.columns));
}

}  // namespace limn
