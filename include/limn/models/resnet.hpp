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

namespace detail {
template <Backend B, int In, int Out, int Stride, int Classes, class Pool, class Rest>
struct StageOf;
template <Backend B, int In, int Out, int Stride, int Classes, class Pool, int... Rest>
struct StageOf<B, In, Out, Stride, Classes, Pool, std::integer_sequence<int, Rest...>> {
  template <int>
  using Next = BasicBlock<B, Out, Out, 1, Classes, Pool>;
  using type = Sequential<BasicBlock<B, In, Out, Stride, Classes, Pool>, Next<Rest>...>;
};
}  // namespace detail

/// Blocks of one width; the first one has the stride.
template <Backend B, int In, int Out, int Stride, int Blocks, int Classes, class Pool>
using Stage =
    typename detail::StageOf<B, In, Out, Stride, Classes, Pool, std::make_integer_sequence<int, Blocks - 1>>::type;

/// In: channels of the image. Width: channels after the stem (64 in ResNet-18). Blocks: per stage. Output: logits
/// (n, Classes).
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided, int Width = 64, int Blocks = 2,
          class Stem = stem::Large>
struct ResNet {
  static constexpr int in_channels = In, out_channels = Classes;

  Conv2d<B, In, Width, Stem::kernel, Stem::stride, Stem::padding, false> conv1;
  BatchNorm2d<B, Width> bn1;
  std::conditional_t<Stem::max_pool, MaxPool2d<B, 3, 2, 1>, Identity<B>> maxpool;
  Stage<B, Width, Width, 1, Blocks, Classes, Pool> layer1;
  Stage<B, Width, 2 * Width, 2, Blocks, Classes, Pool> layer2;
  Stage<B, 2 * Width, 4 * Width, 2, Blocks, Classes, Pool> layer3;
  Stage<B, 4 * Width, 8 * Width, 2, Blocks, Classes, Pool> layer4;
  std::conditional_t<Pool::lap, typename decltype(detail::lap_type<B, 8 * Width, Classes, Pool, 0, 1, 0>())::type,
                     GlobalAverage<B>>
      avgpool;
  Linear<B, 8 * Width, Classes> fc;
  static constexpr auto fields =
      Fields{field<"conv1">(&ResNet::conv1),   field<"bn1">(&ResNet::bn1),         field<"maxpool">(&ResNet::maxpool),
             field<"layer1">(&ResNet::layer1), field<"layer2">(&ResNet::layer2),   field<"layer3">(&ResNet::layer3),
             field<"layer4">(&ResNet::layer4), field<"avgpool">(&ResNet::avgpool), field<"fc">(&ResNet::fc)};

  [[gnu::cold]] explicit ResNet(Seed seed = {}) { initialise(*this, seed); }

  static constexpr Dims shape(Dims in) {
    return shapes<Sequential<decltype(conv1), decltype(maxpool), decltype(layer1), decltype(layer2), decltype(layer3),
                             decltype(layer4), decltype(avgpool), decltype(fc)>>(in)
        .back();
  }

  Var<B> operator()(const Var<B>& image, auto& run) const {  // extents after the large stem
    const auto begin = [this](const Var<B>& in, Run<B>& inner) {
      return inner(maxpool, conv_norm_relu(conv1, bn1, in, inner));  // (n, h/2, w/2, width) before the max-pooling
    };
    Var<B> x = run.section(image, begin);  // (n, h/4, w/4, width)
    x = run(layer1, x);                    // (n, h/4, w/4, width)
    x = run(layer2, x);                    // (n, h/8, w/8, 2 width)
    x = run(layer3, x);                    // (n, h/16, w/16, 4 width)
    x = run(layer4, x);                    // (n, h/32, w/32, 8 width)
    x = run(avgpool, x);                   // (n, 1, 1, 8 width)
    return run(fc, flatten(x));            // (n, classes)
  }
};

template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using ResNet18 = ResNet<B, In, Classes, Pool, 64, 2>;
/// ResNet-18's layers for small pictures: no max-pooling and a quarter of the channels.
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using SlimResNet18 = ResNet<B, In, Classes, Pool, 16, 2, stem::Unpooled>;
/// One block per stage and an eighth of the channels: for tests and first tries.
template <Backend B, int In, int Classes, pool::Policy Pool = pool::Strided>
using ResNetSmall = ResNet<B, In, Classes, Pool, 8, 1>;

}  // namespace models

}  // namespace limn
