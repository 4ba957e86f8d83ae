// The gradient of a class score with respect to the picture (Simonyan et al. 2014, "Deep Inside Convolutional
// Networks").
#pragma once

#include <span>
#include <vector>

#include "limn/explain/explanation.hpp"
#include "limn/explain/grad_cam.hpp"
#include "limn/explain/saliency.hpp"

namespace limn::explain {

/// Maps: the sum over the channels of the absolute values, one element a pixel.
struct InputGradient {
  static constexpr const char* name = "Input gradient";
  static constexpr bool probability = false;

  /// d score / d picture, signed, of the shape of the images (n, h, w, c).
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] Tensor<B> attributions(const Net& net, const Tensor<B>& images,
                                                  std::span<const Index> classes) const {
    const Var<B> x = leaf(images);
    Run<B> run;
    return grad(class_score(run(net, x), classes), x).value();
  }

  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    const Tensor<B> maps = map_of_gradient(Var<B>(attributions(net, images, classes))).value();
    std::vector<Explanation> out;
    for (Index i = 0; i < images.dim(0); ++i) out.push_back({.map = map_of(maps, i)});
    return out;
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
    return map_of_gradient(attributions(question));
  }

 private:
  template <Backend B>
  static Var<B> map_of_gradient(const Var<B>& gradient) {
    return sum(abs(gradient), {-1});
  }
};

}  // namespace limn::explain
