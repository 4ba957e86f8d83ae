// Guided backpropagation (Springenberg et al. 2015): the gradient of a class score with respect to the image, where a
// ReLU passes back only what is positive and met a positive input. A rule on the operation "relu", not on modules.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/attribution.hpp"

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
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    const Rules<B> rules = guided_rules<B>();
    return {score_gradient(net, images, classes, &rules)};
  }

  /// The sum of the absolute values over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::absolute);
  }
};

}  // namespace limn::explain
