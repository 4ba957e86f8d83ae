// The losses of classification.
#pragma once

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

}  // namespace limn
