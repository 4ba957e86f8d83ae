// A shortcut planted into any pictures: the disc of PhantomOptions::marker, for the question whether a network that
// could read the class off a mark in the corner does so.
#pragma once

#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/data/phantom/phantom.hpp"

namespace limn::data {

/// The data set with a bright disc in the lower left corner of some pictures. With the chance `honest` it is there
/// exactly where the label is above 0, else exactly where it is 0: 1 gives the class away, .5 says nothing. The same
/// for a seed: keyed by (seed, sample). Pictures are copied, masks know nothing of it. Groups stay, other columns do
/// not: split before. Throws OptionError.
[[nodiscard, gnu::cold]] inline Dataset planted(const Dataset& data, float honest, Seed seed = {}) {
  require<OptionError>(honest >= 0 && honest <= 1, "planted: honest must be 0 to 1, got ", honest);
  std::vector<Sample> samples(static_cast<std::size_t>(data.size()));
  parallel_for(data.size(), [&](Index i) {
    Sample& sample = samples[static_cast<std::size_t>(i)] = data[i];
    const auto key = static_cast<Index>(mix(seed.value, sample.id) >> 1);
    const phantom::Marker marker({.marker = honest}, key, sample.label > 0);
    auto& image = sample.image;
    const std::size_t h = image.shape()[0], w = image.shape()[1], channels = image.shape()[2];
    const float down = 2.f / static_cast<float>(h), right = 2.f / static_cast<float>(w);
    for (std::size_t at = 0; at < image.size(); ++at) {
      const std::size_t x = at / channels % w, y = at / channels / w;
      image.data()[at] = marker.over(image.data()[at], right * (static_cast<float>(x) + .5f) - 1,
                                     down * (static_cast<float>(y) + .5f) - 1, right);
    }
  });
  return Dataset(std::move(samples), data.class_names());
}

}  // namespace limn::data
