// The losses of ALIGN (Hong et al., "From Attribution to Action: Jointly ALIGNing Predictions and Explanations"): a
// masker learns where the evidence is, and the classifier is pulled towards it. train::align takes turns.
//   models::Masker<Cpu, 1> masker;
//   auto losses = align_losses<GradCam<"layer4">>(masker);
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "limn/loss/explanation/dre.hpp"
#include "limn/loss/explanation/explanation.hpp"
#include "limn/loss/explanation/masker.hpp"
#include "limn/models/masker.hpp"

namespace limn {

/// A term that compares with masks, given those of a masker for the pictures of the batch in place of the annotated
/// ones: every picture has one. The masker runs as in prediction and is a constant: nothing of it changes, and no
/// gradient reaches it. See guided_by().
template <models::MaskNetwork M, LossTerm Term>
struct GuidedBy {
  static constexpr const char* name = Term::name;
  const M* masker;
  Term term;

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    if constexpr (requires { term.watch(net, run); }) term.watch(net, run);
  }
  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    Batch<B> batch = step.batch;
    {
      const NoRecord off;
      Run<B> prediction;
      batch.masks = models::mask_of(*masker, Var<B>(batch.images), prediction).value();
    }
    batch.has_mask.assign(batch.labels.size(), std::uint8_t{1});
    return term(Step<B>{batch, step.logits, step.run, step.progress, step.network});
  }
};

/// guided_by(masker, ExplanationLoss<GradCam<"layer4">, Bce>{}): the masker must live, where it is, as long as the
/// loss.
template <models::MaskNetwork M, LossTerm Term>
[[nodiscard]] GuidedBy<M, Term> guided_by(const M& masker, Term term) {
  return {&masker, std::move(term)};
}
template <models::MaskNetwork M, LossTerm Term>
void guided_by(const M&& masker, Term term) = delete;  // it would not live long enough

/// The defaults are ours: with them the masks of generated pictures neither keep all nor nothing.
struct AlignWeights {
  float area = 4, variation = .3f;  ///< of the masker's loss, l1 and l2
  float guidance = .3f;             ///< of the comparison of saliency and mask, l3
  float regulariser = .3f;          ///< of Dre, l4
};

/// What is trained on what.
template <AnyLoss OfClassifier, AnyLoss Guidance, AnyLoss OfMasker>
struct AlignLosses {
  OfClassifier classifier;  ///< from the start
  Guidance guidance;        ///< of the classifier, besides, as soon as there are masks
  OfMasker masker;          ///< the masker before a classifier that stays (models::Masked)
};
template <class OfClassifier, class Guidance, class OfMasker>
AlignLosses(OfClassifier, Guidance, OfMasker) -> AlignLosses<OfClassifier, Guidance, OfMasker>;

/// (p_y(x M) - p_y(x (1 - M)) - 1)^2 + l1 mean |M| + l2 TV(M)
[[nodiscard]] inline auto masker_loss(const AlignWeights& weights = {}) {
  require<OptionError>(weights.area >= 0 && weights.variation >= 0,
                       "masker_loss: weights must be at least 0, got area ", weights.area, " and variation ",
                       weights.variation);
  return MaskEvidence{} + weights.area * MaskArea{} + weights.variation * MaskVariation{};
}

/// As published: CE + l4 L_reg, guidance l3 BCE(saliency of the label, M), and masker_loss().
/// Explainer: Grad-CAM of the last stage there, any differentiable one here. Throws OptionError for weights below 0.
template <explain::DifferentiableExplainer Explainer, models::MaskNetwork M>
[[nodiscard]] auto align_losses(const M& masker, const AlignWeights& weights = {}, const DreOptions& dre = {}) {
  require<OptionError>(weights.guidance >= 0 && weights.regulariser >= 0,
                       "align_losses: weights must be at least 0, got guidance ", weights.guidance, " and regulariser ",
                       weights.regulariser);
  return AlignLosses{CrossEntropy{} + weights.regulariser * Dre<Explainer>{dre},
                     weights.guidance * guided_by(masker, ExplanationLoss<Explainer, Bce>{}), masker_loss(weights)};
}
template <explain::DifferentiableExplainer Explainer, models::MaskNetwork M>
void align_losses(const M&& masker, const AlignWeights& weights = {}, const DreOptions& dre = {}) = delete;

}  // namespace limn
