// grad: gradients of outputs with respect to inputs, of any order.
#pragma once

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "limn/autograd/rules.hpp"
#include "limn/autograd/var.hpp"

namespace limn {

template <Backend B>
struct GradOptions {
  bool create_graph = false;          ///< the gradients can be differentiated again
  bool retain_graph = false;          ///< grad can be called on the same outputs again (implied by create_graph)
  std::vector<Var<B>> upstream = {};  ///< gradients of the outputs; default: ones, allowed for outputs of one element
  const Rules<B>* rules = nullptr;    ///< propagation rules in place of derivatives
};

namespace detail {

/// Sets back at its end whether operations are recorded.
struct KeepRecording {
  bool before = recording().on;
  ~KeepRecording() { recording().on = before; }
};

/// Adds a gradient to what has been collected so far.
template <Backend B>
void collect(Var<B>& sum, Var<B> more) {
  if (sum.empty()) {
    sum = std::move(more);
  } else if (!sum.requires_grad() && !more.requires_grad() && sum.value().unique()) {
    kernel::accumulate(sum.value(), more.value());
  } else {
    sum = record("add", kernel::elementwise(functor::Add{}, sum.shape(), sum.value(), more.value()),
                 from(sum, [](const Var<B>& g) { return g; }), from(more, [](const Var<B>& g) { return g; }));
  }
}

/// A node on a way from an output to an input, and which of its inputs lie on such a way.
template <Backend B>
struct OnTheWay {
  std::shared_ptr<Node<B>> node;
  std::uint64_t wanted = 0;
};

/// All nodes on such ways, in the order of recording. Nothing older than the inputs is visited.
template <Backend B>
std::vector<OnTheWay<B>> ways(const std::vector<Var<B>>& outputs, const std::unordered_set<Node<B>*>& targets) {
  std::uint64_t oldest = ~std::uint64_t{0};
  for (Node<B>* t : targets) oldest = std::min(oldest, t->id);
  std::unordered_set<Node<B>*> seen;
  std::vector<std::shared_ptr<Node<B>>> reached;
  const auto visit = [&](const std::shared_ptr<Node<B>>& node) {
    if (node && node->id >= oldest && seen.insert(node.get()).second) reached.push_back(node);
  };
  for (const auto& y : outputs) visit(y.node());
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const auto node = reached[i];  // visiting may move the list
    for (const auto& parent : node->parents) visit(parent);
  }
  std::sort(reached.begin(), reached.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
  std::unordered_set<Node<B>*> leads;
  std::vector<OnTheWay<B>> out;
  for (auto& node : reached) {
    std::uint64_t wanted = 0;
    for (std::size_t i = 0; i < node->parents.size(); ++i)
      if (node->parents[i] && leads.contains(node->parents[i].get())) wanted |= std::uint64_t{1} << i;
    if (wanted == 0 && !node->freed && !targets.contains(node.get())) continue;
    leads.insert(node.get());
    out.push_back({std::move(node), wanted});
  }
  return out;
}

}  // namespace detail

/// d(sum of outputs) / d(inputs), one per input, each of its input's shape; zeros where nothing leads to it.
/// Without create_graph or retain_graph the graph is freed while it is walked.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> grad(const std::vector<Var<B>>& outputs, const std::vector<Var<B>>& inputs,
                                       GradOptions<B> options = {}) {
  require(options.upstream.empty() || options.upstream.size() == outputs.size(), "grad: ", outputs.size(),
          " outputs, but ", options.upstream.size(), " upstream gradients");
  std::unordered_set<Node<B>*> targets;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require(inputs[i].requires_grad(), "grad: input ", i,
            " is a constant; make it with leaf(), or record the operation that made it");
    targets.insert(inputs[i].node().get());
  }

  std::unordered_map<Node<B>*, Var<B>> collected;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const bool given = !options.upstream.empty() && !options.upstream[i].empty();
    require<ShapeError>(given || outputs[i].size() == 1, "grad: output ", i, " has shape ", outputs[i].shape(),
                        "; give its upstream gradient or reduce it to one number");
    require<ShapeError>(!given || options.upstream[i].shape() == outputs[i].shape(), "grad: output ", i, " has shape ",
                        outputs[i].shape(), ", its upstream gradient ", given ? options.upstream[i].shape() : Shape{});
    if (!outputs[i].requires_grad()) continue;
    detail::collect(collected[outputs[i].node().get()],
                    given ? options.upstream[i] : Var<B>(Tensor<B>(outputs[i].shape(), typename B::scalar(1))));
  }

  const auto order = detail::ways(outputs, targets);
  const bool keep = options.create_graph || options.retain_graph;
  const detail::KeepRecording restore;
  detail::recording().on = options.create_graph && detail::recording().on;

  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node<B>& node = *it->node;
    const auto found = collected.find(&node);
    if (found == collected.end()) continue;
    const Var<B> upstream = targets.contains(&node) ? found->second : std::move(found->second);
    if (!targets.contains(&node)) collected.erase(found);
    require(!node.freed || targets.contains(&node), "grad: the graph of '", node.name,
            "' was freed by an earlier call; pass {.retain_graph = true} or {.create_graph = true} there");
    if (it->wanted == 0) continue;
    const Var<B> output = node.output.empty() ? Var<B>() : Var<B>(node.output, it->node);
    const auto ordinary = [&](const Var<B>& g) { return node.derivative(g, output, it->wanted); };
    const auto* rule = options.rules ? options.rules->find(node.name) : nullptr;
    require(!rule || !node.inputs.empty(), "grad: '", node.name,
            "' has a propagation rule, but was recorded without RecordForRules");
    std::vector<Var<B>> gradients =
        rule ? (*rule)({node.name, node.inputs, node.output, ordinary}, upstream) : ordinary(upstream);
    for (std::size_t i = 0; i < node.parents.size() && i < gradients.size(); ++i) {
      if ((it->wanted >> i & 1) == 0 || gradients[i].empty()) continue;
      Node<B>* parent = node.parents[i].get();
      require<ShapeError>(gradients[i].shape() == parent->shape, "grad: '", node.name, "' gives input ", i,
                          " a gradient of shape ", gradients[i].shape(), ", expected ", parent->shape);
      detail::collect(collected[parent], std::move(gradients[i]));
    }
    if (!keep) {
      node.release();
      node.freed = true;
    }
  }

  std::vector<Var<B>> out;
  out.reserve(inputs.size());
  for (const auto& x : inputs) {
    auto& g = collected[x.node().get()];
    out.push_back(g.empty() ? Var<B>(Tensor<B>(x.shape(), typename B::scalar(0))) : g);
  }
  return out;
}

/// The gradient of one output with respect to one input.
template <Backend B>
[[nodiscard]] Var<B> grad(const Var<B>& output, const Var<B>& input, GradOptions<B> options = {}) {
  return std::move(grad(std::vector<Var<B>>{output}, std::vector<Var<B>>{input}, std::move(options)).front());
}

/// The exact derivative of an operation that has a fused kernel: f is the same operation composed of others. Its
/// gradients are recorded if operations are being recorded, so they can be differentiated again.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> differentiate(const FunctionRef<Var<B>(const std::vector<Var<B>>&)>& f,
                                                const std::vector<Var<B>>& inputs, const Var<B>& upstream) {
  const bool again = detail::recording().on;
  const detail::KeepRecording restore;
  detail::recording().on = true;  // f is differentiated by its record, also where nobody wants the second order
  std::vector<Var<B>> x;          // aliases, so that inputs that depend on each other are told apart
  for (const auto& input : inputs) x.push_back(again && input.requires_grad() ? alias(input) : leaf(input.value()));
  return grad<B>({f(x)}, x, {.create_graph = again, .upstream = {upstream}});
}

}  // namespace limn
