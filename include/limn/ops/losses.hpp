// Losses of logits, computed without ever forming a probability that could round to 0 or 1.
#pragma once

#include <span>

#include "limn/ops/activation.hpp"

namespace limn {

/// Mean over the batch of -ln softmax(logits)[label]. logits (n, classes), labels n whole numbers in [0, classes).
template <Backend B>
[[nodiscard]] Var<B> cross_entropy(const Var<B>& logits, std::span<const Index> labels) {
  require<ShapeError>(logits.rank() == 2 && logits.dim(0) == static_cast<Index>(labels.size()) && !labels.empty(),
                      "cross_entropy: logits ", logits.shape(), ", but ", labels.size(), " labels");
  const Index classes = logits.dim(1);
  Tensor<Positions<B>> at(Shape{logits.dim(0)});
  for (Index i = 0; i < at.size(); ++i) {
    const Index label = labels[static_cast<std::size_t>(i)];
    require(label >= 0 && label < classes, "cross_entropy: label ", label, " of sample ", i, ", expected 0 to ",
            classes - 1);
    at.data()[i] = static_cast<std::int32_t>(i * classes + label);
  }
  const auto loss = kernel::cross_entropy(logits.value(), at);
  return record("cross_entropy", loss.mean, from(logits, [logits, at, rows = loss.rows](const Var<B>& g) {
                  if (!is_recording())
                    return Var<B>(kernel::cross_entropy_gradient(g.value(), logits.value(), rows, at));
                  const Var<B> one = Tensor<B>(at.shape(), typename B::scalar(1));
                  return (softmax(logits) - scatter_add(one, at, logits.shape())) *
                         (g / static_cast<typename B::scalar>(at.size()));
                }));
}

/// Mean of the binary cross-entropy between sigmoid(logits) and targets in [0, 1], same shape.
template <Backend B>
[[nodiscard]] Var<B> bce_with_logits(const Var<B>& logits, const Var<B>& targets) {
  require<ShapeError>(logits.shape() == targets.shape(), "bce_with_logits: logits ", logits.shape(), ", targets ",
                      targets.shape());
  return mean(softplus(logits) - logits * targets);
}

}  // namespace limn
