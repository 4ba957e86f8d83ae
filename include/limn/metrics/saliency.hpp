// How well a map keeps to what was annotated, by the measures of Explanation-Aware Learning (Eq. 7-9): saliency
// precision, of the top share and of all, and annotation coverage. Maps, masks and what is undefined: as in
// metrics/localisation.hpp. A random map's precision is the share of the picture that the mask covers: `mask_area`
// stands beside every score.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/share.hpp"
#include "limn/metrics/localisation.hpp"

namespace limn::metrics {

/// |top and M| / |top|, `top` being the ceil(share n) highest pixels, ties by reading order (Eq. 7). NaN for an empty
/// mask or a constant map. OptionError unless the share is above 0 and at most 1.
[[nodiscard]] inline double top_saliency_precision(const Map& map, const Map& mask, float share = 0.5f) {
  require<OptionError>(share > 0 && share <= 1, "top saliency precision: share must be above 0 and at most 1, got ",
                       share);
  check_map(map, mask);
  if (mask_size(mask) == 0 || is_constant(map)) return undefined_value;
  const Index count = elements(share, static_cast<Index>(map.size()));
  const Map best = top_k(map, count);
  Index hits = 0;
  for (std::size_t i = 0; i < map.size(); ++i) hits += best.data()[i] > 0.5f && mask.data()[i] > 0.5f;
  return static_cast<double>(hits) / static_cast<double>(count);
}

/// sum(H M) / sum(H), H being the map scaled to 0 .. 1 by its smallest and largest value (Eq. 8). Unlike
/// relevance_mass_accuracy it does not know where the map's own 0 is. NaN for an empty mask or a constant map.
[[nodiscard]] inline double all_saliency_precision(const Map& map, const Map& mask) {
  check_map(map, mask);
  if (mask_size(mask) == 0 || is_constant(map)) return undefined_value;
  const double low = *std::min_element(map.data(), map.data() + map.size());
  double inside = 0, all = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const double value = map.data()[i] - low;
    all += value;
    if (mask.data()[i] > 0.5f) inside += value;
  }
  return inside / all;
}

/// The parts of a mask that hang together, by sides or corners, each as a mask of its own, in reading order of their
/// first pixels: the individual annotations where only their union was kept.
[[nodiscard, gnu::cold]] inline std::vector<Map> components(const Map& mask) {
  const auto h = static_cast<Index>(mask.shape()[0]), w = static_cast<Index>(mask.shape()[1]);
  Map left = mask;
  std::vector<Map> out;
  std::vector<Index> open;
  for (Index start = 0; start < h * w; ++start) {
    if (left.data()[start] <= 0.5f) continue;
    out.emplace_back(mask.shape(), 0.0f);
    const auto take = [&](Index at) {
      left.data()[at] = 0;
      out.back().data()[at] = 1;
      open.push_back(at);
    };
    take(start);
    while (!open.empty()) {
      const Index y = open.back() / w, x = open.back() % w;
      open.pop_back();
      for (Index v = std::max<Index>(y - 1, 0); v <= std::min(y + 1, h - 1); ++v)
        for (Index u = std::max<Index>(x - 1, 0); u <= std::min(x + 1, w - 1); ++u)
          if (left.data()[v * w + u] > 0.5f) take(v * w + u);
    }
  }
  return out;
}

/// What is asked of annotation coverage.
struct CoverageOptions {
  float share = 0.5f;  ///< the highest pixels of the map, as a share of all, are salient
  double tau = 0.01;   ///< an annotation is covered if at least this share of its pixels is salient
};

/// The share of the annotations that are covered (Eq. 9). `annotations`: a mask for each, for instance of its box,
/// which may overlap; empty ones are left out. NaN where there are none, or for a constant map.
[[nodiscard, gnu::cold]] inline double annotation_coverage(const Map& map, const std::vector<Map>& annotations,
                                                           const CoverageOptions& options = {}) {
  require<OptionError>(options.share > 0 && options.share <= 1 && options.tau > 0 && options.tau <= 1,
                       "annotation coverage: share and tau must be above 0 and at most 1, got ", options.share, " and ",
                       options.tau);
  Index covered = 0, count = 0;
  const Map best = is_constant(map) ? map : top_k(map, elements(options.share, static_cast<Index>(map.size())));
  for (const Map& annotation : annotations) {
    check_map(map, annotation);
    const Index size = mask_size(annotation);
    Index salient = 0;
    for (std::size_t i = 0; i < map.size(); ++i) salient += best.data()[i] > 0.5f && annotation.data()[i] > 0.5f;
    count += size > 0;
    covered += size > 0 && static_cast<double>(salient) >= options.tau * static_cast<double>(size);
  }
  if (count == 0 || is_constant(map)) return undefined_value;
  return static_cast<double>(covered) / static_cast<double>(count);
}

/// Means over the pictures on which a measure is defined, and their sample standard deviations.
struct SaliencyScores {
  std::string explainer;
  Index images = 0;  ///< pictures given
  double top_precision = undefined_value, top_precision_std = undefined_value;
  double all_precision = undefined_value, all_precision_std = undefined_value;
  double coverage = undefined_value, coverage_std = undefined_value;
  double mask_area = undefined_value;  ///< mean share of the picture inside the mask: a random map's precision
  Index undefined = 0;                 ///< pictures on which the measures are undefined
  std::vector<std::string> reasons;    ///< why, each with a count of pictures
};

/// Takes maps of one explainer with their masks and gives the scores.
class SaliencyStudy {
 public:
  explicit SaliencyStudy(std::string explainer, const CoverageOptions& options = {})
      : explainer_(std::move(explainer)), options_(options) {}

  /// Both (H, W), the same size. `annotations`: the individual ones; where none are given, the mask's components.
  /// Returns the picture's top precision, all precision and coverage, for tests over pictures.
  [[gnu::cold]] std::array<double, 3> add(const Map& map, const Map& mask, const std::vector<Map>& annotations = {}) {
    const std::array<double, 3> values{
        top_saliency_precision(map, mask, options_.share), all_saliency_precision(map, mask),
        annotation_coverage(map, annotations.empty() ? components(mask) : annotations, options_)};
    ++images_;
    const Index inside = mask_size(mask);
    empty_masks_ += inside == 0;
    constant_ += inside > 0 && is_constant(map);
    if (inside > 0) area_.add(static_cast<double>(inside) / static_cast<double>(mask.size()));
    top_.add(values[0]);
    all_.add(values[1]);
    coverage_.add(values[2]);
    return values;
  }

  [[nodiscard, gnu::cold]] SaliencyScores scores() const {
    SaliencyScores s{.explainer = explainer_,
                     .images = images_,
                     .top_precision = top_.mean(),
                     .top_precision_std = top_.std(),
                     .all_precision = all_.mean(),
                     .all_precision_std = all_.std(),
                     .coverage = coverage_.mean(),
                     .coverage_std = coverage_.std(),
                     .mask_area = area_.mean(),
                     .undefined = empty_masks_ + constant_,
                     .reasons = {}};
    const auto say = [&](Index count, const char* why) {
      if (count > 0) s.reasons.push_back(text(count, " of ", images_, " pictures: ", why));
    };
    say(empty_masks_, "the mask is empty");
    say(constant_, "the map is the same everywhere");
    return s;
  }

 private:
  std::string explainer_;
  CoverageOptions options_;
  Index images_ = 0, empty_masks_ = 0, constant_ = 0;
  Running top_, all_, coverage_, area_;
};

}  // namespace limn::metrics
