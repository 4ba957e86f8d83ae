// Explanations that keep their shape between pictures: the regulariser of DRE (Li et al. 2023, "Are Data-driven
// Explanations Robust against Out-of-distribution Data?"), as ALIGN inherits it. What a network looks at in a mixture
// of two pictures of a class should be the mixture of what it looks at in each.
#pragma once

#include <span>
#include <vector>

#include "limn/loss/explanation/explanation.hpp"
#include "limn/loss/mixing.hpp"

namespace limn {

struct DreOptions {
  float alpha = .2f;               ///< shares of the mixtures are from Beta(alpha, alpha)
  float sparsity = .5f;            ///< weight of the maps' mean
  float classify = .1f;            ///< weight of the mixtures' cross-entropy
  Scale scale = Scale::automatic;  ///< of the maps, as in ExplanationLoss
  Weights weights = Weights::exact;
  float leak = .01f;  ///< while maps are scaled, as in ExplanationLoss
};

/// For pairs i, j of one class within the batch, x~ = share x_i + (1 - share) x_j, S the saliency of the label:
///   mean |S(x~) - (share S(x_i) + (1 - share) S(x_j))| + sparsity / 2 (mean S(x_i) + mean S(x_j)) + classify CE(x~)
/// Every picture is the first one of a pair and the second one of another; one that is alone in its class is left out.
/// Without any pair it is 0 and has no gradient. Costs a pass of the network through the mixtures.
/// Throws OptionError for options out of range.
template <explain::DifferentiableExplainer Explainer>
struct Dre {
  static constexpr const char* name = "dre";
  DreOptions options = {};
  Explainer explainer = {};

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    if constexpr (requires { explainer.watch(net, run); }) explainer.watch(net, run);
  }

  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    using T = typename B::scalar;
    detail::check_alpha(name, options.alpha);
    require<OptionError>(options.sparsity >= 0 && options.classify >= 0, name,
                         ": weights must be at least 0, got sparsity ", options.sparsity, " and classify ",
                         options.classify);
    require<OptionError>(options.leak >= 0 && options.leak < 1, name, ": leak must be 0 to less than 1, got ",
                         options.leak);
    const std::vector<Index>& labels = step.batch.labels;
    const auto pairs = detail::pairs<B>(labels, true, options.alpha, Random(step.run.seed, name));
    if (pairs.empty()) return Tensor<B>(Shape{1}, T(0));
    const std::vector<Index> of_pairs = pairs.of_first(labels);
    const Var<B> map = saliency<B>(step.run, step.logits, labels);
    const Pass<B> pass = step.again(pairs.mix(Var<B>(step.batch.images)).value());
    Var<B> out = mean(abs(saliency<B>(pass.run, pass.logits, of_pairs) - pairs.mix(map)));
    if (options.sparsity > 0) {
      const Var<B> size = abs(map), both = detail::pictures(size, pairs.first) + detail::pictures(size, pairs.second);
      out = out + mean(both) * static_cast<T>(options.sparsity / 2);
    }
    if (options.classify > 0)
      out = out + cross_entropy(pass.logits, std::span<const Index>(of_pairs)) * static_cast<T>(options.classify);
    return out;
  }

 private:
  /// The maps of the labels, (n, h, w, 1).
  template <Backend B>
  [[nodiscard]] Var<B> saliency(const Run<B>& run, const Var<B>& logits, const std::vector<Index>& labels) const {
    constexpr bool probability = requires { requires Explainer::probability; };
    const bool as_it_is = options.scale == Scale::none || (options.scale == Scale::automatic && probability);
    const Var<B> score = sum(explain::scores(logits, labels));
    const explain::Question<B> question{run, score, labels, options.weights, as_it_is ? 0 : options.leak};
    const Var<B> map = explainer.saliency(question);
    return as_it_is ? map : detail::min_max(map);
  }
};

}  // namespace limn
