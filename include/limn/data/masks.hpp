// Masks by a rule instead of an annotation: what a loss on explanations learns from when nothing better is at hand.
//   auto train = data::with_masks(annotated, data::grey_mask);
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/data/domains.hpp"

namespace limn::data {

/// The samples with the mask that rule(image) gives for each picture, in place of what was annotated. Pictures are
/// copied. Groups and domains stay, other columns do not. Throws as Dataset does for a mask of another size.
template <class Rule>
requires std::is_invocable_r_v<Mask, const Rule&, const Image&>
[[nodiscard, gnu::cold]] Dataset with_masks(const Dataset& data, const Rule& rule) {
  std::vector<Sample> samples(static_cast<std::size_t>(data.size()));
  parallel_for(data.size(), [&](Index i) {
    Sample& sample = samples[static_cast<std::size_t>(i)] = data[i];
    sample.mask = rule(sample.image);
  });
  Dataset out(std::move(samples), data.class_names());
  return data.domain_names().empty() ? out : out.with_domains(domain_of_each(data));
}

/// The threshold that tells two groups of values apart best (Otsu 1979): the one with the largest variance between
/// them, by 256 bins from the smallest to the largest value; those above it are one group. The value itself where all
/// are equal.
[[nodiscard, gnu::cold]] inline float otsu_threshold(std::span<const float> values) {
  require<OptionError>(!values.empty(), "otsu_threshold: no values");
  constexpr std::size_t bins = 256;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const float width = (*high - *low) / static_cast<float>(bins);
  if (!(width > 0)) return *high;
  std::vector<double> count(bins, 0), sum(bins, 0);
  double all = 0, total = 0;
  for (const float v : values) {
    const std::size_t bin = std::min(bins - 1, static_cast<std::size_t>((v - *low) / width));
    count[bin] += 1;
    sum[bin] += static_cast<double>(v);
    all += 1;
    total += static_cast<double>(v);
  }
  double below = 0, sum_below = 0, best = -1;
  std::size_t cut = 0;
  for (std::size_t bin = 0; bin + 1 < bins; ++bin) {
    below += count[bin];
    sum_below += sum[bin];
    if (below == 0 || below == all) continue;
    const double gap = sum_below / below - (total - sum_below) / (all - below);
    const double between = below * (all - below) * gap * gap;
    if (between > best * (1 + 1e-12)) {  // the first of equals
      best = between;
      cut = bin;
    }
  }
  return *low + width * static_cast<float>(cut + 1);
}

/// The brighter or the darker part of a picture by Otsu's threshold on the mean of its channels, whichever has the
/// smaller share of the picture's border: what lies there is taken for background. Empty where all is one grey.
[[nodiscard, gnu::cold]] inline Mask grey_mask(const Image& image) {
  const std::size_t h = image.shape()[0], w = image.shape()[1], channels = image.shape()[2];
  Mask out(Mask::shape_type{h, w}, 0.f);
  for (std::size_t i = 0; i < image.size(); ++i)
    out.data()[i / channels] += image.data()[i] / static_cast<float>(channels);
  const auto [low, high] = std::minmax_element(out.begin(), out.end());
  if (*low == *high) return Mask(Mask::shape_type{h, w}, 0.f);
  const float threshold = otsu_threshold({out.data(), out.size()});
  Index bright = 0, border = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool above = out.data()[i] >= threshold;
    out.data()[i] = above ? 1.f : 0.f;
    const std::size_t y = i / w, x = i % w;
    if (y != 0 && x != 0 && y + 1 != h && x + 1 != w) continue;
    ++border;
    bright += above;
  }
  if (2 * bright > border)
    for (float& v : out) v = 1 - v;
  return out;
}

}  // namespace limn::data
