// Guided Grad-CAM (Selvaraju et al. 2017): guided backpropagation, which is fine but says little about the class, times
// Grad-CAM, which is coarse but does.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/attribution.hpp"
#include "limn/explain/guided_backprop.hpp"

namespace limn::explain {

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
