// What a masker learns from (models::Masked): that what it keeps of a picture is enough for the classifier and what it
// takes away is not, with little and in one piece (ALIGN, Hong et al.).
#pragma once

#include <span>

#include "limn/explain/saliency.hpp"
#include "limn/loss/loss.hpp"

namespace limn {

/// Mean over the pictures of (p_y(x M) - p_y(x (1 - M)) - 1)^2, p_y the classifier's probability of the label: 0 where
/// the kept part alone decides, 4 where the other one does.
struct MaskEvidence {
  static constexpr const char* name = "mask_evidence";

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template listen<"rest">(net);
  }
  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    const auto p = [&](const Var<B>& logits) {
      return explain::scores(logits, std::span<const Index>(step.batch.labels), Score::class_probability);  // (n, 1)
    };
    return mean(square(p(step.logits) - p(step.run.watched("rest")) - 1));
  }
};

/// mean |M|: the share of the picture that is kept.
struct MaskArea {
  static constexpr const char* name = "mask_area";

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template listen<"masker">(net);
  }
  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    return mean(abs(step.run.watched("masker")));
  }
};

/// Total variation: the mean absolute difference of neighbours above and below each other, plus that of neighbours side
/// by side. Means and no sums, so that a weight means the same for every size of picture.
struct MaskVariation {
  static constexpr const char* name = "mask_variation";

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template listen<"masker">(net);
  }
  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    const Var<B>& mask = step.run.watched("masker");  // (n, h, w, 1)
    Var<B> out = Tensor<B>(Shape{1}, typename B::scalar(0));
    for (const int axis : {1, 2}) {
      const Index pairs = mask.dim(axis) - 1;
      if (pairs > 0) out = out + mean(abs(slice(mask, axis, 1, pairs) - slice(mask, axis, 0, pairs)));
    }
    return out;
  }
};

}  // namespace limn
