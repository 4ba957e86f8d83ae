// Propagation rules: other derivatives for the same recorded graph. Guided backpropagation, DeepLIFT and LRP differ
// from the gradient only in what certain operations send back, so a rule belongs to an operation, not to a module.
//
//   const RecordForRules keep;                     // operations now keep their inputs and outputs
//   auto score = net(x, run);
//   auto map = grad({score}, {x}, {.rules = &rules});
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limn/autograd/var.hpp"

namespace limn {

/// What a rule sees of an operation.
template <Backend B>
struct Operation {
  std::string_view name;
  const std::vector<Tensor<B>>& inputs;
  const Tensor<B>& output;
  /// The ordinary derivative: the gradients of all inputs for this upstream gradient.
  std::function<std::vector<Var<B>>(const Var<B>& upstream)> derivative;
};

/// Rules by the name of the operation. An operation without a rule sends back its ordinary derivative.
template <Backend B>
class Rules {
 public:
  using Rule = std::function<std::vector<Var<B>>(const Operation<B>& operation, const Var<B>& upstream)>;

  Rules& on(std::string name, Rule rule) {
    rules_.emplace_back(std::move(name), std::move(rule));
    return *this;
  }
  /// The last rule that was set for the operation; null if there is none.
  [[nodiscard]] const Rule* find(std::string_view name) const {
    for (std::size_t i = rules_.size(); i-- > 0;)
      if (rules_[i].first == name) return &rules_[i].second;
    return nullptr;
  }

 private:
  std::vector<std::pair<std::string, Rule>> rules_;
};

}  // namespace limn
