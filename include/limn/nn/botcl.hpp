// BotCL (Wang et al., Learning Bottleneck Concepts in Image Classification, CVPR 2023): a head that sees a feature map
// only by how much of each of a few learned concepts is in it, and the same behind a layer of any network. Definitions
// are those of the authors' code for training with the retrieval loss (loss/botcl.hpp, explain/botcl.hpp).
//   Sequential<Conv2d<B, 1, 16, 3>, Relu<B>, BotCl<B, 16, 2, 8>> net;                      // at<"2.attention">(net)
//   BotClNet<models::ResNet18<Cpu, 1, 2>, "layer4", 20> net{Seed{7}};                      // at<"botcl">(net)
#pragma once

#include <cmath>
#include <numbers>
#include <utility>

#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"

namespace limn {

namespace botcl {

/// Where the elements of a map lie, as sines and cosines (the encoding of DETR): (1, h, w, channels), the first half of
/// the channels by the row, the second by the column. A place p = 2 pi i / (count + 1e-6), i from 1, gives sin(p / f)
/// and cos(p / f) in turn, with f from 1 to 10,000.
template <Backend B>
[[nodiscard, gnu::cold]] Tensor<B> sine_positions(Index h, Index w, Index channels) {
  Tensor<B> out(Shape{1, h, w, channels});
  const Index half = channels / 2;
  const auto place = [](Index i, Index count) {
    return 2 * std::numbers::pi * static_cast<double>(i + 1) / (static_cast<double>(count) + 1e-6);
  };
  for (Index k = 0; k < half; ++k) {
    const double f = std::pow(1e4, static_cast<double>(k - k % 2) / static_cast<double>(half));
    const auto wave = [&](double p) {
      return static_cast<typename B::scalar>(k % 2 == 0 ? std::sin(p / f) : std::cos(p / f));
    };
    for (Index y = 0; y < h; ++y)
      for (Index x = 0; x < w; ++x) {
        out(0, y, x, k) = wave(place(y, h));
        out(0, y, x, half + k) = wave(place(x, w));
      }
  }
  return out;
}

/// How much of each concept a picture has, 0 to 1: tanh of the sum of its attention. (n, h, w, concepts) -> (n,
/// concepts).
template <Backend B>
[[nodiscard]] Var<B> activations(const Var<B>& attention) {
  return tanh(flatten(sum(attention, {1, 2})));
}

/// What each concept looks like in a picture: the mean of the features x (n, h, w, d), weighted by the attention (n, h,
/// w, concepts). Gives (n, concepts, d).
template <Backend B>
[[nodiscard]] Var<B> features(const Var<B>& x, const Var<B>& attention) {
  require<ShapeError>(x.rank() == 4 && attention.rank() == 4 && x.dim(0) == attention.dim(0) &&
                          x.dim(1) == attention.dim(1) && x.dim(2) == attention.dim(2),
                      "botcl::features: a map ", x.shape(), " and attention ", attention.shape(),
                      ", expected (n, h, w, d) and (n, h, w, concepts)");
  const Index n = x.dim(0), places = x.dim(1) * x.dim(2), concepts = attention.dim(3), d = x.dim(3);
  const Var<B> share = attention / (sum(attention, {1, 2}) + typename B::scalar(1e-8));
  return reshape(sum(reshape(share, {n, places, concepts, 1}) * reshape(x, {n, places, 1, d}), {1}), {n, concepts, d});
}

}  // namespace botcl

/// Where each concept is, 0 to 1: (n, h, w, D) -> (n, h, w, Concepts). The prototypes meet a key that three linear
/// layers make of each element and its place; the dots of a concept are divided by their sum over the map and
/// multiplied by the sum over all concepts, and a sigmoid ends it. The sum of a concept's dots may come near 0: then
/// its attention is 0 or 1.
template <Backend B, int D, int Concepts>
struct BotClAttention {
  static_assert(D % 4 == 0 && D > 0,
                "limn: BotClAttention: sines and cosines of two axes need a multiple of 4 channels");
  static_assert(Concepts >= 1, "limn: BotClAttention: at least one concept");
  static constexpr int in_channels = D, out_channels = Concepts;
  static constexpr Index own_parameters = Index{Concepts} * D;
  Parameter<B> concepts{Shape{Concepts, D}};  ///< the prototypes
  Sequential<Linear<B, D, D>, Relu<B>, Linear<B, D, D>, Relu<B>, Linear<B, D, D>> key;
  static constexpr auto fields =
      Fields{field<"concepts">(&BotClAttention::concepts), field<"key">(&BotClAttention::key)};

  /// Normal around a mean and with a deviation that are drawn themselves, one for each channel.
  void initialise(Random& random) {
    Tensor<B>& all = concepts.value();
    for (Index c = 0; c < D; ++c) {
      const double mean = random.normal(), deviation = std::abs(random.normal());
      for (Index k = 0; k < Concepts; ++k)
        all(k, c) = static_cast<typename B::scalar>(mean + deviation * random.normal());
    }
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    require<ShapeError>(x.rank() == 4 && x.dim(3) == D, "botcl: the input is ", x.shape(), ", expected (n, h, w, ", D,
                        ")");
    const Tensor<B> places = botcl::sine_positions<B>(x.dim(1), x.dim(2), D);  // (1, h, w, D)
    const Var<B> scaled = linear(run(key, x + Var<B>(places)), concepts);      // (n, h, w, Concepts)
    const Var<B> dots = scaled * typename B::scalar(1 / std::sqrt(static_cast<double>(D)));
    const Var<B> rows = sum(dots, {1, 2});  // (n, 1, 1, Concepts)
    return sigmoid(dots * (sum(rows, {3}) / rows));
  }
};

/// The head: a map (n, h, w, C) becomes logits (n, Classes), by nothing but the activations of the concepts. Hidden:
/// the channels of the features by which concepts are told apart. The weights of `classify` say what a concept speaks
/// for.
template <Backend B, int C, int Classes, int Concepts, int Hidden = 128>
struct BotCl {
  static constexpr int in_channels = C, out_channels = Classes;
  Sequential<Conv2d<B, C, Hidden, 1>, BatchNorm2d<B, Hidden>, Relu<B>> reduce;
  BotClAttention<B, Hidden, Concepts> attention;
  Identity<B> features;  ///< what the concepts look like, (n, Concepts, Hidden): called where somebody watches the pass
  Linear<B, Concepts, Classes> classify;
  static constexpr auto fields = Fields{field<"reduce">(&BotCl::reduce), field<"attention">(&BotCl::attention),
                                        field<"features">(&BotCl::features), field<"classify">(&BotCl::classify)};
  static constexpr Dims shape(Dims) { return {1, 1, Classes}; }

  Var<B> operator()(const Var<B>& map, auto& run) const {
    const Var<B> x = run(reduce, map);                                  // (n, h, w, Hidden)
    const Var<B> where = run(attention, x);                             // (n, h, w, Concepts)
    if (run.watches()) (void)run(features, botcl::features(x, where));  // (n, Concepts, Hidden)
    return run(classify, botcl::activations(where));                    // (n, Classes)
  }
};

/// A network whose classes are told by concepts in what its layer gives: `net` up to the layer and a BotCl behind it.
/// What stands behind the layer in `net` is computed and not used, and does not learn. Explainers and lap::attach find
/// the layers of `net` by its own names. Its pass listens to the layer, so Run::checkpoint has no effect on it.
template <class Net, Name Layer, int Concepts, int Hidden = 128>
struct BotClNet {
  using B = backend_of<Net>;
  using Around = Net;
  using At = std::remove_cvref_t<decltype(at<Layer>(std::declval<const Net&>()))>;
  static constexpr int in_channels = detail::in_channels_of<Net>(),
                       out_channels = detail::out_channels_of<Net>(any_channels),
                       channels = detail::out_channels_of<At>(any_channels);
  static_assert(channels != any_channels, "limn: BotClNet: this layer does not say how many channels it gives");
  static_assert(out_channels != any_channels, "limn: BotClNet: this network does not say how many classes it has");

  Net net;
  BotCl<B, channels, out_channels, Concepts, Hidden> botcl;
  static constexpr auto fields = Fields{field<"net">(&BotClNet::net), field<"botcl">(&BotClNet::botcl)};

  explicit BotClNet(Seed seed = {}) { initialise(*this, seed); }
  /// Begins with a trained network, as the authors do.
  explicit BotClNet(Net trained, Seed seed = {}) : net(std::move(trained)) { initialise(botcl, seed); }

  static constexpr Dims shape(Dims) { return {1, 1, out_channels}; }
  [[nodiscard]] const Net& around() const { return net; }

  Var<B> operator()(const Var<B>& images, auto& run) const {
    const std::size_t tap = run.listen(at<Layer>(net));
    (void)run(net, images);
    require(!run.tapped(tap).empty(), "BotClNet: the pass did not call ", Layer.view());
    return run(botcl, run.tapped(tap));
  }
};

}  // namespace limn
