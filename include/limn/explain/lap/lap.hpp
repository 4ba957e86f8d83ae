// The explanation a LAP network gives of itself: the maps of all depths joined into one (Distinguishing Clues,
// Algorithm 1), for the clues that speak for a class.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "limn/explain/explanation.hpp"
#include "limn/explain/saliency.hpp"

namespace limn::explain {

struct IntegrateOptions {
  float decay = 0.8f;      ///< the impact of each shallower LAP (alpha)
  float threshold = 0.5f;  ///< active from here on
};

namespace detail {

/// The size of a map; a picture has one slice.
struct MapSize {
  Index d, h, w;
  [[nodiscard]] std::string text() const {
    return (d == 1 ? limn::text(h) : limn::text(d, " x ", h)) + limn::text(" x ", w);
  }
  friend bool operator==(const MapSize&, const MapSize&) = default;
};

/// The elements of the finer map that coarse element `at` stands for, along one axis: [begin, end).
struct Zone {
  Index begin, end;
};
inline Zone zone_of(Index at, bool by_windows, Index kernel, Index stride, Index pad, Index fine, Index coarse) {
  const auto up = [](Index a, Index b) { return (a + b - 1) / b; };
  const Zone whole = by_windows ? Zone{at * stride - pad, at * stride - pad + kernel}
                                : Zone{up(at * fine, coarse), up((at + 1) * fine, coarse)};
  return {std::max<Index>(whole.begin, 0), std::min(whole.end, fine)};
}

/// One step of Algorithm 1: what becomes of the map so far (of size `deep`) inside the finer map `p` (of size `fine`),
/// whose values count `decay`. Raises `out`, which begins at 0.
[[gnu::cold]] inline void join_step(const float* joined, const MapSize& deep, const float* p, const MapSize& fine,
                                    const Window3d& win, float decay, float threshold, float* out) {
  require<ShapeError>(fine.d >= deep.d && fine.h >= deep.h && fine.w >= deep.w, "integrate: a shallower map of ",
                      fine.text(), " after a deeper one of ", deep.text());
  const bool by_windows = MapSize{win.out_d(fine.d), win.out_h(fine.h), win.out_w(fine.w)} == deep;
  const Window& plane = win.plane;
  for (Index at = 0; at < deep.d * deep.h * deep.w; ++at) {
    const Zone columns = zone_of(at % deep.w, by_windows, plane.kernel_w, plane.stride_w, plane.pad_w, fine.w, deep.w),
               rows = zone_of(at / deep.w % deep.h, by_windows, plane.kernel_h, plane.stride_h, plane.pad_h, fine.h,
                              deep.h),
               slices =
                   zone_of(at / deep.w / deep.h, by_windows, win.kernel_d, win.stride_d, win.pad_d, fine.d, deep.d);
    const auto each = [&](const auto& visit) {
      for (Index z = slices.begin; z < slices.end; ++z)
        for (Index y = rows.begin; y < rows.end; ++y)
          for (Index x = columns.begin; x < columns.end; ++x) visit((z * fine.h + y) * fine.w + x);
    };
    const float coarse = joined[at];
    float largest = 0;
    each([&](Index i) { largest = std::max(largest, p[i]); });
    const bool decides = coarse >= threshold && largest >= threshold;
    each([&](Index i) {
      const float decayed = p[i] * decay;
      out[i] = std::max(out[i], !decides ? coarse : p[i] >= threshold ? std::max(coarse, decayed) : decayed);
    });
  }
}

}  // namespace detail

/// Algorithm 1: from the deepest map to the shallowest. Where the map so far is active and something in the same zone
/// of the next shallower map is active too, that map decides inside the zone (decayed); elsewhere the zone inherits.
/// `maps` from shallow to deep, importance in [0, 1]; the result has the size of the shallowest. The zone of an element
/// is the window of the pool between the two maps (`windows`, one per map but the last); where windows overlap, the
/// larger value counts. Without a window that leads from one size to the other, zones are equal parts of the map.
[[nodiscard]] inline Map integrate(const std::vector<Map>& maps, const std::vector<Window>& windows = {},
                                   const IntegrateOptions& options = {}) {
  require(!maps.empty(), "integrate: no maps");
  Map joined = maps.back();
  float decay = 1;
  for (std::size_t l = maps.size() - 1; l-- > 0;) {
    decay *= options.decay;  // alpha^(L - l)
    const auto size = [](const Map& map) {
      return detail::MapSize{1, static_cast<Index>(map.shape()[0]), static_cast<Index>(map.shape()[1])};
    };
    Map next(maps[l].shape(), 0.f);
    detail::join_step(joined.data(), size(joined), maps[l].data(), size(maps[l]),
                      {l < windows.size() ? windows[l] : Window{}}, decay, options.threshold, next.data());
    joined = std::move(next);
  }
  return joined;
}

/// The sum of all maps at the size of the shallowest, each read where its elements lie: it keeps the order below the
/// threshold, for choosing the top K.
[[nodiscard]] inline Map sum_of(const std::vector<Map>& maps, const std::vector<Grid>& grids) {
  require(!maps.empty() && maps.size() == grids.size(), "sum_of: ", maps.size(), " maps and ", grids.size(), " grids");
  Map out = maps.front();
  const auto h = static_cast<Index>(out.shape()[0]), w = static_cast<Index>(out.shape()[1]);
  for (std::size_t l = 1; l < maps.size(); ++l) {
    const Map more =
        resized(maps[l], h, w, grids[l].rows.sampling(grids[0].rows), grids[l].columns.sampling(grids[0].columns));
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
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    const NoRecord no_record;
    Run<B> run;
    (void)run(net, Var<B>(images));
    require(!run.laps.empty(), "explain::Lap: the network has no LAP (use pool::Lap)");
    return (*this)(run, classes);
  }

  /// From the LAPs of a pass that was made anyway.
  template <Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Run<B>& run,
                                                               std::span<const Index> classes) const {
    const NoRecord no_record;
    const auto& laps = run.laps;
    std::vector<Tensor<B>> importance;
    std::vector<Window> windows;
    std::vector<Grid> grids;
    for (const auto& lap : laps) {
      require<ShapeError>(lap.logits.rank() == 4, "explain::Lap: maps of shape ", lap.logits.shape(),
                          ", expected those of pictures (for volumes: explain::LapVolume)");
      importance.push_back(sigmoid(lap.logits).value());
      windows.push_back(lap.window.plane);
      grids.push_back(run.grid(lap.logits.shape()));
    }
    std::vector<Explanation> out;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const ClueTable& clues = laps.front().clues;
      require(classes[i] >= 0 && classes[i] < clues.classes, "explain::Lap: class ", classes[i], ", expected 0 to ",
              clues.classes - 1);
      Explanation e;
      std::vector<Map> maps;
      for (std::size_t l = 0; l < laps.size() && speaks_for(clues, classes[i]); ++l) {
        maps.push_back(class_map(importance[l], clues, static_cast<Index>(i), classes[i]));
        e.parts.push_back({text("LAP ", l + 1, " (", maps.back().shape()[0], " x ", maps.back().shape()[1], ")"),
                           maps.back(), grids[l]});
      }
      if (!maps.empty()) {
        e.map = integrate(maps, windows, options);
        e.grid = grids.front();
        e.ranking = sum_of(maps, grids);
      }
      out.push_back(std::move(e));
    }
    return out;
  }

  /// Inside training (explain/saliency.hpp): the mean of all LAPs at the size of the shallowest, each read where its
  /// elements lie. It is the map by which elements are ranked (sum_of), divided by the number of LAPs; the joined map
  /// has thresholds, through which no gradient goes. 0 where no clue speaks for the class.
  template <Backend B>
  [[nodiscard, gnu::cold]] Var<B> saliency(const Question<B>& question) const {
    const auto& laps = question.run.laps;
    require(!laps.empty(), "explain::Lap: the network has no LAP (use pool::Lap)");
    const ClueTable& clues = laps.front().clues;
    Tensor<B> share(Shape{static_cast<Index>(question.classes.size()), 1, 1, clues.clues}, typename B::scalar(0));
    for (Index i = 0; i < share.dim(0); ++i) {
      const Index of_class = question.classes[static_cast<std::size_t>(i)];
      require(of_class >= 0 && of_class < clues.classes, "explain::Lap: class ", of_class, ", expected 0 to ",
              clues.classes - 1);
      Index speaking = 0;
      for (Index m = 0; m < clues.clues; ++m) speaking += clues.side(m, of_class) > 0;
      for (Index m = 0; m < clues.clues; ++m)
        if (clues.side(m, of_class) > 0)
          share(i, 0, 0, m) = 1 / static_cast<typename B::scalar>(speaking * static_cast<Index>(laps.size()));
    }
    const Index h = laps.front().logits.dim(1), w = laps.front().logits.dim(2);
    Var<B> joined;
    for (const auto& lap : laps) {
      Var<B> map = sum(sigmoid(lap.logits) * Var<B>(share), {-1});
      if (!joined.empty()) map = resize(map, h, w, question.run.grid(map.dim(1), map.dim(2)), question.run.grid(h, w));
      joined = joined.empty() ? map : joined + map;
    }
    return joined;
  }
  template <Backend B>
  [[nodiscard]] bool speaks_for(const Run<B>& run, Index of_class) const {
    return run.laps.empty() || speaks_for(run.laps.front().clues, of_class);
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
