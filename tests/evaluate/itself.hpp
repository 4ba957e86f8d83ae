// An explainer whose maps are known: a picture explains itself, as a probability.
#pragma once

#include "limn/explain/explanation.hpp"
#include "limn/nn/run.hpp"

namespace limn::testing {

struct Itself {
  static constexpr const char* name = "itself";
  static constexpr bool probability = true;
  template <class Net, Backend B>
  std::vector<explain::Explanation> operator()(const Net&, const Tensor<B>& images, std::span<const Index>) const {
    std::vector<explain::Explanation> out;
    for (Index i = 0; i < images.dim(0); ++i) out.push_back({.map = explain::map_of(images, i)});
    return out;
  }
};

}  // namespace limn::testing
