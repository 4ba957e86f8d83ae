// What an explainer gives: maps of one picture, as they come out of the method. Resizing, signs and scaling are for
// whoever uses them.
#pragma once

#include <optional>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/backend/kernels.hpp"

namespace limn::explain {

struct Explanation {
  xt::xtensor<float, 2> map;  ///< (h, w), the method's own resolution
  /// Another map by which elements are ranked, where the method has one (LAP: the sum over depths, which keeps the
  /// order below the threshold). Empty: rank by the map.
  std::optional<xt::xtensor<float, 2>> ranking = std::nullopt;
  /// The maps it was made of, from shallow to deep, with names.
  std::vector<std::pair<std::string, xt::xtensor<float, 2>>> parts = {};
};

/// One image's map out of a batch of maps (n, h, w, c), channel by channel.
template <class T>
[[nodiscard]] xt::xtensor<float, 2> map_of(const Tensor<CpuOf<T>>& maps, Index image, Index channel = 0) {
  const Index h = maps.dim(1), w = maps.dim(2), c = maps.dim(3);
  xt::xtensor<float, 2> out(std::array<std::size_t, 2>{static_cast<std::size_t>(h), static_cast<std::size_t>(w)});
  for (Index i = 0; i < h * w; ++i) out.data()[i] = static_cast<float>(maps.data()[(image * h * w + i) * c + channel]);
  return out;
}

/// A map read at other positions (bilinear): at half-pixel centres, or where `rows` and `columns` say.
[[nodiscard]] inline xt::xtensor<float, 2> resized(const xt::xtensor<float, 2>& map, Index h, Index w,
                                                   const Sampling& rows, const Sampling& columns) {
  const Shape shape{1, static_cast<Index>(map.shape()[0]), static_cast<Index>(map.shape()[1]), 1};
  const Tensor<Cpu> x(shape, std::span(map.data(), map.size()));
  return map_of(kernel::resize_bilinear(x, h, w, rows, columns), 0);
}
[[nodiscard]] inline xt::xtensor<float, 2> resized(const xt::xtensor<float, 2>& map, Index h, Index w) {
  return resized(map, h, w, Sampling::half_pixel(static_cast<Index>(map.shape()[0]), h),
                 Sampling::half_pixel(static_cast<Index>(map.shape()[1]), w));
}

}  // namespace limn::explain
