// Explanations inside training: what a differentiable explainer is asked of a pass, and the score that it explains.
//
// An explainer can be part of a loss if it has
//   template <class Net, Backend B> void watch(const Net& net, Run<B>& run) const;   // what it needs of a pass
//   template <Backend B> Var<B> saliency(const Question<B>& question) const;         // (n, h, w, 1)
// and, where it has them, signed values from which the map is made, and classes that it has nothing to say about:
//   template <Backend B> Var<B> attributions(const Question<B>& question) const;     // (n, h, w, c)
//   template <Backend B> bool speaks_for(const Run<B>& run, Index of_class) const;
// Its map is computed by the same function as the explanation of a trained network.
#pragma once

#include <concepts>
#include <span>
#include <vector>

#include "limn/nn/run.hpp"
#include "limn/ops/ops.hpp"

namespace limn {

/// How the weights of a map, which are gradients themselves, take part when the map is differentiated.
enum class Weights {
  exact,    ///< with their own derivative, of second order in the network
  constant  ///< as constants: cheaper, and what much published code does
};

/// What is explained of a picture of class c (its label). z: logits, p: probabilities.
enum class Score {
  automatic,            ///< what the design asks for, else class_logit
  class_logit,          ///< z_c, as explain::GradCam
  class_probability,    ///< p_c
  difference,           ///< z_c - ln sum over the others of exp z; with two classes z_c less the other
  absolute_difference,  ///< its absolute value
  squared_difference,   ///< its square
  probability_difference,
  absolute_probability_difference,  ///< the same three of p_c - (1 - p_c)
  squared_probability_difference,
  log_probabilities  ///< the sum over all classes of ln p, whatever the label (Ross et al. 2017)
};

namespace explain {

/// What an explainer is asked of a pass that is on the tape.
template <Backend B>
struct Question {
  const Run<B>& run;
  const Var<B>& score;             ///< (1): the sum of the pictures' scores
  std::span<const Index> classes;  ///< of each picture
  Weights weights = Weights::exact;
  /// Where the method cuts off what is negative (Grad-CAM's ReLU), this share of it stays.
  float leak = 0;
};

/// Can be part of a loss.
template <class E>
concept DifferentiableExplainer = requires(const E& explainer, const Question<Cpu>& question) {
  { explainer.saliency(question) } -> std::convertible_to<Var<Cpu>>;
};

namespace detail {

/// Positions of the elements (i, c) with c the class of picture i, or, with `others`, all but that one.
template <Backend B>
[[nodiscard, gnu::cold]] Tensor<Positions<B>> of_classes(const Var<B>& logits, std::span<const Index> classes,
                                                         bool others = false) {
  require<ShapeError>(logits.rank() == 2 && logits.dim(0) == static_cast<Index>(classes.size()), "score: logits ",
                      logits.shape(), ", but ", classes.size(), " classes");
  const Index count = logits.dim(1);
  std::vector<std::int32_t> at;
  for (Index i = 0; i < logits.dim(0); ++i) {
    const Index own = classes[static_cast<std::size_t>(i)];
    require(own >= 0 && own < count, "score: class ", own, ", expected 0 to ", count - 1);
    for (Index c = 0; c < count; ++c)
      if ((c == own) != others) at.push_back(static_cast<std::int32_t>(i * count + c));
  }
  return {Shape{logits.dim(0), others ? count - 1 : 1}, std::span<const std::int32_t>(at)};
}

/// ln sum exp along the last axis, which stays with extent 1.
template <Backend B>
[[nodiscard]] Var<B> log_sum_exp(const Var<B>& x) {
  if (x.dim(-1) == 1) return x;
  const Var<B> largest = max(x).detach();
  return log(sum(exp(x - largest), {-1})) + largest;
}

}  // namespace detail

/// The score of every picture: logits (n, classes) -> (n, 1). Exact derivatives of any order; finite for any finite
/// logits.
template <Backend B>
[[nodiscard]] Var<B> scores(const Var<B>& logits, std::span<const Index> classes, Score score = Score::class_logit) {
  require<ShapeError>(logits.rank() == 2 && logits.dim(1) >= 2, "score: expected logits (n, 2 or more classes), got ",
                      logits.shape());
  const auto own = detail::of_classes(logits, classes);
  const auto difference = [&] {
    return take(logits, own) - detail::log_sum_exp(take(logits, detail::of_classes(logits, classes, true)));
  };
  const auto of_probabilities = [&] { return take(softmax(logits), own) * 2 - 1; };
  switch (score) {
    case Score::class_probability:
      return take(softmax(logits), own);
    case Score::difference:
      return difference();
    case Score::absolute_difference:
      return abs(difference());
    case Score::squared_difference:
      return square(difference());
    case Score::probability_difference:
      return of_probabilities();
    case Score::absolute_probability_difference:
      return abs(of_probabilities());
    case Score::squared_probability_difference:
      return square(of_probabilities());
    case Score::log_probabilities:
      return sum(log_softmax(logits), {-1});
    default:
      return take(logits, own);
  }
}

}  // namespace explain

}  // namespace limn
