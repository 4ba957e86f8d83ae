// Two feature maps of one picture become one (Abbaspour Onari et al. 2025, section 4.1.3): by an attention gate, whose
// weights are an explanation, by concatenation or by multiplication. The maps may have different sizes; the result has
// that of the local map. Every way is a layer of two inputs, run(fusion, local, global), with
//   static constexpr int local_channels, global_channels, out_channels;
// and may be the fusion of a models::TwoBranch.
#pragma once

#include "limn/nn/dropout.hpp"
#include "limn/nn/layers.hpp"

namespace limn {

/// How an attention gate makes weights of its scores (Eq. 2 and 3).
enum class Gating {
  sigmoid,  ///< every position by itself
  softmax   ///< over the positions of the map, which sum to one
};
/// Which of the two maps an attention gate weighs; the other one is the gating signal.
enum class Gates {
  local,  ///< as in the paper's text
  global  ///< as in its code; the local map is resized, corners on corners
};

/// The probability of every element.
template <Backend B>
struct Sigmoid {
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return in; }
  Var<B> operator()(const Var<B>& x, auto&) const { return sigmoid(x); }
};

/// Softmax over the positions of each channel: (n, h, w, c) -> (n, h, w, c).
template <Backend B>
struct SpatialSoftmax {
  static constexpr auto fields = Fields{};
  static constexpr Dims shape(Dims in) { return in; }
  Var<B> operator()(const Var<B>& x, auto&) const {
    require<ShapeError>(x.rank() == 4, "spatial softmax: expected (n, h, w, c), got ", x.shape());
    const Index n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
    const Var<B> rows = permute(reshape(x, {n, h * w, c}), {0, 2, 1});  // (n, c, h w)
    return reshape(permute(softmax(rows), {0, 2, 1}), {n, h, w, c});
  }
};

/// Additive attention (Schlemper et al. 2019): q = psi(relu(Wx x + Wg g + b)), alpha = sigmoid or softmax of q, result
/// alpha x (Eq. 1 to 3). x is the map that is weighed, g the gating signal at its size. at<"alpha"> gives the weights
/// (n, h, w, 1).
template <Backend B, int Local, int Global, int Between = Local / 2, Gating How = Gating::sigmoid,
          Gates Of = Gates::local>
struct AttentionGate {
  static constexpr bool weighs_local = Of == Gates::local;
  static constexpr int local_channels = Local, global_channels = Global;
  static constexpr int out_channels = weighs_local ? Local : Global;     // NOLINT(bugprone-branch-clone)
  static constexpr int signal_channels = weighs_local ? Global : Local;  // NOLINT(bugprone-branch-clone)
  static_assert(Between >= 1, "limn: AttentionGate: at least one channel in between");

  Conv2d<B, out_channels, Between, 1, 1, 0, false> weight_x;
  Conv2d<B, signal_channels, Between, 1> weight_g;
  Conv2d<B, Between, 1, 1> psi;
  std::conditional_t<How == Gating::sigmoid, Sigmoid<B>, SpatialSoftmax<B>> alpha;
  static constexpr auto fields =
      Fields{field<"weight_x">(&AttentionGate::weight_x), field<"weight_g">(&AttentionGate::weight_g),
             field<"psi">(&AttentionGate::psi), field<"alpha">(&AttentionGate::alpha)};
  static constexpr Dims shape(Dims local, Dims global) {
    Dims out = weighs_local ? local : global;
    out.channels = out_channels;
    return out;
  }

  Var<B> operator()(const Var<B>& local, const Var<B>& global, auto& run) const {
    const Var<B>& x = weighs_local ? local : global;
    const Var<B>& signal = weighs_local ? global : local;
    const Index h = x.dim(1), w = x.dim(2);
    Var<B> g;  // (n, h, w, channels of the signal)
    if constexpr (weighs_local) {
      g = resize(signal, h, w);
    } else {
      g = resize(signal, h, w, Sampling::aligned_corners(signal.dim(1), h),
                 Sampling::aligned_corners(signal.dim(2), w));
    }
    const Var<B> q = run(psi, relu(run(weight_x, x) + run(weight_g, g)));  // (n, h, w, 1)
    return run(alpha, q) * x;                                              // (n, h, w, out)
  }
};

namespace detail {
/// 1x1 convolution, ReLU, dropout: what concatenation and multiplication end with.
template <Backend B, int In, int Out>
struct FusionBlock {
  static constexpr int in_channels = In, out_channels = Out;
  Conv2d<B, In, Out, 1> conv;
  Dropout<B> dropout;
  static constexpr auto fields = Fields{field<"conv">(&FusionBlock::conv), field<"dropout">(&FusionBlock::dropout)};

  Var<B> operator()(const Var<B>& x, auto& run) const { return run(dropout, relu(run(conv, x))); }
};
}  // namespace detail

/// [local; global at its size], then a 1x1 convolution, ReLU and dropout.
template <Backend B, int Local, int Global, int Out = Local>
struct Concatenate {
  static constexpr int local_channels = Local, global_channels = Global, out_channels = Out;
  detail::FusionBlock<B, Local + Global, Out> block;
  static constexpr auto fields = Fields{field<"block">(&Concatenate::block)};
  static constexpr Dims shape(Dims local, Dims) { return {local.height, local.width, Out}; }

  Var<B> operator()(const Var<B>& local, const Var<B>& global, auto& run) const {
    return run(block, concat<B>({local, resize(global, local.dim(1), local.dim(2))}, 3));
  }
};

/// local times global at its size (Eq. 4), then a 1x1 convolution, ReLU and dropout.
template <Backend B, int Local, int Global = Local, int Out = Local>
struct Multiply {
  static_assert(Local == Global, "limn: Multiply: both maps must have the same number of channels");
  static constexpr int local_channels = Local, global_channels = Global, out_channels = Out;
  detail::FusionBlock<B, Local, Out> block;
  static constexpr auto fields = Fields{field<"block">(&Multiply::block)};
  static constexpr Dims shape(Dims local, Dims) { return {local.height, local.width, Out}; }

  Var<B> operator()(const Var<B>& local, const Var<B>& global, auto& run) const {
    return run(block, local * resize(global, local.dim(1), local.dim(2)));
  }
};

}  // namespace limn
