// Phantoms from several clinics: what surrounds the chest goes with the disease, in each clinic otherwise. A network
// that has learned the surroundings fails in the next clinic; one that has learned the opacity does not.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/data/domains.hpp"
#include "limn/data/phantom/phantom.hpp"

namespace limn::data {

/// The chance that each thing is there exactly where there is an opacity, else it is there exactly where there is none:
/// .5 says nothing, 1 gives the class away, 0 its opposite.
struct PhantomDomain {
  std::string name;
  float mark = .5f;     ///< the disc of PhantomOptions::marker
  float texture = .5f;  ///< stripes along the border of the picture
  float light = .5f;    ///< a lighter border
};

struct PhantomDomainsOptions {
  Index count = 300;  ///< pictures of each domain
  Index size = 64;
  std::uint64_t seed = 1;
  float positive = .5f;
  Index channels = 1;
  /// In three clinics one thing tells much, one a little, one nothing; in the last all three mislead.
  std::vector<PhantomDomain> domains = {
      {"A", .9f, .5f, .7f}, {"B", .7f, .9f, .5f}, {"C", .5f, .7f, .9f}, {"D", .3f, .3f, .3f}};
};

/// One set of all domains, with "clear" and "opacity" as phantoms() draws them. The same for a seed. Masks know nothing
/// of the surroundings. Throws OptionError for chances out of range, names that are empty or there twice, and as
/// phantoms() does.
[[nodiscard, gnu::cold]] inline Dataset phantom_domains(const PhantomDomainsOptions& options = {}) {
  std::vector<std::pair<std::string, Dataset>> parts;
  for (const PhantomDomain& domain : options.domains) {
    for (const float chance : {domain.mark, domain.texture, domain.light})
      require<OptionError>(chance >= 0 && chance <= 1, "phantom_domains: \"", domain.name,
                           "\": chances must be 0 to 1, got ", chance);
    const Seed seed{mix(options.seed, domain.name)};
    const Dataset plain = phantoms({.count = options.count,
                                    .size = options.size,
                                    .seed = seed.value,
                                    .positive = options.positive,
                                    .channels = options.channels,
                                    .marker = domain.mark});
    std::vector<Sample> samples(static_cast<std::size_t>(plain.size()));
    parallel_for(plain.size(), [&](Index i) {
      Sample& sample = samples[static_cast<std::size_t>(i)] = plain[i];
      Random random(seed, "surroundings", i);
      const auto there = [&](float chance) { return random.chance(static_cast<double>(chance)) == (sample.label > 0); };
      const float stripes = there(domain.texture) ? .15f : 0.f, light = there(domain.light) ? .15f : 0.f;
      const float phase = phantom::between(random, 0, 6.2832);
      const std::size_t size = sample.image.shape()[0], channels = sample.image.shape()[2];
      const float step = 2.f / static_cast<float>(size);
      for (std::size_t at = 0; at < sample.image.size(); ++at) {
        const std::size_t x = at / channels % size, y = at / channels / size;
        const float u = step * (static_cast<float>(x) + .5f) - 1, v = step * (static_cast<float>(y) + .5f) - 1;
        const float border = phantom::edge(std::max(std::abs(u), std::abs(v)) - .84f, .06f);
        const float more = border * (light + stripes * std::sin(25 * (u + v) + phase));
        float& value = sample.image.data()[at];
        value = std::clamp(value + more, 0.f, 1.f);
      }
    });
    parts.emplace_back(domain.name, Dataset(std::move(samples), plain.class_names()));
  }
  return joined(parts);
}

}  // namespace limn::data
