// For tests of what studies learn from and are tested on: people with several pictures, and who is where.
#pragma once

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "limn/data/dataset.hpp"

namespace people {

using namespace limn;

/// Pictures of 8 x 8, those of one person of both classes.
inline std::vector<data::Sample> of(const std::string& prefix, Index first, Index count, Index of_each = 2) {
  std::vector<data::Sample> samples;
  for (Index person = first; person < first + count; ++person)
    for (Index k = 0; k < of_each; ++k) {
      data::Sample sample{text(prefix, person, "_", k), text("p", person), (person + k) % 2, {}, {}};
      sample.image = data::Image(data::Image::shape_type{8, 8, 1}, .5f);
      samples.push_back(std::move(sample));
    }
  return samples;
}
inline data::Dataset pictures(Index count, Index of_each = 2) { return {of("x", 0, count, of_each), {"no", "yes"}}; }

/// Nobody is in two of the sets.
inline void check_apart(const std::vector<data::Dataset>& sets) {
  std::set<std::string> seen;
  for (const data::Dataset& set : sets) {
    CHECK(!set.empty());
    std::set<std::string> here;
    for (Index i = 0; i < set.size(); ++i) here.insert(set[i].group);
    for (const std::string& person : here) {
      CAPTURE(person);
      CHECK(seen.insert(person).second);
    }
  }
}

}  // namespace people
