// Masks made of superpixels, for data::with_masks: a stand-in for segmentation networks that know nothing of the task.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "limn/data/masks.hpp"
#include "limn/metrics/superpixels.hpp"

namespace limn {

/// A rule for data::with_masks: SLIC superpixels whose mean colour differs from that of the picture's border by more
/// than Otsu's threshold of these differences. Empty where none differs. Throws OptionError as metrics::superpixels.
///   auto train = data::with_masks(annotated, SuperpixelMask{});
struct SuperpixelMask {
  Index count = 25;
  double compactness = 1;

  [[nodiscard, gnu::cold]] data::Mask operator()(const data::Image& image) const {
    const std::size_t h = image.shape()[0], w = image.shape()[1], channels = image.shape()[2];
    const metrics::Units units = metrics::superpixels(image, count, compactness);
    const auto unit = [&](std::size_t pixel) { return static_cast<std::size_t>(units.of[pixel]) * channels; };
    std::vector<double> sums(static_cast<std::size_t>(units.count) * channels, 0), size(sums.size(), 0),
        border(channels, 0);
    double on_border = 0;
    for (std::size_t p = 0; p < h * w; ++p) {
      const bool edge = p / w == 0 || p % w == 0 || p / w + 1 == h || p % w + 1 == w;
      on_border += edge;
      for (std::size_t c = 0; c < channels; ++c) {
        const double value = static_cast<double>(image.data()[p * channels + c]);
        sums[unit(p) + c] += value;
        size[unit(p) + c] += 1;
        if (edge) border[c] += value;
      }
    }
    data::Mask out(data::Mask::shape_type{h, w}, 0.f);
    for (std::size_t p = 0; p < h * w; ++p) {
      double distance = 0;
      for (std::size_t c = 0; c < channels; ++c)
        distance += std::pow(sums[unit(p) + c] / size[unit(p) + c] - border[c] / on_border, 2);
      out.data()[p] = static_cast<float>(std::sqrt(distance));
    }
    const float threshold = data::otsu_threshold({out.data(), out.size()});
    const bool same = *std::min_element(out.begin(), out.end()) == *std::max_element(out.begin(), out.end());
    for (float& v : out) v = !same && v >= threshold ? 1.f : 0.f;
    return out;
  }
};

}  // namespace limn
