// grad: gradients of outputs with respect to inputs, of any order.
#pragma once

#include <algorithm>
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

/// A node that the outputs depend on, while a gradient is on its way.
template <Backend B>
struct Reached {
  std::shared_ptr<Node<B>> node;
  bool asked = false;        ///< its gradient is asked for
  bool leads = false;        ///< to an input
  std::uint64_t wanted = 0;  ///< which of its inputs lead to an input, a bit each (modulo 64)
  Var<B> gradient = {};      ///< what has been collected so far
};

/// The entry of a node in a list in the order of recording; null if it is not there.
template <Backend B>
[[gnu::noinline]] Reached<B>* find(std::vector<Reached<B>>& list, const Node<B>* node) {
  if (node == nullptr) return nullptr;
  std::size_t low = 0, high = list.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (list[middle].node->id < node->id)
      low = middle + 1;
    else
      high = middle;
  }
  return low < list.size() && list[low].node.get() == node ? &list[low] : nullptr;
}

/// All nodes that the outputs depend on, in the order of recording. Nothing older than number `oldest` is visited, and
/// what is older than `begin` is an end: its inputs are not visited from there.
template <Backend B>
[[gnu::cold, gnu::noinline]] std::vector<Reached<B>> behind(const std::vector<Var<B>>& outputs, std::uint64_t oldest,
                                                            std::uint64_t begin) {
  // From the youngest to older ones, as a node is younger than its inputs: then one that is met twice comes twice in a
  // row.
  const auto older = [](const auto& a, const auto& b) { return a->id < b->id; };
  std::vector<std::shared_ptr<Node<B>>> open;
  const auto visit = [&](const std::shared_ptr<Node<B>>& node) {
    if (!node || node->id < oldest) return;
    open.push_back(node);
    std::push_heap(open.begin(), open.end(), older);
  };
  for (const Var<B>& y : outputs) visit(y.node());
  std::vector<Reached<B>> out;
  while (!open.empty()) {
    std::pop_heap(open.begin(), open.end(), older);
    const std::shared_ptr<Node<B>> node = std::move(open.back());
    open.pop_back();
    if (!out.empty() && out.back().node == node) continue;
    out.push_back({node});
    if (node->id >= begin)
      for (const auto& parent : node->parents) visit(parent);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

/// A gradient with respect to one of several outputs would lack what goes through the later ones: how these depend
/// on it is not on the tape.
template <Backend B>
[[gnu::cold]] void refuse_hidden(const std::vector<Reached<B>>& all, const std::vector<Var<B>>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Node<B>& x = *inputs[i].node();
    if (x.part < 0 || x.freed) continue;
    for (const Reached<B>& entry : all)
      require(entry.node->part <= x.part || entry.node->freed || entry.node->parents.front() != x.parents.front(),
              "grad: input ", i, " was computed inside a '", x.name, "', and so was what depends on it");
  }
}

/// All nodes on ways from outputs to inputs, in the order of recording. Nodes older than `begin` lead no further.
template <Backend B>
[[gnu::cold, gnu::noinline]] std::vector<Reached<B>> ways(const std::vector<Var<B>>& outputs,
                                                          const std::vector<Var<B>>& inputs, std::uint64_t begin = 0) {
  std::uint64_t oldest = ~std::uint64_t{0};
  for (const Var<B>& x : inputs) oldest = std::min(oldest, x.node()->id);
  std::vector<Reached<B>> out = behind(outputs, oldest, begin);
  if (begin == 0) refuse_hidden(out, inputs);

  for (const Var<B>& x : inputs)
    if (Reached<B>* found = find(out, x.node().get())) found->asked = true;
  for (Reached<B>& entry : out) {
    for (std::size_t i = 0; entry.node->id >= begin && i < entry.node->parents.size(); ++i)
      if (const Reached<B>* parent = find(out, entry.node->parents[i].get()); parent != nullptr && parent->leads)
        entry.wanted |= std::uint64_t{1} << (i & 63);
    entry.leads = entry.asked || entry.wanted != 0 || entry.node->freed;
  }
  std::erase_if(out, [](const Reached<B>& entry) { return !entry.leads; });
  return out;
}

template <Backend B>
void propagate_again(std::vector<Reached<B>>& reached, const Node<B>& node, bool keep);

/// Sends the collected gradients on, from the youngest node to the oldest; frees the nodes on the way unless `keep`.
template <Backend B>
[[gnu::cold, gnu::noinline]] void walk(std::vector<Reached<B>>& reached, bool keep, const Rules<B>* rules) {
  for (auto entry = reached.rbegin(); entry != reached.rend(); ++entry) {
    Node<B>& node = *entry->node;
    if (entry->gradient.empty() && !node.again) continue;
    const bool freed = node.freed || (node.part >= 0 && node.parents.front()->freed);
    require(!freed || entry->asked, "grad: the graph of '", node.name,
            "' was freed by an earlier call; pass {.retain_graph = true} or {.create_graph = true} there");
    if (entry->wanted == 0 || node.part >= 0) continue;  // the gradient of a part is fetched by its parent
    const Var<B> upstream = entry->asked ? entry->gradient : std::exchange(entry->gradient, {});
    if (node.again) {
      require(rules == nullptr, "grad: propagation rules do not reach into '", node.name,
              "'; record with RecordForRules");
      propagate_again(reached, node, keep);
    } else {
      const Var<B> output = node.output.empty() ? Var<B>() : Var<B>(node.output, entry->node);
      const auto ordinary = [&](const Var<B>& g) {
        // A derivative may write where a gradient was that nobody else holds; the rule may still read it.
        const Var<B> held = g;  // NOLINT(performance-unnecessary-copy-initialization)
        return node.derivative(held, output, entry->wanted);
      };
      const auto* rule = rules ? rules->find(node.name) : nullptr;
      require(!rule || !node.inputs.empty(), "grad: '", node.name,
              "' has a propagation rule, but was recorded without RecordForRules");
      std::vector<Var<B>> gradients =
          rule ? (*rule)({node.name, node.inputs, node.output, ordinary, entry->node, entry->wanted, *rules}, upstream)
               : node.derivative(upstream, output, entry->wanted);
      for (std::size_t i = 0; i < node.parents.size() && i < gradients.size(); ++i) {
        if ((entry->wanted >> i & 1) == 0 || gradients[i].empty()) continue;
        const Node<B>* parent = node.parents[i].get();
        require<ShapeError>(gradients[i].shape() == parent->shape, "grad: '", node.name, "' gives input ", i,
                            " a gradient of shape ", gradients[i].shape(), ", expected ", parent->shape);
        collect(find(reached, parent)->gradient, std::move(gradients[i]));
      }
    }
    if (!keep) {
      node.release();
      node.freed = true;
    }
  }
}

/// A part that was forgotten: computes it again, and goes on with what is collected for its inputs as if it had been on
/// the tape all the time, in the same order and so with the same bits. With create_graph the new record stays.
template <Backend B>
[[gnu::cold, gnu::noinline]] void propagate_again(std::vector<Reached<B>>& reached, const Node<B>& node, bool keep) {
  const auto given = [&](const Reached<B>& entry) {  // an output
    return entry.node->part >= 0 && !entry.node->freed && entry.node->parents.front().get() == &node;
  };
  bool any = false;
  for (const Reached<B>& entry : reached) any = any || (!entry.gradient.empty() && given(entry));
  if (!any) return;
  const bool higher = recording().on;
  const KeepRecording restore;
  recording().on = true;
  const std::uint64_t begin = Node<B>("mark", Shape{}).id;  // what is older was there before
  const std::vector<Var<B>> outputs = node.again();
  std::vector<Var<B>> inputs;
  for (const auto& parent : node.parents)
    if (find(reached, parent.get()) != nullptr) inputs.push_back(Var<B>({}, parent));
  std::vector<Reached<B>> inside = ways(outputs, inputs, begin);
  const auto exchange_sums = [&] {
    for (const Var<B>& x : inputs)
      if (Reached<B>* input = find(inside, x.node().get()))
        std::swap(input->gradient, find(reached, x.node().get())->gradient);
  };
  exchange_sums();
  for (Reached<B>& part : reached) {
    if (!given(part)) continue;
    const auto i = static_cast<std::size_t>(part.node->part);
    require<ShapeError>(i < outputs.size() && part.node->shape == outputs[i].shape(),
                        "checkpoint: the second call gives other outputs than the first");
    Reached<B>* output = find(inside, outputs[i].node().get());
    if (output != nullptr && !part.gradient.empty())
      collect(output->gradient, part.asked ? part.gradient : std::exchange(part.gradient, {}));
    if (keep) continue;
    part.node->release();
    part.node->freed = true;
  }
  recording().on = higher;
  walk<B>(inside, higher, nullptr);
  exchange_sums();
}

}  // namespace detail

/// d(sum of outputs) / d(inputs), one per input, each of its input's shape; zeros where nothing leads to it.
/// Without create_graph or retain_graph the graph is freed while it is walked.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> grad(const std::vector<Var<B>>& outputs, const std::vector<Var<B>>& inputs,
                                       GradOptions<B> options = {}) {
  require(options.upstream.empty() || options.upstream.size() == outputs.size(), "grad: ", outputs.size(),
          " outputs, but ", options.upstream.size(), " upstream gradients");
  for (std::size_t i = 0; i < inputs.size(); ++i)
    require(inputs[i].requires_grad(), "grad: input ", i,
            " is a constant; make it with leaf(), or record the operation that made it");
  std::vector<detail::Reached<B>> reached = detail::ways(outputs, inputs);

  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const bool given = !options.upstream.empty() && !options.upstream[i].empty();
    require<ShapeError>(given || outputs[i].size() == 1, "grad: output ", i, " has shape ", outputs[i].shape(),
                        "; give its upstream gradient or reduce it to one number");
    require<ShapeError>(!given || options.upstream[i].shape() == outputs[i].shape(), "grad: output ", i, " has shape ",
                        outputs[i].shape(), ", its upstream gradient ", given ? options.upstream[i].shape() : Shape{});
    if (detail::Reached<B>* output = detail::find(reached, outputs[i].node().get()))
      detail::collect(output->gradient,
                      given ? options.upstream[i] : Var<B>(Tensor<B>(outputs[i].shape(), typename B::scalar(1))));
  }

  const bool keep = options.create_graph || options.retain_graph;
  const detail::KeepRecording restore;
  detail::recording().on = options.create_graph && detail::recording().on;
  detail::walk(reached, keep, options.rules);

  std::vector<Var<B>> out;
  out.reserve(inputs.size());
  for (const auto& x : inputs) {
    const detail::Reached<B>* found = detail::find(reached, x.node().get());
    const bool sent = found != nullptr && !found->gradient.empty();
    out.push_back(sent ? found->gradient : Var<B>(Tensor<B>(x.shape(), typename B::scalar(0))));
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
