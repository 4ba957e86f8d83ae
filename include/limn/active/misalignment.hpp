// Acquisition by explanations: how far a network looks away from what experts marked (Eq. 2 of the active learning
// paper), and which ways to fail a pool shows.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "limn/active/uncertainty.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/explain/explanation.hpp"
#include "limn/metrics/localisation.hpp"

namespace limn::acquire {

namespace detail {
/// D = 1 - 2 sum(A M) / (sum(A) + sum(M)), A the map scaled to 0 .. 1 by its smallest and largest value, 0 where it is
/// the same everywhere. 1 where both are empty. Both (h, w).
[[nodiscard, gnu::cold]] inline double dice_distance(const explain::Map& map, const float* mask) {
  const auto [low, high] = std::minmax_element(map.data(), map.data() + map.size());
  const double least = *low, range = metrics::is_constant(map) ? 0 : static_cast<double>(*high) - least;
  double both = 0, all = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const double a = range > 0 ? (static_cast<double>(map.data()[i]) - least) / range : 0;
    const double m = static_cast<double>(mask[i]);
    both += a * m;
    all += a + m;
  }
  return all > 0 ? 1 - 2 * both / all : 1;
}
}  // namespace detail

/// The Dice distance between the explainer's map of the predicted class and the picture's mask: 0 to 1. The map is laid
/// over the picture, every element where it lies, and then scaled to 0 .. 1.
///
/// Of a picture without a mask nothing is known (NaN: it counts as one of the others, drawn by chance). An empty mask,
/// where there is nothing to see, gives 1 by the formula, whatever the map. Where one class alone has something to see,
/// such masks tell the label: set `empty` to NaN there, and read docs/active_learning.md on what masks give away.
template <class Explainer>
struct Misalignment {
  static constexpr const char* name = "misalignment";
  double empty = 1;  ///< the score of a picture whose mask is empty
  Explainer explainer = {};

  template <class Net>
  std::vector<double> operator()(const View<Net>& view) const {
    const std::vector<Index> said = predicted_classes(view.probabilities);
    const std::vector<explain::Explanation> found = explainer(view.net, view.images, said);
    const Index h = view.images.dim(1), w = view.images.dim(2);
    std::vector<double> out;
    std::vector<float> mask(static_cast<std::size_t>(h * w));
    for (Index i = 0; i < view.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto* from = view.masks.data() + i * h * w;
      std::transform(from, from + h * w, mask.begin(), [](auto v) { return static_cast<float>(v); });
      if (view.has_mask[at] == 0) {
        out.push_back(metrics::undefined_value);
      } else if (std::none_of(mask.begin(), mask.end(), [](float v) { return v > 0; })) {
        out.push_back(empty);
      } else {
        out.push_back(detail::dice_distance(explain::over_picture(found[at].map, found[at].grid, h, w), mask.data()));
      }
    }
    return out;
  }
  [[nodiscard]] double largest(Index) const { return 1; }
};

/// Which pictures fail in which way: each of two scores is high or low, its median being the border (high: above it).
/// Positions in the pool, in its order.
struct Patterns {
  std::vector<Index> high_high;  ///< unsure, and looking away
  std::vector<Index> high_low;   ///< unsure, looking where it should
  std::vector<Index> low_high;   ///< sure, and looking away: what uncertainty alone misses
  std::vector<Index> low_low;
  double first_median = metrics::undefined_value, second_median = metrics::undefined_value;
};

/// Of two scores. Pictures of which either is NaN are left out.
[[nodiscard, gnu::cold]] inline Patterns patterns(const std::vector<double>& first, const std::vector<double>& second) {
  require<ShapeError>(first.size() == second.size(), "patterns: ", first.size(), " and ", second.size(), " scores");
  const auto known = [&](std::size_t i) { return !std::isnan(first[i]) && !std::isnan(second[i]); };
  const auto median = [&](const std::vector<double>& scores) {
    std::vector<double> values;
    for (std::size_t i = 0; i < scores.size(); ++i)
      if (known(i)) values.push_back(scores[i]);
    if (values.empty()) return metrics::undefined_value;
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  };
  Patterns out;
  out.first_median = median(first);
  out.second_median = median(second);
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!known(i)) continue;
    const bool unsure = first[i] > out.first_median, away = second[i] > out.second_median;
    (unsure ? (away ? out.high_high : out.high_low) : (away ? out.low_high : out.low_low))
        .push_back(static_cast<Index>(i));
  }
  return out;
}

/// Of entropy and misalignment, as the paper counts them (section III-B3). `set`: pictures and masks; labels are not
/// looked at.
template <class Net, class Explainer>
[[nodiscard, gnu::cold]] Patterns patterns(const Net& net, const data::Dataset& set,
                                           const Misalignment<Explainer>& misalignment) {
  if (set.empty()) return {};
  const Scores found = scores(Entropy{} + misalignment, net, set);
  return patterns(found.terms[0].second, found.terms[1].second);
}

/// How many there are of each, and the medians: values of a round.
[[nodiscard, gnu::cold]] inline StudyValues study_values(const Patterns& p) {
  return {{"high_high", static_cast<double>(p.high_high.size())},
          {"high_low", static_cast<double>(p.high_low.size())},
          {"low_high", static_cast<double>(p.low_high.size())},
          {"low_low", static_cast<double>(p.low_low.size())},
          {"median_entropy", p.first_median},
          {"median_misalignment", p.second_median}};
}

}  // namespace limn::acquire
