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

template <Backend B>
class Rules;

/// What a rule sees of an operation.
template <Backend B>
struct Operation {
  std::string_view name;
  const std::vector<Tensor<B>>& inputs;
  const Tensor<B>& output;
  /// The ordinary derivative: the gradients of all inputs for this upstream gradient; empty where none is wanted.
  std::function<std::vector<Var<B>>(const Var<B>& upstream)> derivative;
  const std::shared_ptr<Node<B>>& node;  ///< the operation on the tape
  std::uint64_t wanted;                  ///< which inputs a gradient is wanted of, a bit each
  const Rules<B>& rules;                 ///< all rules in force, for operations that are taken apart

  [[nodiscard]] bool wants(std::size_t i) const { return (wanted >> i & 1) != 0; }
  /// An input and the output as variables: a rule that computes with these can be differentiated with create_graph.
  [[nodiscard]] Var<B> input(std::size_t i) const { return {inputs.at(i), node->parents.at(i)}; }
  [[nodiscard]] Var<B> result() const { return {output, node}; }
  /// The operation on other inputs. The weighted operations have it (conv2d and its relatives, linear), batch_norm
  /// with given statistics, and lap_pool, which it composes of other operations.
  [[nodiscard]] Var<B> again(const std::vector<Var<B>>& others) const {
    require(static_cast<bool>(node->forward), "a propagation rule: '", name, "' cannot be repeated on other inputs");
    return node->forward(others);
  }
};

/// Rules by the name of the operation. An operation without a rule sends back its ordinary derivative, or what
/// otherwise() says.
template <Backend B>
class Rules {
 public:
  using Rule = std::function<std::vector<Var<B>>(const Operation<B>& operation, const Var<B>& upstream)>;

  Rules& on(std::string name, Rule rule) {
    rules_.emplace_back(std::move(name), std::move(rule));
    return *this;
  }
  Rules& on(std::initializer_list<const char*> names, const Rule& rule) {
    for (const char* name : names) on(name, rule);
    return *this;
  }
  /// For all operations without a rule of their own.
  Rules& otherwise(Rule rule) {
    otherwise_ = std::move(rule);
    return *this;
  }
  /// The last rule that was set for the operation, or else the one for all others; null if there is none.
  [[nodiscard]] const Rule* find(std::string_view name) const {
    for (std::size_t i = rules_.size(); i-- > 0;)
      if (rules_[i].first == name) return &rules_[i].second;
    return otherwise_ ? &otherwise_ : nullptr;
  }

 private:
  std::vector<std::pair<std::string, Rule>> rules_;
  Rule otherwise_;
};

}  // namespace limn
