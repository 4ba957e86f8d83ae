// Prototypical network (Snell et al. 2017): a picture is a point on a sphere, a class the mean of the points of some of
// its pictures, and the nearer a class, the more probable it is. Trained by PrototypicalLoss (loss/prototypical.hpp);
// set_prototypes (evaluate/prototypes.hpp) makes the classes' points.
#pragma once

#include <algorithm>

#include "limn/nn/layers.hpp"
#include "limn/ops/distance.hpp"

namespace limn::models {

/// Layers that make a map (n, h, w, out_channels) of pictures: DenseFeatures, a Sequential, or yours.
template <class F>
concept FeatureMap = requires(const F& features, const Var<backend_of<F>>& image, Run<backend_of<F>>& run) {
  { F::in_channels } -> std::convertible_to<int>;
  { F::out_channels } -> std::convertible_to<int>;
  { features(image, run) } -> std::convertible_to<Var<backend_of<F>>>;
};

/// A linear layer whose results have length one: (n, In) -> (n, Out).
template <Backend B, int In, int Out>
struct UnitLinear : Linear<B, In, Out> {
  Var<B> operator()(const Var<B>& x, auto& run) const { return unit_length(Linear<B, In, Out>::operator()(x, run)); }
};

/// Output: logits (n, Classes), minus the squared distances between the picture's embedding and the prototypes, so that
/// their softmax is the paper's p (Eq. 2). at<"embedding"> gives the embeddings (n, Width), of length one; logits lie
/// between -4 and 0, and with two classes no probability is above .982.
template <FeatureMap Features, int Classes, int Width = 512>
struct Prototypical {
  using B = backend_of<Features>;
  static constexpr int in_channels = Features::in_channels, out_channels = Classes;
  static_assert(Classes >= 2, "limn: Prototypical: at least two classes");

  Features features;
  GlobalAverage<B> avgpool;
  UnitLinear<B, Features::out_channels, Width> embedding;
  Buffer<B> prototypes{Shape{Classes, Width}};  ///< zeros until they are set
  static constexpr auto fields =
      Fields{field<"features">(&Prototypical::features), field<"avgpool">(&Prototypical::avgpool),
             field<"embedding">(&Prototypical::embedding), field<"prototypes">(&Prototypical::prototypes)};

  [[gnu::cold]] explicit Prototypical(Seed seed = {}) { limn::initialise(*this, seed); }

  static constexpr Dims shape(Dims) { return {1, 1, Classes}; }

  /// (n, Width)
  Var<B> embed(const Var<B>& image, auto& run) const {
    return run(embedding, flatten(run(avgpool, run(features, image))));
  }
  /// Throws Error while there are no prototypes: distances to zeros say nothing.
  Var<B> operator()(const Var<B>& image, auto& run) const {
    const Tensor<B>& p = prototypes.value();
    require(
        std::any_of(p.data(), p.data() + p.size(), [](auto v) { return v != 0; }),
        "prototypical network: it has no prototypes yet (set_prototypes(net, data) before training and prediction)");
    return -squared_distances(embed(image, run), Var<B>(p));
  }
};

}  // namespace limn::models
