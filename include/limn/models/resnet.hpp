// ResNet (He et al. 2015) with torchvision's names and numbers. How the network becomes smaller is a template argument:
// by strides, as published, or by LAP-Pools (pool::Lap), which also explain what the network looked at.
#pragma once

#include "limn/nn/lap.hpp"
#include "limn/nn/sequential.hpp"

namespace limn {

/// How a network reduces its feature maps.
namespace pool {

/// By strided convolutions and a global mean.
struct Strided {
  static constexpr bool lap = false;
};

/// Strided convolutions become convolutions of stride one followed by a LAP-Pool of their kernel and stride, and the
/// global mean becomes a LAP-Pool of the whole map. Clues: lap::one_vs_others, lap::binary or a
/// ClueSystem. Scores: how the maps of several clues become the scores of the pools.
template <auto Clues, limn::lap::Aggregate Scores = limn::lap::Aggregate::sum>
struct LapWith {
  static constexpr bool lap = true;
  static constexpr auto aggregate = Scores;
  template <int Classes>
  static constexpr auto clues() {
    static_assert(Clues.classes == Classes, "limn: the clue system is for another number of classes");
    return Clues;
  }
};

/// LAP-Pools with the usual clues: one for two classes (class 1 against class 0), else one class against the others.
struct Lap {
  static constexpr bool lap = true;
  static constexpr auto aggregate = limn::lap::Aggregate::sum;
  template <int Classes>
  static constexpr auto clues() {
    if constexpr (Classes == 2) {
      return limn::lap::binary();
    } else {
      return limn::lap::one_vs_others<Classes>();
    }
  }
};

template <class P>
concept Policy = requires {
  { P::lap } -> std::convertible_to<bool>;
};

}  // namespace pool

/// How a network begins.
namespace stem {

/// As published: a 7x7 convolution of stride 2 and a max-pooling of stride 2, for pictures of 128 pixels and more.
struct Large {
  static constexpr int kernel = 7, stride = 2, padding = 3;
  static constexpr bool max_pool = true;
};
/// Without the max-pooling, for pictures of about 64 pixels: maps keep twice the detail.
struct Unpooled {
  static constexpr int kernel = 7, stride = 2, padding = 3;
  static constexpr bool max_pool = false;
};

}  // namespace stem

namespace models {

namespace detail {
using limn::detail::Nothing;

template <Backend B, int C, int Classes, class Pool, int Kernel, int Stride, int Padding>
constexpr auto lap_type() {
  if constexpr (Pool::lap) {
    return std::type_identity<
        LapPool<B, C, Pool::template clues<Classes>(), Kernel, Stride, Padding, Pool::aggregate>>{};
  } else {
    return std::type_identity<Nothing>{};
  }
}
}  // namespace detail

/// Two 3x3 convolutions and a shortcut. With a stride and pool::Lap, one LAP on the block's input pools both ways.
template <Backend B, int In, int Out, int Stride, int Classes, class Pool>
struct BasicBlock {
  static constexpr int in_channels = In, out_channels = Out;
  static constexpr bool pooled = Stride > 1 && Pool::lap, projects = Stride > 1 || In != Out;
  static constexpr int conv_stride = pooled ? 1 : Stride;  // NOLINT(bugprone-branch-clone)
  template <class T>
  using if_pooled = std::conditional_t<pooled, T, detail::Nothing>;
  using Shortcut = Sequential<Conv2d<B, In, Out, 1, conv_stride, 0, false>, BatchNorm2d<B, Out>>;

  Conv2d<B, In, Out, 3, conv_stride, 1, false> conv1;
  BatchNorm2d<B, Out> bn1;
  Conv2d<B, Out, Out, 3, 1, 1, false> conv2;
  BatchNorm2d<B, Out> bn2;
  std::conditional_t<projects, Shortcut, detail::Nothing> downsample;
  if_pooled<typename decltype(detail::lap_type<B, In, Classes, Pool, 3, Stride, 1>())::type> lap;
  static constexpr auto fields = Fields{field<"conv1">(&BasicBlock::conv1),           field<"bn1">(&BasicBlock::bn1),
                                        field<"conv2">(&BasicBlock::conv2),           field<"bn2">(&BasicBlock::bn2),
                                        field<"downsample">(&BasicBlock::downsample), field<"lap">(&BasicBlock::lap)};
  static constexpr Dims shape(Dims in) {
    constexpr Window window = Window::square(3, Stride, 1);
    return {window.out_h(in.height), window.out_w(in.width), Out};
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    Var<B> y;
    Var<B> shortcut = x;  // NOLINT(performance-unnecessary-copy-initialization): replaced below in most blocks
    if constexpr (pooled) {
      const Var<B> q = lap.scores(x, run);  // (n, h, w, 1)
      y = norm_relu(bn1, lap.pool_conv(conv1, x, q, run), run);
      shortcut = lap.pool(x, q);  // the 1x1 convolution after it gives the same as before it, at a quarter of the cost
    } else {
      y = conv_norm_relu(conv1, bn1, x, run);
    }
    if constexpr (projects) shortcut = run(downsample, shortcut);
    return conv_norm_relu(conv2, bn2, y, run, shortcut);
  }
};

/// A 1x1 convolution to Width channels, a 3x3 one, a 1x1 one to 4 Width, and a shortcut. The stride is that of the 3x3
/// convolution, as in torchvision. With a stride and pool::Lap, one LAP on the block's input pools both ways.
template <Backend B, int In, int Width, int Stride, int Classes, class Pool>
struct Bottleneck {
  static constexpr int in_channels = In, out_channels = 4 * Width;
  static constexpr bool pooled = Stride > 1 && Pool::lap, projects = Stride > 1 || In != out_channels;
  static constexpr int conv_stride = pooled ? 1 : Stride;  // NOLINT(bugprone-branch-clone)
  template <class T>
  using if_pooled = std::conditional_t<pooled, T, detail::Nothing>;
  using Shortcut = Sequential<Conv2d<B, In, 4 * Width, 1, conv_stride, 0, false>, BatchNorm2d<B, 4 * Width>>;

  Conv2d<B, In, Width, 1, 1, 0, false> conv1;
  BatchNorm2d<B, Width> bn1;
  Conv2d<B, Width, Width, 3, conv_stride, 1, false> conv2;
  BatchNorm2d<B, Width> bn2;
  Conv2d<B, Width, 4 * Width, 1, 1, 0, false> conv3;
  BatchNorm2d<B, 4 * Width> bn3;
  std::conditional_t<projects, Shortcut, detail::Nothing> downsample;
  if_pooled<typename decltype(detail::lap_type<B, In, Classes, Pool, 3, Stride, 1>())::type> lap;
  static constexpr auto fields = Fields{field<"conv1">(&Bottleneck::conv1),           field<"bn1">(&Bottleneck::bn1),
                                        field<"conv2">(&Bottleneck::conv2),           field<"bn2">(&Bottleneck::bn2),
                                        field<"conv3">(&Bottleneck::conv3),           field<"bn3">(&Bottleneck::bn3),
                                        field<"downsample">(&Bottleneck::downsample), field<"lap">(&Bottleneck::lap)};
  static constexpr Dims shape(Dims in) {
    constexpr Window window = Window::square(3, Stride, 1);
    return {window.out_h(in.height), window.out_w(in.width), out_channels};
  }

  Var<B> operator()(const Var<B>& x, auto& run) const {
    Var<B> y = conv_norm_relu(conv1, bn1, x, run);
    Var<B> shortcut = x;  // NOLINT(performance-unnecessary-copy-initialization): replaced below in most blocks
    if constexpr (pooled) {
      const Var<B> q = lap.scores(x, run);  // (n, h, w, 1)
      y = norm_relu(bn2, lap.pool_conv(conv2, y, q, run), run);
      shortcut = lap.pool(x, q);
    } else {
      y = conv_norm_relu(conv2, bn2, y, run);
    }
    if constexpr (projects) shortcut = run(downsample, shortcut);
    return conv_norm_relu(conv3, bn3, y, run, shortcut);
  }
};

/// What a network is made of.
namespace block {

/// ResNet-18 and -34.
struct Basic {
  static constexpr int expansion = 1;
  template <Backend B, int In, int Width, int Stride, int Classes, class Pool>
  using Type = BasicBlock<B, In, Width, Stride, Classes, Pool>;
};
/// ResNet-50 and deeper.
struct Bottlenecks {
  static constexpr int expansion = 4;
  template <Backend B, int In, int Width, int Stride, int Classes, class Pool>
  using Type = Bottleneck<B, In, Width, Stride, Classes, Pool>;
};

}  // namespace block

namespace detail {
template <class Block, Backend B, int In, int Width, int Stride, int Classes, class Pool, class Rest>
struct StageOf;
template <class Block, Backend B, int In, int Width, int Stride, int Classes, class Pool, int... Rest>
struct StageOf<Block, B, In, Width, Stride, Classes, Pool, std::integer_sequence<int, Rest...>> {
  template <int>
  using Next = typename Block::template Type<B, Width * Block::expansion, Width, 1, Classes, Pool>;
  using type = Sequential<typename Block::template Type<B, In, Width, Stride, Classes, Pool>, Next<Rest>...>;
};
}  // namespace detail

/// Blocks of one width; the first one has the stride.
template <class Block, Backend B, int In, int Width, int Stride, int Blocks, int Classes, class Pool>
using Stage = typename detail::StageOf<Block, B, In, Width, Stride, Classes, Pool,
                                       std::make_integer_sequence<int, Blocks - 1>>::type;

/// How many blocks the four stages of a network have.
struct Blocks {
  int one, two, three, four;
  // A number alone: all stages have so many.
  constexpr Blocks(int each) : Blocks(each, each, each, each) {}  // NOLINT(google-explicit-constructor)
  constexpr Blocks(int first, int second, int third, int fourth)
      : one(first), two(second), three(third), four(fourth) {}
};

/// In: channels of the image. Width: channels after the stem (64 in ResNet-18). PerStage: blocks. Output: logits
/// (n, Classes).
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided, int Width = 64, Blocks PerStage = 2,
          class Stem = stem::Large, class Block = block::Basic>
struct ResNet {
  static constexpr int in_channels = In, out_channels = Classes;
  static constexpr int map_channels = 8 * Width * Block::expansion;  ///< of the last feature map
  template <int Before, int Times, int Stride, int Count>
  using StageOf = Stage<Block, B, Before * Width, Times * Width, Stride, Count, Classes, Pool>;
  static constexpr int wide = Block::expansion;

  Conv2d<B, In, Width, Stem::kernel, Stem::stride, Stem::padding, false> conv1;
  BatchNorm2d<B, Width> bn1;
  std::conditional_t<Stem::max_pool, MaxPool2d<B, 3, 2, 1>, Identity<B>> maxpool;
  StageOf<1, 1, 1, PerStage.one> layer1;
  StageOf<wide, 2, 2, PerStage.two> layer2;
  StageOf<2 * wide, 4, 2, PerStage.three> layer3;
  StageOf<4 * wide, 8, 2, PerStage.four> layer4;
  std::conditional_t<Pool::lap, typename decltype(detail::lap_type<B, map_channels, Classes, Pool, 0, 1, 0>())::type,
                     GlobalAverage<B>>
      avgpool;
  Linear<B, map_channels, Classes> fc;
  static constexpr auto fields =
      Fields{field<"conv1">(&ResNet::conv1),   field<"bn1">(&ResNet::bn1),         field<"maxpool">(&ResNet::maxpool),
             field<"layer1">(&ResNet::layer1), field<"layer2">(&ResNet::layer2),   field<"layer3">(&ResNet::layer3),
             field<"layer4">(&ResNet::layer4), field<"avgpool">(&ResNet::avgpool), field<"fc">(&ResNet::fc)};

  [[gnu::cold]] explicit ResNet(Seed seed = {}) { initialise(*this, seed); }

  /// Of the last feature map.
  static constexpr Dims map_shape(Dims in) {
    return shapes<Sequential<decltype(conv1), decltype(maxpool), decltype(layer1), decltype(layer2), decltype(layer3),
                             decltype(layer4)>>(in)
        .back();
  }
  static constexpr Dims shape(Dims in) {
    return shapes<Sequential<decltype(avgpool), decltype(fc)>>(map_shape(in)).back();
  }

  /// The last feature map (n, h/32, w/32, map_channels); extents after the large stem.
  Var<B> features(const Var<B>& image, auto& run) const {
    const auto begin = [this](const Var<B>& in, Run<B>& inner) {
      return inner(maxpool, conv_norm_relu(conv1, bn1, in, inner));  // (n, h/2, w/2, width) before the max-pooling
    };
    Var<B> x = run.section(image, begin);  // (n, h/4, w/4, width)
    x = run(layer1, x);                    // (n, h/4, w/4, width), times 4 with bottlenecks, from here on
    x = run(layer2, x);                    // (n, h/8, w/8, 2 width)
    x = run(layer3, x);                    // (n, h/16, w/16, 4 width)
    return run(layer4, x);                 // (n, h/32, w/32, 8 width)
  }
  Var<B> operator()(const Var<B>& image, auto& run) const {
    const Var<B> x = run(avgpool, features(image, run));  // (n, 1, 1, map_channels)
    return run(fc, flatten(x));                           // (n, classes)
  }
};

template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using ResNet18 = ResNet<B, In, Classes, Pool, 64, 2>;
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using ResNet34 = ResNet<B, In, Classes, Pool, 64, Blocks{3, 4, 6, 3}>;
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using ResNet50 = ResNet<B, In, Classes, Pool, 64, Blocks{3, 4, 6, 3}, stem::Large, block::Bottlenecks>;
/// ResNet-18's layers for small pictures: no max-pooling and a quarter of the channels.
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using SlimResNet18 = ResNet<B, In, Classes, Pool, 16, 2, stem::Unpooled>;
/// One block per stage and an eighth of the channels: for tests and first tries.
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using ResNetSmall = ResNet<B, In, Classes, Pool, 8, 1>;

}  // namespace models

}  // namespace limn
