// A net made by hand, whose answers are known, and pictures for it.
#pragma once

#include "../nn/helpers.hpp"
#include "limn/data/dataset.hpp"
#include "limn/nn/run.hpp"
#include "limn/ops/ops.hpp"

namespace limn::testing {

/// Logits (0, 8 * (mean of the picture - 1/2)): says 1 for a bright picture.
struct Bright {
  Parameter<Cpu> gain{Shape{1}};
  static constexpr auto fields = Fields{field<"gain">(&Bright::gain)};
  Bright() { gain.value().fill(8); }
  Var<Cpu> operator()(const Var<Cpu>& x, auto&) const {
    const Var<Cpu> one = reshape((global_average(x) - 0.5f) * gain, {x.dim(0), 1});
    return concat<Cpu>({one * 0.f, one}, 1);
  }
};

/// A picture of 2 x 2 with a mask where `mask` says '1'; no mask for "".
inline data::Sample sample(const std::string& id, Index label, std::array<float, 4> values,
                           const std::string& mask = "") {
  data::Sample s{.id = id, .group = id, .label = label, .image = {}, .mask = std::nullopt};
  s.image.resize({2, 2, 1});
  std::copy(values.begin(), values.end(), s.image.begin());
  if (!mask.empty()) {
    s.mask.emplace(std::array<std::size_t, 2>{2, 2});
    for (std::size_t i = 0; i < 4; ++i) s.mask->data()[i] = mask[i] == '1' ? 1.f : 0.f;
  }
  return s;
}

inline data::Dataset pictures() {
  return {{sample("hit", 1, {.9f, .9f, .6f, .1f}, "1100"),     // says 1; active: 3 elements, 2 of them inside: 2 / 3
           sample("exact", 1, {.2f, 1.f, .9f, .4f}, "0110"),   // says 1; active: the mask: 1
           sample("missed", 1, {.1f, .1f, .6f, .1f}, "0010"),  // says 0: left out
           sample("no mask", 1, {.9f, .9f, .9f, .9f}),         // left out
           sample("empty mask", 0, {.1f, .1f, .1f, .1f}, "0000"),  // left out
           sample("healthy", 0, {.1f, .2f, .8f, .1f}, "0001"),     // says 0; active: one element, outside: 0
           sample("alarm", 0, {.9f, .9f, .9f, .9f}, "1000")},      // says 1: left out
          {"no", "yes"}};
}

}  // namespace limn::testing
