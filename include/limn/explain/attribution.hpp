// What the methods that attribute a class score to the numbers of the picture share: the recorded pass, the start at
// the logits, and the maps in the end.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "limn/explain/cam/grad_cam.hpp"

namespace limn::explain {

/// What every number of the pictures (n, h, w, c) contributes, signed, and for each picture what is left over (see
/// Explanation::residual; empty for methods that promise no sum).
template <Backend B>
struct Attribution {
  Tensor<B> values;
  std::vector<double> residual = {};
};

/// How the channels of an attribution become one map.
enum class Channels {
  sum,      ///< signed: contributions, which may cancel and whose total means something
  absolute  ///< the sum of the absolute values: sensitivities
};

/// One explanation per picture. It has the picture's size.
template <Backend B>
[[nodiscard]] std::vector<Explanation> explanations(const Attribution<B>& found, Channels channels) {
  const NoRecord no_record;
  const Var<B> values(found.values);
  const Tensor<B> maps = sum(channels == Channels::sum ? values : abs(values), {-1}).value();
  std::vector<Explanation> out;
  for (Index i = 0; i < maps.dim(0); ++i) {
    out.push_back({.map = map_of(maps, i)});
    if (!found.residual.empty()) out.back().residual = found.residual[static_cast<std::size_t>(i)];
  }
  return out;
}

/// A pass of which gradients with respect to the pictures can be asked.
template <Backend B>
struct RecordedPass {
  Var<B> images, logits;
};

/// While it lives, operations are recorded, whatever the caller of an explainer has switched off.
class [[nodiscard]] Record {
 public:
  Record() { limn::detail::recording().on = true; }

 private:
  limn::detail::KeepRecording restore_;
};

/// Runs the network in evaluation mode; with `for_rules` every operation keeps what propagation rules read.
template <class Net, Backend B>
[[nodiscard]] RecordedPass<B> record_pass(const Net& net, const Tensor<B>& images, bool for_rules) {
  const Record record;
  Run<B> run;
  const Var<B> x = leaf(images);
  if (!for_rules) return {x, run(net, x)};
  const RecordForRules keep;
  return {x, run(net, x)};
}

/// The start of a backward pass at logits (n, classes): 1 at the class of every row, 0 elsewhere. Throws as
/// class_score() for classes that are not there.
template <Backend B>
[[nodiscard]] Tensor<B> one_hot(const Tensor<B>& logits, std::span<const Index> classes) {
  const Record record;
  const Var<B> at = leaf(logits);
  return grad(class_score(at, classes), at).value();
}

/// sum over the classes of a row: (n, classes) -> n numbers.
template <Backend B>
[[nodiscard]] std::vector<double> row_sums(const Tensor<B>& x) {
  std::vector<double> out(static_cast<std::size_t>(x.dim(0)), 0.0);
  const Index row = x.size() / std::max<Index>(x.dim(0), 1);
  for (Index i = 0; i < x.size(); ++i) out[static_cast<std::size_t>(i / row)] += static_cast<double>(x.data()[i]);
  return out;
}

/// The gradient of the class scores in the pictures, by these rules (null: the ordinary one).
template <class Net, Backend B>
[[nodiscard]] Tensor<B> score_gradient(const Net& net, const Tensor<B>& images, std::span<const Index> classes,
                                       const Rules<B>* rules = nullptr) {
  const RecordedPass<B> pass = record_pass(net, images, rules != nullptr);
  const Tensor<B> start = one_hot(pass.logits.value(), classes);
  return grad(pass.logits, pass.images, {.upstream = {Var<B>(start)}, .rules = rules}).value();
}

}  // namespace limn::explain
