// What the tests of training share: a network and pictures so small that an epoch takes milliseconds.
#pragma once

#include "../io/support.hpp"
#include "limn/loss/classification.hpp"
#include "limn/nn/layers.hpp"
#include "limn/train/fit.hpp"

namespace tiny {

using namespace limn;

struct Block {
  static constexpr int in_channels = 1, out_channels = 4;
  Conv2d<Cpu, 1, 4, 3, 1, 1, false> conv;
  BatchNorm2d<Cpu, 4> bn;
  static constexpr auto fields = Fields{field<"conv">(&Block::conv), field<"bn">(&Block::bn)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return relu(run(bn, run(conv, x))); }
};

struct Net {
  static constexpr int in_channels = 1, out_channels = 2;
  Block stem;
  Linear<Cpu, 4, 2> fc;
  static constexpr auto fields = Fields{field<"stem">(&Net::stem), field<"fc">(&Net::fc)};
  explicit Net(Seed seed = Seed{1}) { initialise(*this, seed); }
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(fc, flatten(global_average(run(stem, x)))); }
};

/// Class 1 has stripes, class 0 has noise of the same brightness. Ids begin with `name`.
inline data::Dataset pictures(Index count, const std::string& name, Index size = 8) {
  std::vector<data::Sample> samples;
  for (Index i = 0; i < count; ++i) {
    Random random(Seed{5}, name, i);
    data::Sample sample;
    sample.id = text(name, i);
    sample.label = i % 3 == 0;
    sample.image =
        xt::xtensor<float, 3>::from_shape({static_cast<std::size_t>(size), static_cast<std::size_t>(size), 1});
    for (Index y = 0; y < size; ++y)
      for (Index x = 0; x < size; ++x)
        sample.image(y, x, 0) = static_cast<float>(
            sample.label == 1 ? .3 + .4 * static_cast<double>(x % 2) + .1 * random.uniform() : random.uniform());
    samples.push_back(std::move(sample));
  }
  return {std::move(samples), {"noise", "stripes"}};
}

inline void check_same_bits(const Net& a, const Net& b) {
  const auto left = weights_of(leaves(a)).tensors, right = weights_of(leaves(b)).tensors;
  REQUIRE(left.size() == right.size());
  for (const auto& [name, entry] : left) {
    CAPTURE(name);
    CHECK(entry.bytes == right.at(name).bytes);
  }
}

}  // namespace tiny
