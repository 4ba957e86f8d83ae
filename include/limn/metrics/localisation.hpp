// Where an explanation falls: compares the map of one picture with the mask of what a person marked there.
//
// Maps and masks are (H, W) of the same size. A mask's pixel is inside where it is above 0.5. A map that is the same
// everywhere ranks no pixel above another, so every measure that needs a ranking is undefined (NaN) on it, and every
// measure is undefined on an empty mask. Nothing here returns 0 or 1 in place of "undefined".
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/metrics/statistics.hpp"

namespace limn::metrics {

/// A map of one picture: (H, W).
using Map = xt::xtensor<float, 2>;

/// ShapeError unless the two have the same size; Error where the map holds NaN or an infinite value, or where the mask
/// leaves [0, 1].
inline void check_map(const Map& map, const Map& mask) {
  require<ShapeError>(map.shape() == mask.shape(), "localisation: the map is ", map.shape()[0], " x ", map.shape()[1],
                      ", its mask ", mask.shape()[0], " x ", mask.shape()[1]);
  for (std::size_t i = 0; i < map.size(); ++i) {
    require(std::isfinite(map.data()[i]), "localisation: the map holds ", map.data()[i], " at pixel ", i);
    require(mask.data()[i] >= 0 && mask.data()[i] <= 1, "localisation: expected a mask of 0 and 1, got ",
            mask.data()[i], " at pixel ", i);
  }
}

/// How many pixels are inside.
[[nodiscard]] inline Index mask_size(const Map& mask) {
  return std::count_if(mask.data(), mask.data() + mask.size(), [](float m) { return m > 0.5f; });
}

[[nodiscard]] inline float largest(const Map& map) {
  return map.size() == 0 ? 0.0f : *std::max_element(map.data(), map.data() + map.size());
}

/// True where all values are equal (or there are none): such a map ranks nothing.
[[nodiscard]] inline bool is_constant(const Map& map) {
  return std::ranges::all_of(map.data(), map.data() + map.size(), [&](float v) { return v == map.data()[0]; });
}

/// 1 where the map is above the threshold, else 0.
[[nodiscard]] inline Map fixed_threshold(const Map& map, double threshold) {
  Map binary(map.shape());
  std::transform(map.data(), map.data() + map.size(), binary.data(),
                 [&](float v) { return v > threshold ? 1.f : 0.f; });
  return binary;
}

/// 1 where the map is above its mean plus its standard deviation (divided by n). All 0 for a constant map.
[[nodiscard]] inline Map mean_plus_std(const Map& map) {
  const double n = static_cast<double>(map.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < map.size(); ++i) sum += map.data()[i];
  const double mean = sum / n;
  for (std::size_t i = 0; i < map.size(); ++i) squares += (map.data()[i] - mean) * (map.data()[i] - mean);
  return fixed_threshold(map, mean + std::sqrt(squares / n));
}

/// 1 at the `count` largest values, the first in reading order among equals.
[[nodiscard]] inline Map top_k(const Map& map, Index count) {
  require<OptionError>(count >= 0 && count <= static_cast<Index>(map.size()), "top k: expected 0 to ", map.size(),
                       " pixels, got ", count);
  std::vector<std::size_t> order(map.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const float* values = map.data();
  std::nth_element(order.begin(), order.begin() + count, order.end(), [&](std::size_t a, std::size_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  Map binary(map.shape(), 0.0f);
  for (Index i = 0; i < count; ++i) binary.data()[order[static_cast<std::size_t>(i)]] = 1.0f;
  return binary;
}

/// The map divided by its largest value. Error where that is not positive.
[[nodiscard]] inline Map max_normalised(const Map& map) {
  const float top = largest(map);
  require(top > 0, "max normalisation: the map has no positive value");
  Map result(map.shape());
  std::transform(map.data(), map.data() + map.size(), result.data(), [&](float v) { return v / top; });
  return result;
}

/// A threshold on max-normalised maps, learned from the pixels of validation pictures by a ridge classifier with
/// balanced classes: what scikit-learn's RidgeClassifier(alpha=1, class_weight="balanced") fits on that one feature. It
/// keeps sums only, no pixels. For balanced classes the boundary is the midpoint of the two class means.
class LearnedThreshold {
 public:
  /// Adds one picture. A map without a positive value or with an empty mask has nothing to teach and is left out.
  void add(const Map& map, const Map& mask) {
    check_map(map, mask);
    const float top = largest(map);
    if (top <= 0 || mask_size(mask) == 0) return;
    for (std::size_t i = 0; i < map.size(); ++i) {
      const double value = map.data()[i] / top;
      Sums& side = mask.data()[i] > 0.5f ? inside_ : outside_;
      side.count += 1;
      side.sum += value;
      side.squares += value * value;
    }
  }

  [[nodiscard]] bool fitted() const { return inside_.count > 0 && outside_.count > 0; }

  /// Weighted least squares of -1 (outside) and +1 (inside), slope penalised by 1, intercept free. Each class weighs n
  /// / 2.
  [[nodiscard]] double slope() const {
    check();
    const double half = (inside_.count + outside_.count) / 2;
    const double spread = half * (inside_.squares / inside_.count + outside_.squares / outside_.count) -
                          2 * half * threshold() * threshold();
    return half * (inside_.mean() - outside_.mean()) / (spread + 1);
  }
  [[nodiscard]] double intercept() const { return -slope() * threshold(); }
  /// The boundary, as a share of a map's largest value.
  [[nodiscard]] double threshold() const {
    check();
    return (inside_.mean() + outside_.mean()) / 2;
  }

  /// 1 where the classifier says "inside". Where the validation maps were higher outside their masks, that is below the
  /// threshold: an honest classifier does so. Error where the map has no positive value.
  [[nodiscard]] Map operator()(const Map& map) const {
    const double a = slope(), b = intercept();
    Map binary = max_normalised(map);
    for (float& v : binary.storage()) v = a * v + b > 0 ? 1.f : 0.f;
    return binary;
  }

 private:
  struct Sums {
    double count = 0, sum = 0, squares = 0;
    double mean() const { return sum / count; }
  };
  void check() const {
    require(fitted(),
            "learned threshold: it has seen no map with a positive value and pixels inside and outside a mask");
  }
  Sums inside_, outside_;
};

/// Intersection over union of a binary map and a mask. NaN for an empty mask.
[[nodiscard]] inline double iou(const Map& binary, const Map& mask) {
  check_map(binary, mask);
  Index both = 0, either = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const bool a = binary.data()[i] > 0.5f, b = mask.data()[i] > 0.5f;
    both += a && b;
    either += a || b;
  }
  return mask_size(mask) == 0 ? undefined_value : static_cast<double>(both) / static_cast<double>(either);
}

/// The share of the map's positive values that lies inside. NaN for an empty mask or a map without a positive value.
[[nodiscard]] inline double relevance_mass_accuracy(const Map& map, const Map& mask) {
  check_map(map, mask);
  double inside = 0, all = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const double value = std::max(map.data()[i], 0.0f);
    all += value;
    if (mask.data()[i] > 0.5f) inside += value;
  }
  return mask_size(mask) == 0 || all == 0 ? undefined_value : inside / all;
}

/// The share of the K highest pixels that lies inside, K being the mask's size; ties by reading order. NaN for an empty
/// mask or a constant map.
[[nodiscard]] inline double relevance_rank_accuracy(const Map& map, const Map& mask) {
  check_map(map, mask);
  const Index count = mask_size(mask);
  if (count == 0 || is_constant(map)) return undefined_value;
  const Map best = top_k(map, count);
  Index hits = 0;
  for (std::size_t i = 0; i < map.size(); ++i) hits += best.data()[i] > 0.5f && mask.data()[i] > 0.5f;
  return static_cast<double>(hits) / static_cast<double>(count);
}

/// 1 where the map's highest pixel (the first of equals) lies inside, else 0. NaN for an empty mask or a constant map.
[[nodiscard]] inline double pointing_game(const Map& map, const Map& mask) {
  check_map(map, mask);
  if (mask_size(mask) == 0 || is_constant(map)) return undefined_value;
  const auto best = std::max_element(map.data(), map.data() + map.size()) - map.data();
  return mask.data()[best] > 0.5f ? 1.0 : 0.0;
}

}  // namespace limn::metrics
