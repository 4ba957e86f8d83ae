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

/// Guided Grad-CAM (Selvaraju et al. 2017): guided backpropagation, which is fine but says little about the class,
/// times Grad-CAM, which is coarse but does.
template <Name Layer>
struct GuidedGradCam {
  static constexpr const char* name = "Guided Grad-CAM";
  static constexpr bool probability = false;

  /// Guided backpropagation times the Grad-CAM of the layer, laid over the picture: signed, of the shape of the images
  /// (n, h, w, c).
  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    const Tensor<B> guided = GuidedBackprop{}.attributions(net, images, classes).values;
    const std::vector<Explanation> cams = GradCam<Layer>{}(net, images, classes);
    const Index h = images.dim(1), w = images.dim(2);
    Tensor<B> weight(Shape{images.dim(0), h, w, 1});
    for (std::size_t i = 0; i < cams.size(); ++i) {
      const Map over = over_picture(cams[i].map, cams[i].grid, h, w);
      for (Index p = 0; p < h * w; ++p)
        weight.data()[static_cast<Index>(i) * h * w + p] = static_cast<typename B::scalar>(over.data()[p]);
    }
    const NoRecord no_record;
    return {(Var<B>(guided) * Var<B>(weight)).value()};
  }
  /// The sum of the absolute values over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::absolute);
  }
};

}  // namespace limn::explain
