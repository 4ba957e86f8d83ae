// Relevance-CAM (Lee et al., CVPR 2021): the channels of a layer, weighted by the mean relevance that LRP sends them.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/attribution.hpp"
#include "limn/explain/rules/lrp_tape.hpp"

namespace limn::explain {

namespace lrp {

/// The rule of Relevance-CAM for convolutions: x+ w+ + x- w- + the whole bias, `bias_count` times.
struct SignedPlus {
  int bias_count = 1;
  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    const Var<B> bias = layer.bias.empty() ? layer.bias : layer.bias * static_cast<typename B::scalar>(bias_count);
    return share<B>(layer, relevance, AlphaBeta::parts(layer, positive(layer.weight), negative(layer.weight), bias),
                    1e-9);
  }
};
/// For dense layers: the same without a bias.
struct UnbiasedPlus {
  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    return share<B>(layer, relevance, AlphaBeta::parts(layer, positive(layer.weight), negative(layer.weight), {}),
                    1e-9);
  }
};
struct RelevanceCamRules {
  SignedPlus convolution{};
  UnbiasedPlus dense{};
};

}  // namespace lrp

/// Relevance starts with 1 at the class and -1/N at the N - 1 others, and walks to the layer: z+ with signed inputs,
/// batch norm passed. The map is sum over channels of (mean over positions of relevance) * activation, with its sign:
/// no ReLU. The paper marks what is above mean + std of the map (metrics::mean_plus_std).
template <Name Layer>
struct RelevanceCam {
  static constexpr const char* name = "Relevance-CAM";
  static constexpr bool probability = false;
  /// The authors' code adds a convolution's bias to both halves of the denominator; see preset::relevance_cam_code.
  bool bias_twice = false;

  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    const NoRecord no_record;  // nothing is recorded before the layer
    Run<B> run;
    const std::size_t tap = run.tap(at<Layer>(net), true);
    Var<B> logits;
    {
      const RecordForRules keep;
      logits = run(net, Var<B>(images));
    }
    const Var<B>& activation = run.tapped(tap);
    require<ShapeError>(activation.rank() == 4, "Relevance-CAM: the layer gives ", activation.shape(),
                        ", expected a map (n, h, w, c)");
    Tensor<B> start = one_hot(logits.value(), classes);
    const auto others = -1 / static_cast<typename B::scalar>(logits.dim(1));
    for (auto& v : start.span())
      if (v == 0) v = others;

    const lrp::RelevanceCamRules composite{.convolution = {bias_twice ? 2 : 1}};
    const lrp::TapeOptions tape{.batch_norm = lrp::BatchNorm::passed, .stabiliser = 1e-9};
    const Rules<B> rules = lrp::rules(logits, activation, composite, tape);
    const Var<B> relevance = grad(logits, activation, {.upstream = {Var<B>(start)}, .rules = &rules});
    const NoRecord neither_after;
    const Tensor<B> maps = sum(mean(relevance, {1, 2}) * activation, {-1}).value();
    std::vector<Explanation> out;
    const Grid grid = run.grid_of(tap);
    for (Index i = 0; i < maps.dim(0); ++i) out.push_back({.map = map_of(maps, i), .grid = grid});
    return out;
  }
};

namespace preset {
/// As the authors' public code computes it.
template <Name Layer>
[[nodiscard]] constexpr RelevanceCam<Layer> relevance_cam_code() {
  return {.bias_twice = true};
}
}  // namespace preset

}  // namespace limn::explain
