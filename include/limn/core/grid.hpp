// Where the elements of a feature map lie in the picture. Element i of a map that was made by windows of 3 with stride
// 2 and padding 1 stands for the elements 2i - 1 to 2i + 1 of the map before: its middle is 2i. A resize with
// half-pixel centres takes it for 2i + 1/2, and the error doubles with every such step (docs/lap.md).
#pragma once

#include "limn/core/shape.hpp"

namespace limn {

/// Where a resize reads along one axis: output i lies at `first + step * i` of the input.
struct Sampling {
  double first = 0, step = 1;

  /// Both axes begin and end at the outer borders of their first and last elements (torch: align_corners = false).
  static constexpr Sampling half_pixel(Index in, Index out) {
    const double step = static_cast<double>(in) / static_cast<double>(out);
    return {(step - 1) / 2, step};
  }
  /// The first and the last elements of both axes lie on each other (torch: align_corners = true).
  static constexpr Sampling aligned_corners(Index in, Index out) {
    return {0, out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0};
  }
};

/// Along one axis: the middle of element i lies at pixel first + step * i.
struct GridAxis {
  double first = 0, step = 1;

  /// `count` elements that share `pixels` pixels equally.
  static constexpr GridAxis covering(Index pixels, Index count) {
    const Sampling whole = Sampling::half_pixel(pixels, count);
    return {whole.first, whole.step};
  }
  /// Of windows over this axis.
  [[nodiscard]] constexpr GridAxis pooled(Index kernel, Index stride, Index pad) const {
    return {first + step * (static_cast<double>(kernel - 1) / 2 - static_cast<double>(pad)),
            step * static_cast<double>(stride)};
  }
  /// Where the elements of `to` lie among those of this axis.
  [[nodiscard]] constexpr Sampling sampling(const GridAxis& to) const {
    return {(to.first - first) / step, to.step / step};
  }
};

struct Grid {
  GridAxis rows, columns, slices = {};  ///< slices: along the depth of a volume

  [[nodiscard]] constexpr Grid pooled(const Window3d& w) const {
    const Window& p = w.plane;
    return {rows.pooled(p.kernel_h, p.stride_h, p.pad_h), columns.pooled(p.kernel_w, p.stride_w, p.pad_w),
            slices.pooled(w.kernel_d, w.stride_d, w.pad_d)};
  }
  [[nodiscard]] constexpr Grid pooled(const Window& w) const { return pooled(Window3d{w}); }
};

}  // namespace limn
