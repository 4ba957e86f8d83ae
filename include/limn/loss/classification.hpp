// The losses of classification.
#pragma once

#include "limn/explain/saliency.hpp"
#include "limn/loss/loss.hpp"

namespace limn {

/// Mean over the batch of -ln p(label).
struct CrossEntropy {
  static constexpr const char* name = "cross_entropy";

  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return cross_entropy(step.logits, std::span<const Index>(step.batch.labels));
  }
};

/// -ln p(label) of every picture: logits (n, classes) -> (n, 1).
template <Backend B>
[[nodiscard]] Var<B> cross_entropies(const Var<B>& logits, std::span<const Index> labels) {
  return -take(log_softmax(logits), explain::detail::of_classes(logits, labels));
}

}  // namespace limn
