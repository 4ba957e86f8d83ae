// Two networks see the same picture differently, one the whole, one patches; their feature maps are joined and all
// three decide (Abbaspour Onari et al. 2025, section 4.1).
#pragma once

#include "limn/nn/fields.hpp"
#include "limn/nn/fusion.hpp"

namespace limn::models {

/// A network that gives its last feature map, pools it and decides: ResNet, BagNet, or yours.
template <class N>
concept Backbone = requires(const N& net, const Var<backend_of<N>>& image, Run<backend_of<N>>& run) {
  { N::map_channels } -> std::convertible_to<int>;
  { N::out_channels } -> std::convertible_to<int>;
  { N::map_shape(Dims{224, 224, N::in_channels}) } -> std::convertible_to<Dims>;
  { net.features(image, run) } -> std::convertible_to<Var<backend_of<N>>>;
  &N::avgpool;
  &N::fc;
};

/// What becomes of the joined map before it is flattened.
enum class Projection {
  plain,  ///< 1x1 convolution, batch norm (Eq. 5)
  deep    ///< as in the paper's code: batch norm, 1x1, ReLU, dropout, 1x1, batch norm
};

namespace detail {

template <Backend B, int In, int Out>
struct PlainProjection {
  static constexpr int in_channels = In, out_channels = Out;
  Conv2d<B, In, Out, 1> conv;
  BatchNorm2d<B, Out> bn;
  static constexpr auto fields = Fields{field<"conv">(&PlainProjection::conv), field<"bn">(&PlainProjection::bn)};

  Var<B> operator()(const Var<B>& x, auto& run) const { return run(bn, run(conv, x)); }
};

template <Backend B, int In, int Out>
struct DeepProjection {
  static constexpr int in_channels = In, out_channels = Out;
  BatchNorm2d<B, In> bn1;
  Conv2d<B, In, Out, 1> conv1;
  Dropout<B> dropout;
  Conv2d<B, Out, Out, 1> conv2;
  BatchNorm2d<B, Out> bn2;
  static constexpr auto fields = Fields{field<"bn1">(&DeepProjection::bn1), field<"conv1">(&DeepProjection::conv1),
                                        field<"dropout">(&DeepProjection::dropout),
                                        field<"conv2">(&DeepProjection::conv2), field<"bn2">(&DeepProjection::bn2)};

  Var<B> operator()(const Var<B>& x, auto& run) const {
    const Var<B> y = run(dropout, relu(run(conv1, run(bn1, x))));
    return run(bn2, run(conv2, y));
  }
};

}  // namespace detail

/// Fusion: AttentionGate, Concatenate, Multiply (nn/fusion.hpp), or yours; its channels must be those of the maps.
/// Size: height and width of the pictures that the decision is made for, which reads the projected map element by
/// element; that of other pictures is resized. Fused: channels of the projection.
/// Output: logits (n, classes) of the decision (Eq. 6). Those of the branches are at "global.fc" and "local.fc", see
/// CrossEntropyAt.
template <Backbone Global, Backbone Local, class Fusion, int Size = 224, int Fused = 64,
          Projection How = Projection::plain>
struct TwoBranch {
  using B = backend_of<Global>;
  static constexpr int in_channels = Global::in_channels, out_channels = Global::out_channels;
  static_assert(std::is_same_v<B, backend_of<Local>> && std::is_same_v<B, backend_of<Fusion>>,
                "limn: TwoBranch: both branches and the fusion must have one back end");
  static_assert(Global::in_channels == Local::in_channels,
                "limn: TwoBranch: both branches must take pictures of as many channels");
  static_assert(Global::out_channels == Local::out_channels,
                "limn: TwoBranch: both branches must have as many classes");
  static_assert(Fusion::local_channels == Local::map_channels && Fusion::global_channels == Global::map_channels,
                "limn: TwoBranch: the fusion is for maps of other numbers of channels than those of the branches");
  static constexpr Dims picture{Size, Size, in_channels};
  static constexpr Dims global_map = Global::map_shape(picture), local_map = Local::map_shape(picture);
  static constexpr Dims fused_map = Fusion::shape(local_map, global_map);
  static constexpr int decided_by =
      Global::map_channels + Local::map_channels + static_cast<int>(fused_map.height * fused_map.width) * Fused;

  Global global;
  Local local;
  Fusion fusion;
  std::conditional_t<How == Projection::plain, detail::PlainProjection<B, Fusion::out_channels, Fused>,
                     detail::DeepProjection<B, Fusion::out_channels, Fused>>
      projection;
  Linear<B, decided_by, out_channels> fc;
  static constexpr auto fields = Fields{field<"global">(&TwoBranch::global), field<"local">(&TwoBranch::local),
                                        field<"fusion">(&TwoBranch::fusion),
                                        field<"projection">(&TwoBranch::projection), field<"fc">(&TwoBranch::fc)};

  [[gnu::cold]] explicit TwoBranch(Seed seed = {}) { initialise(*this, seed); }

  static constexpr Dims shape(Dims) { return {1, 1, out_channels}; }

  Var<B> operator()(const Var<B>& image, auto& run) const {
    const Var<B> g = global.features(image, run), l = local.features(image, run);
    const Var<B> of_g = flatten(run(global.avgpool, g)), of_l = flatten(run(local.avgpool, l));
    (void)run(global.fc, of_g);                           // (n, classes), for those who listen
    (void)run(local.fc, of_l);                            // (n, classes)
    const Var<B> y = run(projection, run(fusion, l, g));  // (n, h, w, fused)
    const Var<B> read = resize(y, fused_map.height, fused_map.width);
    return run(fc, concat<B>({of_g, of_l, flatten(read)}, 1));
  }
};

}  // namespace limn::models
