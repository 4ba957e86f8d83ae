// Annotations as people make them: masks that are moved, too large, too small or forgotten, and wrong labels. For
// studies of what training under noisy annotation costs. The pictures stay as they are.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/data/dataset.hpp"

namespace limn::data {

namespace detail {

/// 1 where a pixel of value `of` lies within `radius` pixels; with `of` 1 the mask grows by a disc.
[[nodiscard]] inline Mask near(const Mask& mask, bool of, Index radius) {
  const auto h = static_cast<Index>(mask.shape()[0]), w = static_cast<Index>(mask.shape()[1]);
  std::vector<Index> reach;  // half width of the disc, row by row
  for (Index dy = -radius; dy <= radius; ++dy)
    reach.push_back(static_cast<Index>(std::sqrt(static_cast<double>(radius * radius - dy * dy))));
  Mask out(mask.shape(), 0.f);
  for (Index y = 0; y < h; ++y)
    for (Index x = 0; x < w; ++x) {
      if ((mask.data()[y * w + x] > .5f) != of) continue;
      for (Index dy = std::max(-radius, -y); dy <= std::min(radius, h - 1 - y); ++dy) {
        const Index half = reach[static_cast<std::size_t>(dy + radius)];
        float* const row = out.data() + (y + dy) * w;
        std::fill(row + std::max<Index>(x - half, 0), row + std::min(x + half, w - 1) + 1, 1.f);
      }
    }
  return out;
}

}  // namespace detail

/// The mask grown by a disc of `radius` pixels.
[[nodiscard]] inline Mask dilate(const Mask& mask, Index radius) { return detail::near(mask, true, radius); }
/// The mask less a rim of `radius` pixels. The border of the picture is no border of the mask.
[[nodiscard]] inline Mask erode(const Mask& mask, Index radius) {
  Mask out = detail::near(mask, false, radius);
  for (float& v : out) v = 1 - v;
  return out;
}
/// The mask moved by so many pixels; what leaves the picture is lost.
[[nodiscard]] inline Mask moved(const Mask& mask, Index down, Index right) {
  const auto h = static_cast<Index>(mask.shape()[0]), w = static_cast<Index>(mask.shape()[1]);
  Mask out(mask.shape(), 0.f);
  for (Index y = std::max<Index>(down, 0); y < std::min(h, h + down); ++y)
    for (Index x = std::max<Index>(right, 0); x < std::min(w, w + right); ++x)
      out.data()[y * w + x] = mask.data()[(y - down) * w + x - right];
  return out;
}

/// How wrong annotations are; 0 is right.
struct AnnotationNoise {
  float jitter = 0;   // masks move by up to this share of the picture's side, in each direction
  float dilate = 0;   // the rim grows by up to this share of the longer side ...
  float erode = 0;    // ... or shrinks by up to this one; a radius between the two is drawn
  float dropout = 0;  // chance that a mask is forgotten: the picture counts as not annotated
  float label = 0;    // chance of another label, any of the others

  /// Throws OptionError for numbers out of range.
  void check() const {
    const auto within = [](const char* name, float value) {
      require<OptionError>(value >= 0 && value <= 1, "annotation noise: ", name, " must be 0 to 1, got ", value);
    };
    within("jitter", jitter);
    within("dilate", dilate);
    within("erode", erode);
    within("dropout", dropout);
    within("label", label);
  }

  /// Changes mask and label in place. A mask that would become empty by moving or shrinking stays as it was before that
  /// change: a forgotten annotation is `dropout`'s. Every number is drawn whether it is used or not, so switching one
  /// noise on does not alter the others.
  void apply(std::optional<Mask>& mask, Index& of_class, Index classes, Random& random) const {
    check();
    const double down = random.uniform(-1, 1), right = random.uniform(-1, 1);
    const double radius = random.uniform(-static_cast<double>(erode), static_cast<double>(dilate));
    const bool forgotten = random.chance(static_cast<double>(dropout));
    const bool wrong = random.chance(static_cast<double>(label));
    const Index step = classes > 1 ? 1 + random.below(classes - 1) : 0;
    if (wrong) of_class = (of_class + step) % classes;
    if (forgotten) mask.reset();
    if (!mask) return;
    const auto h = static_cast<double>(mask->shape()[0]), w = static_cast<double>(mask->shape()[1]);
    const auto pixels = [](double share, double side) { return static_cast<Index>(std::lround(share * side)); };
    const auto unless_empty = [&](Mask changed) {
      if (std::any_of(changed.begin(), changed.end(), [](float v) { return v > .5f; })) mask = std::move(changed);
    };
    unless_empty(
        moved(*mask, pixels(down * static_cast<double>(jitter), h), pixels(right * static_cast<double>(jitter), w)));
    const Index rim = pixels(radius, std::max(h, w));
    if (rim > 0) unless_empty(data::dilate(*mask, rim));
    if (rim < 0) unless_empty(data::erode(*mask, -rim));
  }
};

/// The data set with noisy annotations, the same for a seed: keyed by (seed, epoch, sample). One epoch's noise is that
/// of an annotator who errs once; for new errors in every epoch call it for each. Pictures are copied. Groups stay,
/// other columns do not: split before.
[[nodiscard, gnu::cold]] inline Dataset noisy(const Dataset& data, const AnnotationNoise& noise, Seed seed = {},
                                              Index epoch = 0) {
  noise.check();
  std::vector<Sample> samples(static_cast<std::size_t>(data.size()));
  parallel_for(data.size(), [&](Index i) {
    Sample& sample = samples[static_cast<std::size_t>(i)] = data[i];
    Random random(seed, "annotation", epoch, sample.id);
    noise.apply(sample.mask, sample.label, data.classes(), random);
  });
  return Dataset(std::move(samples), data.class_names());
}

}  // namespace limn::data
