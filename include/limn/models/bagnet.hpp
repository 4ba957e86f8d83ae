// BagNet (Brendel and Bethge 2019): a ResNet-50 in which most 3x3 convolutions are 1x1, so that every element of the
// last feature map has seen a patch of 33 (17, 9) pixels only, and nothing of the rest of the picture. Names and
// numbers are those of the published networks.
#pragma once

#include "limn/models/resnet.hpp"

namespace limn::models {

/// A bottleneck whose 3x3 convolution (Kernel 3; else 1) has no padding. The shortcut is cropped at the right and the
/// lower end to what is left.
template <Backend B, int In, int Width, int Kernel, int Stride>
struct BagBlock {
  static constexpr int in_channels = In, out_channels = 4 * Width;
  static constexpr bool projects = Stride > 1 || In != out_channels;
  using Shortcut = Sequential<Conv2d<B, In, 4 * Width, 1, Stride, 0, false>, BatchNorm2d<B, 4 * Width>>;

  Conv2d<B, In, Width, 1, 1, 0, false> conv1;
  BatchNorm2d<B, Width> bn1;
  Conv2d<B, Width, Width, Kernel, Stride, 0, false> conv2;
  BatchNorm2d<B, Width> bn2;
  Conv2d<B, Width, 4 * Width, 1, 1, 0, false> conv3;
  BatchNorm2d<B, 4 * Width> bn3;
  std::conditional_t<projects, Shortcut, detail::Nothing> downsample;
  static constexpr auto fields = Fields{field<"conv1">(&BagBlock::conv1),          field<"bn1">(&BagBlock::bn1),
                                        field<"conv2">(&BagBlock::conv2),          field<"bn2">(&BagBlock::bn2),
                                        field<"conv3">(&BagBlock::conv3),          field<"bn3">(&BagBlock::bn3),
                                        field<"downsample">(&BagBlock::downsample)};
  static constexpr Dims shape(Dims in) {
    constexpr Window window = decltype(conv2)::window;
    return {window.out_h(in.height), window.out_w(in.width), out_channels};
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    Var<B> y = conv_norm_relu(conv1, bn1, x, run);
    y = conv_norm_relu(conv2, bn2, y, run);
    Var<B> shortcut = x;  // NOLINT(performance-unnecessary-copy-initialization): replaced below in some blocks
    if constexpr (projects) shortcut = run(downsample, shortcut);
    if constexpr (Kernel > 1) shortcut = slice(slice(shortcut, 1, 0, y.dim(1)), 2, 0, y.dim(2));
    return conv_norm_relu(conv3, bn3, y, run, shortcut);
  }
};

namespace detail {
template <Backend B, int In, int Width, int Kernel, int Stride, class Rest>
struct BagStageOf;
template <Backend B, int In, int Width, int Kernel, int Stride, int... Rest>
struct BagStageOf<B, In, Width, Kernel, Stride, std::integer_sequence<int, Rest...>> {
  template <int>
  using Next = BagBlock<B, 4 * Width, Width, 1, 1>;
  using type = Sequential<BagBlock<B, In, Width, Kernel, Stride>, Next<Rest>...>;
};
}  // namespace detail

/// In: channels of the image. Large: stages that begin with a 3x3 convolution (4, 3 and 2 in BagNet-33, -17 and -9).
/// Width: channels after the stem. Output: logits (n, Classes); every class's logit is the mean over the map of what
/// each patch says: run(net.fc, net.features(image, run)).
template <Backend B, int In, int Classes, int Large = 4, int Width = 64, Blocks PerStage = Blocks{3, 4, 6, 3}>
struct BagNet {
  static_assert(Large >= 0 && Large <= 4, "limn: BagNet: 0 to 4 stages begin with a 3x3 convolution");
  static constexpr int in_channels = In, out_channels = Classes, map_channels = 32 * Width;
  /// Pixels across that an element of the last feature map depends on.
  static constexpr int receptive_field =
      3 + (Large > 0 ? 2 : 0) + (Large > 1 ? 4 : 0) + (Large > 2 ? 8 : 0) + (Large > 3 ? 16 : 0);
  template <int Number, int Before, int Times, int Stride, int Count>
  using StageOf = typename detail::BagStageOf<B, Before * Width, Times * Width, Large >= Number ? 3 : 1, Stride,
                                              std::make_integer_sequence<int, Count - 1>>::type;

  Conv2d<B, In, Width, 1, 1, 0, false> conv1;
  Conv2d<B, Width, Width, 3, 1, 0, false> conv2;
  BatchNorm2d<B, Width> bn1;
  StageOf<1, 1, 1, 2, PerStage.one> layer1;
  StageOf<2, 4, 2, 2, PerStage.two> layer2;
  StageOf<3, 8, 4, 2, PerStage.three> layer3;
  StageOf<4, 16, 8, 1, PerStage.four> layer4;
  GlobalAverage<B> avgpool;
  Linear<B, map_channels, Classes> fc;
  static constexpr auto fields =
      Fields{field<"conv1">(&BagNet::conv1),   field<"conv2">(&BagNet::conv2),     field<"bn1">(&BagNet::bn1),
             field<"layer1">(&BagNet::layer1), field<"layer2">(&BagNet::layer2),   field<"layer3">(&BagNet::layer3),
             field<"layer4">(&BagNet::layer4), field<"avgpool">(&BagNet::avgpool), field<"fc">(&BagNet::fc)};

  [[gnu::cold]] explicit BagNet(Seed seed = {}) { initialise(*this, seed); }

  /// Of the last feature map: 24 x 24 at 224.
  static constexpr Dims map_shape(Dims in) {
    return shapes<Sequential<decltype(conv1), decltype(conv2), decltype(layer1), decltype(layer2), decltype(layer3),
                             decltype(layer4)>>(in)
        .back();
  }
  static constexpr Dims shape(Dims in) {
    return shapes<Sequential<decltype(avgpool), decltype(fc)>>(map_shape(in)).back();
  }

  /// The last feature map (n, h, w, map_channels).
  Var<B> features(const Var<B>& image, auto& run) const {
    const auto begin = [this](const Var<B>& in, Run<B>& inner) {
      return conv_norm_relu(conv2, bn1, inner(conv1, in), inner);  // (n, h - 2, w - 2, width)
    };
    Var<B> x = run.section(image, begin);
    x = run(layer1, x);
    x = run(layer2, x);
    x = run(layer3, x);
    return run(layer4, x);
  }
  Var<B> operator()(const Var<B>& image, auto& run) const {
    return run(fc, flatten(run(avgpool, features(image, run))));  // (n, classes)
  }
};

template <Backend B, int In, int Classes>
using BagNet33 = BagNet<B, In, Classes, 4>;
template <Backend B, int In, int Classes>
using BagNet17 = BagNet<B, In, Classes, 3>;
template <Backend B, int In, int Classes>
using BagNet9 = BagNet<B, In, Classes, 2>;

}  // namespace limn::models
