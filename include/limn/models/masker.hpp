// Networks that say which part of a picture counts: an image becomes a soft mask, one number from 0 to 1 a pixel. And
// such a network in front of a classifier, to be trained.
#pragma once

#include <concepts>
#include <utility>

#include "limn/nn/fusion.hpp"
#include "limn/nn/layers.hpp"

namespace limn::models {

/// Any network that maps pictures (n, h, w, c) to masks (n, h, w, 1) of their size, of values from 0 to 1. What a type
/// cannot say, the size, is checked when it is called.
template <class M>
concept MaskNetwork = lists_its_fields<M> &&
    requires(const M& masker, const Var<backend_of<M>>& image, Run<backend_of<M>>& run) {
  { masker(image, run) } -> std::convertible_to<Var<backend_of<M>>>;
  requires limn::detail::out_channels_of<M>(1)
  == 1;
};

namespace detail {

/// 3x3 convolution, batch norm, ReLU.
template <Backend B, int In, int Out, int Stride = 1>
struct MaskerBlock {
  static constexpr int in_channels = In, out_channels = Out;
  Conv2d<B, In, Out, 3, Stride, 1, false> conv;
  BatchNorm2d<B, Out> bn;
  static constexpr auto fields = Fields{field<"conv">(&MaskerBlock::conv), field<"bn">(&MaskerBlock::bn)};

  Var<B> operator()(const Var<B>& x, auto& run) const { return conv_norm_relu(conv, bn, x, run); }
};

}  // namespace detail

/// A light encoder and decoder: two steps down, two up by bilinear resize, each joined with the map of its size on the
/// way down, so that the mask keeps to the picture's edges. In: channels of the picture. Width: channels at full size,
/// twice and four times as many below. Any size of picture. at<"mask"> gives the mask.
template <Backend B, int In, int Width = 8>
struct Masker {
  static constexpr int in_channels = In, out_channels = 1;

  detail::MaskerBlock<B, In, Width> enter;
  detail::MaskerBlock<B, Width, 2 * Width, 2> down1;
  detail::MaskerBlock<B, 2 * Width, 4 * Width, 2> down2;
  detail::MaskerBlock<B, 6 * Width, 2 * Width> up1;
  detail::MaskerBlock<B, 3 * Width, Width> up2;
  Conv2d<B, Width, 1, 1> out;
  Sigmoid<B> mask;
  static constexpr auto fields =
      Fields{field<"enter">(&Masker::enter), field<"down1">(&Masker::down1), field<"down2">(&Masker::down2),
             field<"up1">(&Masker::up1),     field<"up2">(&Masker::up2),     field<"out">(&Masker::out),
             field<"mask">(&Masker::mask)};

  [[gnu::cold]] explicit Masker(Seed seed = {}) { initialise(*this, seed); }

  static constexpr Dims shape(Dims in) { return {in.height, in.width, 1}; }

  Var<B> operator()(const Var<B>& image, auto& run) const {
    const auto joined = [](const Var<B>& deep, const Var<B>& fine) {
      return concat<B>({resize(deep, fine.dim(1), fine.dim(2)), fine}, 3);
    };
    const Var<B> full = run(enter, image);                  // (n, h, w, width)
    const Var<B> half = run(down1, full);                   // (n, h/2, w/2, 2 width)
    const Var<B> quarter = run(down2, half);                // (n, h/4, w/4, 4 width)
    const Var<B> y = run(up1, joined(quarter, half));       // (n, h/2, w/2, 2 width)
    return run(mask, run(out, run(up2, joined(y, full))));  // (n, h, w, 1)
  }
};

/// run(masker, image), whose size is checked: ShapeError.
template <MaskNetwork M, Backend B>
[[nodiscard]] Var<B> mask_of(const M& masker, const Var<B>& image, Run<B>& run) {
  Var<B> mask = run(masker, image);
  Shape expected = image.shape();
  expected[expected.rank() - 1] = 1;
  require<ShapeError>(mask.shape() == expected, "masker: a mask of ", mask.shape(), " for pictures ", image.shape(),
                      ", expected ", expected);
  return mask;
}

/// A classifier that stays as it is behind a masker that is trained: its logits of what the masker keeps of a picture,
/// x M. at<"masker"> gives the mask M, and, while anything is listened to, at<"rest"> the logits of what the masker
/// takes away, x (1 - M). It owns the masker alone: that is what optimisers, files and copies see. The classifier must
/// live, where it is, as long as this; it runs as in prediction, in training too, and neither its parameters nor its
/// running statistics change.
template <class Net, MaskNetwork M>
struct Masked {
  using B = backend_of<Net>;
  static constexpr int in_channels = limn::detail::in_channels_of<Net>(),
                       out_channels = limn::detail::out_channels_of<Net>(any_channels);
  static_assert(std::is_same_v<B, backend_of<M>>, "limn: Masked: classifier and masker must have one back end");
  static_assert(in_channels == any_channels || limn::detail::in_channels_of<M>() == any_channels ||
                    in_channels == limn::detail::in_channels_of<M>(),
                "limn: Masked: classifier and masker must take pictures of as many channels");

  M masker;
  Identity<B> rest;
  static constexpr auto fields = Fields{field<"masker">(&Masked::masker), field<"rest">(&Masked::rest)};

  Masked(const Net& net, M mask_network) : masker(std::move(mask_network)), net_(&net) {}
  Masked(const Net&& net, M mask_network) = delete;  // it would not live long enough

  Var<B> operator()(const Var<B>& image, auto& run) const {
    const Var<B> mask = mask_of(masker, image, run);                     // (n, h, w, 1)
    if (run.watches()) (void)run(rest, classified(image * (1 - mask)));  // (n, classes)
    return classified(image * mask);                                     // (n, classes)
  }

 private:
  Var<B> classified(const Var<B>& image) const {
    Run<B> prediction;
    try {
      return prediction(*net_, image);
    } catch (Error& error) {
      error.layer = nullptr;  // its path is complete: the classifier is no part of this
      throw;
    }
  }
  const Net* net_;
};

}  // namespace limn::models
