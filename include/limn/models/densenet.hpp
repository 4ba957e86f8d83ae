// DenseNet (Huang et al. 2017) with torchvision's names and numbers: within a block every layer sees what all layers
// before it gave. The last feature map is at<"features">, that of a block at<"features.denseblock4">, which is what
// Grad-CAM is asked of.
#pragma once

#include <utility>

#include "limn/models/resnet.hpp"
#include "limn/nn/dropout.hpp"

namespace limn::models {

/// Batch norm, ReLU, 1x1 convolution to four times the growth; the same with a 3x3 one to Growth channels (DenseNet-B).
template <Backend B, int In, int Growth>
struct DenseLayer {
  static constexpr int in_channels = In, out_channels = Growth;

  BatchNorm2d<B, In> norm1;
  Conv2d<B, In, 4 * Growth, 1, 1, 0, false> conv1;
  BatchNorm2d<B, 4 * Growth> norm2;
  Conv2d<B, 4 * Growth, Growth, 3, 1, 1, false> conv2;
  static constexpr auto fields = Fields{field<"norm1">(&DenseLayer::norm1), field<"conv1">(&DenseLayer::conv1),
                                        field<"norm2">(&DenseLayer::norm2), field<"conv2">(&DenseLayer::conv2)};

  Var<B> operator()(const Var<B>& x, auto& run) const {
    return run(conv2, conv_norm_relu(conv1, norm2, norm_relu(norm1, x, run), run));
  }
};

namespace detail {
using limn::detail::Numbered;

template <class Numbers, Backend B, int In, int Growth>
struct DenseChain;
template <int... I, Backend B, int In, int Growth>
struct DenseChain<std::integer_sequence<int, I...>, B, In, Growth>
    : Numbered<std::size_t{I}, DenseLayer<B, In + I * Growth, Growth>>... {
  template <int K>
  using Layer = Numbered<std::size_t{K}, DenseLayer<B, In + K * Growth, Growth>>;
  static constexpr auto fields = Fields{field<joined<"denselayer", number_name<I + 1>()>()>(&Layer<I>::layer)...};

  Var<B> operator()(Var<B> x, auto& run) const {
    ((x = concat<B>({x, run.part(Layer<I>::layer, x)}, 3)), ...);
    return x;  // (n, h, w, in + layers growth)
  }
};
}  // namespace detail

/// Its layers are the fields "denselayer1", "denselayer2", ...; each adds Growth channels.
template <Backend B, int In, int Growth, int Layers>
struct DenseBlock : detail::DenseChain<std::make_integer_sequence<int, Layers>, B, In, Growth> {
  static_assert(Layers >= 1, "limn: DenseBlock: at least one layer");
  static constexpr int in_channels = In, out_channels = In + Layers * Growth;
};

/// Between blocks: half the channels, half the height and width.
template <Backend B, int In>
struct Transition {
  static constexpr int in_channels = In, out_channels = In / 2;

  BatchNorm2d<B, In> norm;
  Conv2d<B, In, In / 2, 1, 1, 0, false> conv;
  AvgPool2d<B, 2> pool;
  static constexpr auto fields =
      Fields{field<"norm">(&Transition::norm), field<"conv">(&Transition::conv), field<"pool">(&Transition::pool)};
  static constexpr Dims shape(Dims in) { return shapes<Sequential<decltype(conv), decltype(pool)>>(in).back(); }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    // Pooled first: a 1x1 convolution of means is the mean of its results, at a quarter of the cost.
    return run(conv, run(pool, norm_relu(norm, x, run)));
  }
};

/// A block's channels: those that come in, and Growth from each layer.
template <Backend B, int In, int Growth, Blocks Layers = Blocks{6, 12, 24, 16}, int Width = 2 * Growth,
          class Stem = stem::Large>
struct DenseFeatures {
  template <int Channels, int Count>
  using Block = DenseBlock<B, Channels, Growth, Count>;
  template <class Before>
  using After = Transition<B, Before::out_channels>;

  Conv2d<B, In, Width, Stem::kernel, Stem::stride, Stem::padding, false> conv0;
  BatchNorm2d<B, Width> norm0;
  std::conditional_t<Stem::max_pool, MaxPool2d<B, 3, 2, 1>, Identity<B>> pool0;
  Block<Width, Layers.one> denseblock1;
  After<decltype(denseblock1)> transition1;
  Block<decltype(transition1)::out_channels, Layers.two> denseblock2;
  After<decltype(denseblock2)> transition2;
  Block<decltype(transition2)::out_channels, Layers.three> denseblock3;
  After<decltype(denseblock3)> transition3;
  Block<decltype(transition3)::out_channels, Layers.four> denseblock4;
  BatchNorm2d<B, decltype(denseblock4)::out_channels> norm5;
  static constexpr auto fields = Fields{field<"conv0">(&DenseFeatures::conv0),
                                        field<"norm0">(&DenseFeatures::norm0),
                                        field<"pool0">(&DenseFeatures::pool0),
                                        field<"denseblock1">(&DenseFeatures::denseblock1),
                                        field<"transition1">(&DenseFeatures::transition1),
                                        field<"denseblock2">(&DenseFeatures::denseblock2),
                                        field<"transition2">(&DenseFeatures::transition2),
                                        field<"denseblock3">(&DenseFeatures::denseblock3),
                                        field<"transition3">(&DenseFeatures::transition3),
                                        field<"denseblock4">(&DenseFeatures::denseblock4),
                                        field<"norm5">(&DenseFeatures::norm5)};
  static constexpr int in_channels = In, out_channels = decltype(denseblock4)::out_channels;
  static constexpr Dims shape(Dims in) {
    return shapes<Sequential<decltype(conv0), decltype(pool0), decltype(denseblock1), decltype(transition1),
                             decltype(denseblock2), decltype(transition2), decltype(denseblock3), decltype(transition3),
                             decltype(denseblock4)>>(in)
        .back();
  }

  Var<B> operator()(const Var<B>& image, auto& run) const {
    const auto begin = [this](const Var<B>& in, Run<B>& inner) {
      return inner(pool0, conv_norm_relu(conv0, norm0, in, inner));  // (n, h/2, w/2, width) before the max-pooling
    };
    Var<B> x = run.section(image, begin);               // (n, h/4, w/4, width)
    x = run(transition1, run(denseblock1, x));          // (n, h/8, w/8, ...)
    x = run(transition2, run(denseblock2, x));          // (n, h/16, w/16, ...)
    x = run(transition3, run(denseblock3, x));          // (n, h/32, w/32, ...)
    return norm_relu(norm5, run(denseblock4, x), run);  // (n, h/32, w/32, out_channels)
  }
};

/// In: channels of the image. Growth: channels that every layer adds. Layers: of the four blocks. Width: channels after
/// the stem. Output: logits (n, Classes).
template <Backend B, int In, int Classes, int Growth, Blocks Layers, int Width = 2 * Growth, class Stem = stem::Large>
struct DenseNet {
  using Features = DenseFeatures<B, In, Growth, Layers, Width, Stem>;
  static constexpr int in_channels = In, out_channels = Classes;

  Features features;
  GlobalAverage<B> avgpool;
  Dropout<B> dropout{.rate = 0};  ///< none, as published; acquire::Bald wants some
  Linear<B, Features::out_channels, Classes> classifier;
  static constexpr auto fields =
      Fields{field<"features">(&DenseNet::features), field<"avgpool">(&DenseNet::avgpool),
             field<"dropout">(&DenseNet::dropout), field<"classifier">(&DenseNet::classifier)};

  [[gnu::cold]] explicit DenseNet(Seed seed = {}) { initialise(*this, seed); }

  static constexpr Dims shape(Dims in) {
    return shapes<Sequential<Features, decltype(avgpool), decltype(classifier)>>(in).back();
  }

  Var<B> operator()(const Var<B>& image, auto& run) const {
    const Var<B> x = flatten(run(avgpool, run(features, image)));  // (n, channels)
    return run(classifier, run(dropout, x));                       // (n, classes)
  }
};

template <Backend B, int In>
using DenseNet121Features = DenseFeatures<B, In, 32>;
template <Backend B, int In, int Classes>
using DenseNet121 = DenseNet<B, In, Classes, 32, Blocks{6, 12, 24, 16}>;
/// For small pictures and quick runs: no max-pooling, two layers a block, a growth of 12. The maps of its blocks are a
/// half, a quarter, an eighth and a 16th of the picture: "features.denseblock3" is what to explain below 100 pixels.
template <Backend B, int In>
using SlimDenseFeatures = DenseFeatures<B, In, 12, Blocks{2}, 24, stem::Unpooled>;
template <Backend B, int In, int Classes>
using SlimDenseNet = DenseNet<B, In, Classes, 12, Blocks{2}, 24, stem::Unpooled>;

}  // namespace limn::models
