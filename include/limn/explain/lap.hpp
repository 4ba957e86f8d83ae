// The explanation a LAP network gives of itself: the maps of all depths joined into one (Distinguishing Clues,
// Algorithm 1), for the clues that speak for a class.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "limn/explain/explanation.hpp"
#include "limn/nn/run.hpp"
#include "limn/ops/ops.hpp"

namespace limn::explain {

using Map = xt::xtensor<float, 2>;

struct IntegrateOptions {
  float decay = 0.8f;      ///< the impact of each shallower LAP (alpha)
  float threshold = 0.5f;  ///< active from here on
};

namespace detail {
/// The extent `fine` is cut into `coarse` zones; this is the zone of a position.
inline Index zone(Index position, Index fine, Index coarse) { return std::min(position * coarse / fine, coarse - 1); }

inline Map stretched(const Map& map, Index h, Index w) {
  Map out(std::array<std::size_t, 2>{static_cast<std::size_t>(h), static_cast<std::size_t>(w)});
  const auto mh = static_cast<Index>(map.shape()[0]), mw = static_cast<Index>(map.shape()[1]);
  for (Index y = 0; y < h; ++y)
    for (Index x = 0; x < w; ++x) out(y, x) = map(zone(y, h, mh), zone(x, w, mw));
  return out;
}
}  // namespace detail

/// Algorithm 1: from the deepest map to the shallowest. Where the map so far is active and something in the same zone
/// of the next shallower map is active too, that map decides inside the zone (decayed); elsewhere the zone inherits.
/// `maps` from shallow to deep, importance in [0, 1]; the result has the size of the shallowest.
[[nodiscard]] inline Map integrate(const std::vector<Map>& maps, const IntegrateOptions& options = {}) {
  require(!maps.empty(), "integrate: no maps");
  Map joined = maps.back();
  float decay = 1;
  for (std::size_t l = maps.size() - 1; l-- > 0;) {
    decay *= options.decay;  // alpha^(L - l)
    const Map& fine = maps[l];
    const auto h = static_cast<Index>(fine.shape()[0]), w = static_cast<Index>(fine.shape()[1]);
    const auto ch = static_cast<Index>(joined.shape()[0]), cw = static_cast<Index>(joined.shape()[1]);
    require<ShapeError>(h >= ch && w >= cw, "integrate: a shallower map of ", h, " x ", w, " after a deeper one of ",
                        ch, " x ", cw);
    Map best(joined.shape(), 0.f);  // the largest value of the finer map in every zone
    for (Index y = 0; y < h; ++y)
      for (Index x = 0; x < w; ++x) {
        float& b = best(detail::zone(y, h, ch), detail::zone(x, w, cw));
        b = std::max(b, fine(y, x));
      }
    Map next(fine.shape());
    for (Index y = 0; y < h; ++y)
      for (Index x = 0; x < w; ++x) {
        const Index zy = detail::zone(y, h, ch), zx = detail::zone(x, w, cw);
        const float coarse = joined(zy, zx), decayed = fine(y, x) * decay;
        if (coarse >= options.threshold && best(zy, zx) >= options.threshold) {
          next(y, x) = fine(y, x) >= options.threshold ? std::max(coarse, decayed) : decayed;
        } else {
          next(y, x) = coarse;
        }
      }
    joined = std::move(next);
  }
  return joined;
}

/// The sum of all maps at the size of the shallowest: it keeps the order below the threshold, for choosing the top K.
[[nodiscard]] inline Map sum_of(const std::vector<Map>& maps) {
  require(!maps.empty(), "sum_of: no maps");
  Map out = maps.front();
  for (std::size_t l = 1; l < maps.size(); ++l) {
    const Map more = detail::stretched(maps[l], static_cast<Index>(out.shape()[0]), static_cast<Index>(out.shape()[1]));
    for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] += more.data()[i];
  }
  return out;
}

/// The network's own explanation. A class without a clue of its own (the background) has none: its map is empty.
struct Lap {
  static constexpr const char* name = "LAP";
  static constexpr bool probability = true;  ///< values are probabilities; active from 0.5 on
  IntegrateOptions options = {};

  /// Some clue speaks for this class.
  [[nodiscard]] static bool speaks_for(const ClueTable& clues, Index of_class) {
    return !lap::is_background(clues, of_class);
  }

  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    const NoRecord no_record;
    Run<B> run;
    (void)run(net, Var<B>(images));
    require(!run.laps.empty(), "explain::Lap: the network has no LAP (use pool::Lap)");
    return (*this)(run.laps, classes);
  }

  /// From the LAPs of a pass that was made anyway.
  template <Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const std::vector<LapOutput<B>>& laps,
                                                    std::span<const Index> classes) const {
    const NoRecord no_record;
    std::vector<Tensor<B>> importance;
    for (const auto& lap : laps) importance.push_back(sigmoid(lap.logits).value());
    std::vector<Explanation> out;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const ClueTable& clues = laps.front().clues;
      require(classes[i] >= 0 && classes[i] < clues.classes, "explain::Lap: class ", classes[i], ", expected 0 to ",
              clues.classes - 1);
      Explanation e;
      std::vector<Map> maps;
      for (std::size_t l = 0; l < laps.size() && speaks_for(clues, classes[i]); ++l) {
        maps.push_back(class_map(importance[l], clues, static_cast<Index>(i), classes[i]));
        e.parts.emplace_back(text("LAP ", l + 1, " (", maps.back().shape()[0], " x ", maps.back().shape()[1], ")"),
                             maps.back());
      }
      if (!maps.empty()) {
        e.map = integrate(maps, options);
        e.ranking = sum_of(maps);
      }
      out.push_back(std::move(e));
    }
    return out;
  }

 private:
  /// The mean over the clues that speak for the class.
  template <Backend B>
  static Map class_map(const Tensor<B>& importance, const ClueTable& clues, Index image, Index of_class) {
    Map sum;
    float count = 0;
    for (Index m = 0; m < clues.clues; ++m) {
      if (clues.side(m, of_class) <= 0) continue;
      const Map one = map_of(importance, image, m);
      if (count++ == 0) {
        sum = one;
      } else {
        for (std::size_t i = 0; i < sum.size(); ++i) sum.data()[i] += one.data()[i];
      }
    }
    for (float& v : sum) v /= count;
    return sum;
  }
};

}  // namespace limn::explain
