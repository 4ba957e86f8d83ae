// The gradient of a class score with respect to the picture (Simonyan et al. 2014, "Deep Inside Convolutional
// Networks").
#pragma once

#include <span>
#include <vector>

#include "limn/explain/attribution.hpp"
#include "limn/explain/saliency.hpp"

namespace limn::explain {

/// Maps: the sum over the channels of the absolute values, one element a pixel.
struct InputGradient {
  static constexpr const char* name = "Input gradient";
  static constexpr bool probability = false;

  /// d score / d picture, signed, of the shape of the images (n, h, w, c).
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                                       std::span<const Index> classes) const {
    return {score_gradient(net, images, classes)};
  }

  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::absolute);
  }

  /// The same inside training (explain/saliency.hpp). Its derivative is of second order altogether, so there are no
  /// weights that could be constants: Weights::constant is an OptionError.
  template <class Net, Backend B>
  void watch(const Net&, Run<B>& run) const {
    run.watch_input();
  }
  template <Backend B>
  [[nodiscard]] Var<B> attributions(const Question<B>& question) const {
    require<OptionError>(question.weights == Weights::exact,
                         "explain::InputGradient: Weights::constant would leave nothing to learn from");
    return grad(question.score, question.run.watched_input(), {.create_graph = true});
  }
  template <Backend B>
  [[nodiscard]] Var<B> saliency(const Question<B>& question) const {
    return sum(abs(attributions(question)), {-1});
  }
};

}  // namespace limn::explain
