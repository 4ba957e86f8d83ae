// Layer-wise relevance propagation (Bach et al. 2015): a class score is shared out backwards, layer by layer, until it
// lies on the picture.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/attribution.hpp"
#include "limn/explain/rules/lrp_tape.hpp"

namespace limn::explain {

/// Composite: which rule holds for which layers, lrp::EpsilonPlus and its relatives or a struct of your own.
template <class Composite = lrp::EpsilonPlus>
struct Lrp {
  static constexpr const char* name = "LRP";
  static constexpr bool probability = false;

  Composite composite = {};
  lrp::TapeOptions tape = {};

  /// The relevance of every number of the images (n, h, w, c). Residual: their sum less the score, which is what biases
  /// and stabilisers kept.
  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    const RecordedPass<B> pass = record_pass(net, images, true);
    const Tensor<B> chosen = one_hot(pass.logits.value(), classes);
    Tensor<B> start;
    {
      const NoRecord no_record;
      start = (pass.logits.detach() * Var<B>(chosen)).value();
    }
    const Rules<B> rules = lrp::rules(pass.logits, pass.images, composite, tape);
    Attribution<B> out{grad(pass.logits, pass.images, {.upstream = {Var<B>(start)}, .rules = &rules}).value(), {}};
    out.residual = row_sums(out.values);
    const std::vector<double> scores = row_sums(start);
    for (std::size_t i = 0; i < scores.size(); ++i) out.residual[i] -= scores[i];
    return out;
  }
  /// The sum over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::sum);
  }
};

}  // namespace limn::explain
