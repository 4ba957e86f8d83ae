// What an explainer gives: maps of one picture, as they come out of the method. Resizing, signs and scaling are for
// whoever uses them.
#pragma once

#include <optional>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/backend/kernels.hpp"
#include "limn/core/grid.hpp"

namespace limn::explain {

using Map = xt::xtensor<float, 2>;  ///< (h, w)

/// A map at the method's own resolution (h, w), and where its elements lie in the picture; without a grid they share it
/// equally.
struct MapPart {
  std::string name;
  Map map;
  std::optional<Grid> grid = std::nullopt;
};

struct Explanation {
  Map map;                                  ///< (h, w), the method's own resolution
  std::optional<Grid> grid = std::nullopt;  ///< where its elements lie in the picture; none: they share it equally
  /// Another map by which elements are ranked, where the method has one (LAP: the sum over depths, which keeps the
  /// order below the threshold). Empty: rank by the map.
  std::optional<Map> ranking = std::nullopt;
  /// The maps it was made of, from shallow to deep.
  std::vector<MapPart> parts = {};
  /// For methods that share out a number (a difference of scores, a relevance): the sum of all attributions less that
  /// number. Small, or the map is not what the method promises; where layers keep a part (LRP: biases), it is that
  /// part.
  std::optional<double> residual = std::nullopt;
};

/// One image's map out of a batch of maps (n, h, w, c), channel by channel.
template <class T>
[[nodiscard]] Map map_of(const Tensor<CpuOf<T>>& maps, Index image, Index channel = 0) {
  const Index h = maps.dim(1), w = maps.dim(2), c = maps.dim(3);
  Map out(std::array<std::size_t, 2>{static_cast<std::size_t>(h), static_cast<std::size_t>(w)});
  for (Index i = 0; i < h * w; ++i) out.data()[i] = static_cast<float>(maps.data()[(image * h * w + i) * c + channel]);
  return out;
}

/// A map read at other positions (bilinear).
[[nodiscard]] inline Map resized(const Map& map, Index h, Index w, const Sampling& rows, const Sampling& columns) {
  const Shape shape{1, static_cast<Index>(map.shape()[0]), static_cast<Index>(map.shape()[1]), 1};
  const Tensor<Cpu> x(shape, std::span(map.data(), map.size()));
  return map_of(kernel::resize_bilinear(x, h, w, rows, columns), 0);
}

/// A map laid over a picture of h x w pixels, every element where it lies (without a grid: by half-pixel centres).
[[nodiscard]] inline Map over_picture(const Map& map, const std::optional<Grid>& grid, Index h, Index w) {
  const Grid whole{GridAxis::covering(h, static_cast<Index>(map.shape()[0])),
                   GridAxis::covering(w, static_cast<Index>(map.shape()[1]))};
  const Grid& on = grid ? *grid : whole;
  return resized(map, h, w, on.rows.sampling({}), on.columns.sampling({}));
}

}  // namespace limn::explain
