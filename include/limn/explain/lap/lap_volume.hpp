// The explanation that a LAP network gives of a volume: explain/lap/lap.hpp, with a depth.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "limn/explain/lap/lap.hpp"

namespace limn::explain {

using Volume = xt::xtensor<float, 3>;  ///< (d, h, w)

/// What is said about one volume.
struct VolumeExplanation {
  Volume map;                 ///< (d, h, w), of the size of the shallowest LAP
  Grid grid = {};             ///< where its elements lie in the volume
  Volume ranking;             ///< the sum over depths of the network, which keeps the order below the threshold
  std::vector<Volume> parts;  ///< the map of each LAP, from shallow to deep
};

namespace detail {
inline MapSize size_of(const Volume& volume) {
  const auto extent = [&](std::size_t axis) { return static_cast<Index>(volume.shape()[axis]); };
  return {extent(0), extent(1), extent(2)};
}
}  // namespace detail

/// Algorithm 1 on volumes; see integrate.
[[nodiscard, gnu::cold]] inline Volume integrate_volumes(const std::vector<Volume>& maps,
                                                         const std::vector<Window3d>& windows = {},
                                                         const IntegrateOptions& options = {}) {
  require(!maps.empty(), "integrate: no maps");
  Volume joined = maps.back();
  float decay = 1;
  for (std::size_t l = maps.size() - 1; l-- > 0;) {
    decay *= options.decay;
    Volume next(maps[l].shape(), 0.f);
    detail::join_step(joined.data(), detail::size_of(joined), maps[l].data(), detail::size_of(maps[l]),
                      l < windows.size() ? windows[l] : Window3d{}, decay, options.threshold, next.data());
    joined = std::move(next);
  }
  return joined;
}

/// The network's own explanation of volumes. A class without a clue of its own (the background) has none: its map is
/// empty.
struct LapVolume {
  static constexpr const char* name = "LAP";
  IntegrateOptions options = {};

  template <class Net, Backend B>
  [[nodiscard]] std::vector<VolumeExplanation> operator()(const Net& net, const Tensor<B>& volumes,
                                                          std::span<const Index> classes) const {
    const NoRecord no_record;
    Run<B> run;
    (void)run(net, Var<B>(volumes));
    require(!run.laps.empty(), "explain::LapVolume: the network has no LAP (use LapPool3d)");
    return (*this)(run, classes);
  }

  /// From the LAPs of a pass that was made anyway.
  template <Backend B>
  [[nodiscard]] std::vector<VolumeExplanation> operator()(const Run<B>& run, std::span<const Index> classes) const {
    const NoRecord no_record;
    std::vector<VolumeExplanation> out(classes.size());
    if (run.laps.empty()) return out;
    const Shape first = run.laps.front().logits.shape();
    std::vector<Window3d> windows;
    for (const auto& lap : run.laps) {
      const Shape& shape = lap.logits.shape();
      require<ShapeError>(shape.rank() == 5, "explain::LapVolume: maps of shape ", shape,
                          ", expected those of volumes (for pictures: explain::Lap)");
      require<ShapeError>(shape[0] == static_cast<Index>(classes.size()), "explain::LapVolume: ", classes.size(),
                          " classes for maps ", shape);
      windows.push_back(lap.window);
      const Tensor<B> importance = sigmoid(lap.logits).value();
      const Tensor<B> on_first =  // where the elements of the shallowest map lie
          resize3d(Var<B>(importance), first[1], first[2], first[3], run.grid(shape), run.grid(first)).value();
      for (std::size_t i = 0; i < out.size(); ++i) {
        require(classes[i] >= 0 && classes[i] < lap.clues.classes, "explain::LapVolume: class ", classes[i],
                ", expected 0 to ", lap.clues.classes - 1);
        if (!Lap::speaks_for(lap.clues, classes[i])) continue;
        out[i].parts.push_back(class_map(importance, lap.clues, static_cast<Index>(i), classes[i]));
        const Volume more = class_map(on_first, lap.clues, static_cast<Index>(i), classes[i]);
        if (out[i].parts.size() == 1) out[i].ranking = Volume(more.shape(), 0.f);
        for (std::size_t e = 0; e < more.size(); ++e) out[i].ranking.data()[e] += more.data()[e];
      }
    }
    for (VolumeExplanation& e : out) {
      e.grid = run.grid(first);
      if (!e.parts.empty()) e.map = integrate_volumes(e.parts, windows, options);
    }
    return out;
  }

 private:
  /// The mean over the clues that speak for the class.
  template <Backend B>
  static Volume class_map(const Tensor<B>& importance, const ClueTable& clues, Index image, Index of_class) {
    const Shape& s = importance.shape();
    Volume out(
        std::array{static_cast<std::size_t>(s[1]), static_cast<std::size_t>(s[2]), static_cast<std::size_t>(s[3])},
        0.f);
    Index speaking = 0;
    for (Index m = 0; m < clues.clues; ++m) speaking += clues.side(m, of_class) > 0;
    for (Index m = 0; m < clues.clues; ++m)
      if (clues.side(m, of_class) > 0)
        for (std::size_t e = 0; e < out.size(); ++e)
          out.data()[e] += static_cast<float>(
              importance.data()[(image * s.product(1, 4) + static_cast<Index>(e)) * clues.clues + m] /
              static_cast<typename B::scalar>(speaking));
    return out;
  }
};

}  // namespace limn::explain
