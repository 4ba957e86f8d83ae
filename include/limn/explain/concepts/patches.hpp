// Squares cut out of pictures at regular steps, each enlarged to the size of a picture.
#pragma once

#include <algorithm>
#include <cmath>

#include "limn/backend/kernels.hpp"

namespace limn::explain {

/// Along one side of a picture, in pixels. `patch`: the share of the side that a patch covers; `stride`: from one patch
/// to the next, as a share of a patch. What is left over at the end is not covered.
struct Patches {
  Index size, step, count;
  Patches(Index side, double patch, double stride)
      : size(std::clamp<Index>(std::lround(patch * static_cast<double>(side)), 1, side)),
        step(std::max<Index>(static_cast<Index>(stride * static_cast<double>(size)), 1)),
        count((side - size) / step + 1) {}
};

/// Patches number `begin` to `begin + count - 1` of pictures (n, h, w, c), picture by picture and row by row:
/// (count, h, w, c), bilinear with half-pixel centres.
template <Backend B>
[[nodiscard]] Tensor<B> enlarged_patches(const Tensor<B>& pictures, const Patches& rows, const Patches& columns,
                                         Index begin, Index count) {
  const Index h = pictures.dim(1), w = pictures.dim(2), each = rows.count * columns.count;
  const Sampling down = Sampling::half_pixel(rows.size, h), across = Sampling::half_pixel(columns.size, w);
  Tensor<B> out(Shape{count, h, w, pictures.dim(3)});
  for (Index k = 0; k < count; ++k) {
    const Index at = (begin + k) % each;
    Tensor<B> patch = kernel::slice(pictures, 0, (begin + k) / each, 1);
    patch = kernel::slice(patch, 1, at / columns.count * rows.step, rows.size);
    patch = kernel::slice(patch, 2, at % columns.count * columns.step, columns.size);
    patch = kernel::resize_bilinear(patch, h, w, down, across);
    std::copy_n(patch.data(), patch.size(), out.data() + k * patch.size());
  }
  return out;
}

}  // namespace limn::explain
