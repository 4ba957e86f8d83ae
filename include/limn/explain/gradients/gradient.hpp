// What needs no more than the gradient of a class score in the picture: its product with the picture, and DeconvNet.
// The gradient itself is explain/gradients/input_gradient.hpp.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/attribution.hpp"

namespace limn::explain {

/// picture * d score / d picture (Shrikumar et al. 2016): what a network that is linear around the picture adds up.
struct InputTimesGradient {
  static constexpr const char* name = "Input x gradient";
  static constexpr bool probability = false;

  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    const Tensor<B> gradient = score_gradient(net, images, classes);
    const NoRecord no_record;
    return {(Var<B>(images) * Var<B>(gradient)).value()};
  }
  /// The sum over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::sum);
  }
};

/// relu(g) at every relu, whatever its input was; every other operation as it is.
template <Backend B>
[[nodiscard]] Rules<B> deconvnet_rules() {
  Rules<B> rules;
  rules.on("relu", [](const Operation<B>&, const Var<B>& g) -> std::vector<Var<B>> { return {relu(g)}; });
  return rules;
}

/// DeconvNet (Zeiler and Fergus 2014): a ReLU passes back what is positive.
struct DeconvNet {
  static constexpr const char* name = "DeconvNet";
  static constexpr bool probability = false;

  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    const Rules<B> rules = deconvnet_rules<B>();
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
