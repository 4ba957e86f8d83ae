// Grad-CAM (Selvaraju et al. 2017): the channels of a feature map, weighted by the mean gradient of a class score.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "limn/explain/explanation.hpp"
#include "limn/explain/saliency.hpp"

namespace limn::explain {

/// sum over the batch of logits[i][classes[i]], shape (1).
template <Backend B>
[[nodiscard]] Var<B> class_score(const Var<B>& logits, std::span<const Index> classes) {
  require<ShapeError>(logits.rank() == 2 && logits.dim(0) == static_cast<Index>(classes.size()), "class_score: logits ",
                      logits.shape(), ", but ", classes.size(), " classes");
  Tensor<Positions<B>> at(Shape{logits.dim(0)});
  for (Index i = 0; i < at.size(); ++i) {
    const Index c = classes[static_cast<std::size_t>(i)];
    require(c >= 0 && c < logits.dim(1), "class_score: class ", c, ", expected 0 to ", logits.dim(1) - 1);
    at.data()[i] = static_cast<std::int32_t>(i * logits.dim(1) + c);
  }
  return sum(take(logits, at));
}

/// sum over channels of (mean over positions of d score / d activation) * activation: (n, h, w, c) -> (n, h, w, 1).
template <Backend B>
[[nodiscard]] Var<B> class_activation(const Var<B>& activation, const Var<B>& score, GradOptions<B> options = {}) {
  return sum(mean(grad(score, activation, std::move(options)), {1, 2}) * activation, {-1});
}

/// relu(class_activation). With create_graph it can be part of a loss: its derivative is exact, second order through
/// the weights included.
template <Backend B>
[[nodiscard]] Var<B> grad_cam(const Var<B>& activation, const Var<B>& score, bool create_graph = false) {
  return relu(class_activation(activation, score, {.create_graph = create_graph}));
}

/// Grad-CAM at a layer, named as in at<"layer4">(net): a wrong name does not compile.
template <Name Layer>
struct GradCam {
  static constexpr const char* name = "Grad-CAM";
  static constexpr bool probability = false;  ///< values have no scale of their own

  /// One explanation per image (n, h, w, c) for the given classes. Nothing is recorded before the layer.
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    const NoRecord no_record;
    Run<B> run;
    const std::size_t tap = run.tap(at<Layer>(net), true);
    const Var<B> logits = run(net, Var<B>(images));
    const Tensor<B> maps = grad_cam(run.tapped(tap), class_score(logits, classes)).value();
    std::vector<Explanation> out;
    const Grid grid = run.grid_of(tap);
    for (Index i = 0; i < images.dim(0); ++i) out.push_back({.map = map_of(maps, i), .grid = grid});
    return out;
  }

  /// The same inside training (explain/saliency.hpp).
  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<Layer>(net);
  }
  template <Backend B>
  [[nodiscard]] Var<B> saliency(const Question<B>& question) const {
    const Var<B> map = class_activation(question.run.watched(Layer.view()), question.score,
                                        {.create_graph = question.weights == Weights::exact, .retain_graph = true});
    if (question.leak == 0) return relu(map);
    return relu(map) - relu(-map) * static_cast<typename B::scalar>(question.leak);
  }
};

}  // namespace limn::explain
