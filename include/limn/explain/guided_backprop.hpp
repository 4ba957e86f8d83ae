// Guided backpropagation (Springenberg et al. 2015): the gradient of a class score with respect to the image, where a
// ReLU passes back only what is positive and met a positive input. A rule on the operation "relu", not on modules.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/grad_cam.hpp"

namespace limn::explain {

/// g [y > 0] [g > 0] at every relu; every other operation as it is.
template <Backend B>
[[nodiscard]] Rules<B> guided_rules() {
  Rules<B> rules;
  rules.on("relu", [](const Operation<B>& relu_operation, const Var<B>& g) -> std::vector<Var<B>> {
    return {relu(relu_operation.derivative(g).front())};
  });
  return rules;
}

/// Signed attributions of the shape of the images (n, h, w, c).
struct GuidedBackprop {
  static constexpr const char* name = "Guided backprop";
  static constexpr bool probability = false;

  template <class Net, Backend B>
  [[nodiscard]] Tensor<B> attributions(const Net& net, const Tensor<B>& images, std::span<const Index> classes) const {
    const RecordForRules keep;
    const Var<B> x = leaf(images);
    Run<B> run;
    const Var<B> score = class_score(run(net, x), classes);
    const Rules<B> rules = guided_rules<B>();
    return grad(score, x, {.rules = &rules}).value();
  }

  /// The sum of the absolute values over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    const Tensor<B> raw = attributions(net, images, classes);
    const NoRecord no_record;
    const Tensor<B> maps = sum(abs(Var<B>(raw)), {-1}).value();
    std::vector<Explanation> out;
    for (Index i = 0; i < images.dim(0); ++i) out.push_back({.map = map_of(maps, i)});
    return out;
  }
};

}  // namespace limn::explain
