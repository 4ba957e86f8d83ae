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
#include <unordered_map>
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
    rules_[std::move(name)] = std::move(rule);
    return *this;
  }
  [[nodiscard]] const Rule* find(std::string_view name) const {
    const auto at = rules_.find(std::string(name));
    return at == rules_.end() ? nullptr : &at->second;
  }

 private:
  std::unordered_map<std::string, Rule> rules_;
};

}  // namespace limn
