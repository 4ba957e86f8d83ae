// Var: a tensor that remembers how it was computed. The tape records values, not modules: every operation leaves a node
// that knows its inputs and how to turn the gradient of its output into theirs, written with operations again, so that
// gradients can be differentiated to any order.
#pragma once

#include <atomic>
#include <concepts>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "limn/backend/kernels.hpp"
#include "limn/core/function_ref.hpp"
#include "limn/core/tensor.hpp"

namespace limn {

template <Backend B>
class Var;

/// One recorded operation. Users meet it only in propagation rules (autograd/rules.hpp).
template <Backend B>
class Node {
 public:
  /// Which inputs a gradient is wanted for, a bit each.
  using Wanted = std::uint64_t;
  /// From the gradient of the output (and the output itself) to the gradients of the wanted inputs; an empty Var is
  /// zero, and so is one that is not wanted.
  using Derivative = OwnedFunction<std::vector<Var<B>>(const Var<B>& upstream, const Var<B>& output, Wanted wanted)>;
  /// In its place for a part of a computation of which only the outputs are kept (autograd/checkpoint.hpp): gives them
  /// again.
  using Again = OwnedFunction<std::vector<Var<B>>()>;
  /// The operation on other inputs; see on_other_inputs().
  using Forward = OwnedFunction<Var<B>(const std::vector<Var<B>>& inputs)>;

  const char* name;                            ///< "relu", "conv2d", ...
  std::uint64_t id;                            ///< larger than that of every input: the order of recording
  Shape shape;                                 ///< of the output
  std::vector<std::shared_ptr<Node>> parents;  ///< of the inputs; null where nobody asks for a gradient
  Derivative derivative;                       ///< empty for leaves, and after the graph was freed
  Again again;                                 ///< in place of `derivative`, where there are several outputs
  int part = -1;                               ///< of its only parent, which has several outputs, this is one
  Tensor<B> output;                            ///< kept only when the derivative (or a rule) reads it
  std::vector<Tensor<B>> inputs;               ///< kept only while rules are recorded
  Forward forward;                             ///< likewise, and only of operations that a rule may want to repeat
  bool freed = false;

  Node(const char* node_name, Shape node_shape) : name(node_name), id(next_id()), shape(node_shape) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() { release(); }

  [[nodiscard]] bool is_leaf() const { return parents.empty() && !freed; }

  /// Drops everything that keeps other nodes alive. Long chains are taken down in a loop, not by recursion, which
  /// would overflow the stack.
  void release() noexcept {
    struct Held {
      Derivative derivative;
      Again again;
      std::vector<std::shared_ptr<Node>> parents;
    };
    thread_local std::vector<Held> waiting;
    thread_local bool busy = false;
    output = {};
    inputs.clear();
    forward = nullptr;
    if (!derivative && parents.empty()) return;
    waiting.push_back({std::move(derivative), std::move(again), std::move(parents)});
    derivative = nullptr;
    again = nullptr;
    parents.clear();
    if (busy) return;
    busy = true;
    while (!waiting.empty()) {
      const auto last = std::move(waiting.back());  // its destruction may add more
      waiting.pop_back();
    }
    busy = false;
  }

 private:
  static std::uint64_t next_id() {
    static std::atomic<std::uint64_t> count{0};
    return ++count;
  }
};

namespace detail {
struct Recording {
  bool on = true;     // record operations at all
  bool keep = false;  // keep inputs and outputs for propagation rules
};
inline Recording& recording() {
  thread_local Recording state;
  return state;
}
}  // namespace detail

/// While it lives, operations of this thread are not recorded: prediction, metrics, updates of parameters.
class [[nodiscard]] NoRecord {
 public:
  NoRecord() : before_(std::exchange(detail::recording().on, false)) {}
  ~NoRecord() { detail::recording().on = before_; }
  NoRecord(const NoRecord&) = delete;
  NoRecord& operator=(const NoRecord&) = delete;

 private:
  bool before_;
};

/// While it lives, recorded operations also keep their inputs and outputs, so that grad(..., {.rules = ...}) can put
/// other rules in place of derivatives.
class [[nodiscard]] RecordForRules {
 public:
  RecordForRules() : before_(std::exchange(detail::recording().keep, true)) {}
  ~RecordForRules() { detail::recording().keep = before_; }
  RecordForRules(const RecordForRules&) = delete;
  RecordForRules& operator=(const RecordForRules&) = delete;

 private:
  bool before_;
};

[[nodiscard]] inline bool is_recording() { return detail::recording().on; }

template <Backend B>
class Var {
 public:
  using backend = B;
  using scalar = typename B::scalar;

  Var() = default;                              ///< empty; as a gradient it stands for zero
  [[gnu::noinline]] Var(const Var&) = default;  // calls, as in Tensor
  [[gnu::noinline]] Var& operator=(const Var&) = default;
  Var(Var&&) noexcept = default;
  [[gnu::noinline]] Var& operator=(Var&&) noexcept = default;
  [[gnu::noinline]] ~Var() = default;
  /// A constant: no gradient flows into it.
  Var(Tensor<B> value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): tensors are constants
  Var(Tensor<B> value, std::shared_ptr<Node<B>> node) : value_(std::move(value)), node_(std::move(node)) {}

  [[nodiscard]] const Tensor<B>& value() const& { return value_; }
  [[nodiscard]] Tensor<B> value() const&& { return value_; }
  [[nodiscard]] Tensor<B>& value() & { return value_; }
  [[nodiscard]] const Shape& shape() const { return value_.shape(); }
  [[nodiscard]] Index dim(int axis) const { return value_.dim(axis); }
  [[nodiscard]] int rank() const { return value_.rank(); }
  [[nodiscard]] Index size() const { return value_.size(); }
  [[nodiscard]] scalar item() const { return value_.item(); }
  [[nodiscard]] bool empty() const { return value_.empty(); }

  /// A gradient with respect to it, or through it, can be asked for.
  [[nodiscard]] bool requires_grad() const { return node_ != nullptr; }
  /// The same numbers as a constant.
  [[nodiscard]] Var detach() const { return Var(value_); }
  [[nodiscard]] const std::shared_ptr<Node<B>>& node() const { return node_; }

 private:
  Tensor<B> value_;
  std::shared_ptr<Node<B>> node_;
};

namespace detail {
template <Backend B>
[[gnu::noinline]] std::shared_ptr<Node<B>> new_node(const char* name, const Shape& shape) {
  return std::make_shared<Node<B>>(name, shape);
}
}  // namespace detail

/// A variable of which gradients can be asked.
template <Backend B>
[[nodiscard]] Var<B> leaf(Tensor<B> value) {
  auto node = detail::new_node<B>("leaf", value.shape());
  return {std::move(value), std::move(node)};
}

/// The same value as a new variable on the tape, through which gradients still reach x.
template <Backend B>
[[nodiscard]] Var<B> alias(const Var<B>& x);

/// An input of an operation together with its derivative: from(x, [=](auto& g) { return ...; }), or with the output
/// as second argument. The derivative is kept (and with it what it captured) only if x needs a gradient.
template <Backend B>
struct From {
  const Var<B>* input;
  OwnedFunction<Var<B>(const Var<B>& g, const Var<B>& y)> derivative;  ///< empty where nobody will ask for it
  bool reads_output = false;
};
namespace detail {
template <class F, Backend B>
Var<B> derive(const void* derivative, const Var<B>& g, const Var<B>& y) {
  const F& f = *static_cast<const F*>(derivative);
  if constexpr (std::invocable<const F&, const Var<B>&, const Var<B>&>) {
    return f(g, y);
  } else {
    return f(g);
  }
}
}  // namespace detail
template <Backend B, class F>
From<B> from(const Var<B>& input, F derivative) {
  constexpr bool reads_output = std::invocable<const F&, const Var<B>&, const Var<B>&>;
  From<B> out{&input, {}, reads_output};
  if (is_recording() && input.requires_grad()) out.derivative = {std::move(derivative), detail::derive<F, B>};
  return out;
}

namespace detail {

template <Backend B>
bool wants_record(std::span<const Var<B>* const> inputs) {
  if (!recording().on) return false;
  for (const Var<B>* v : inputs)
    if (v->requires_grad()) return true;
  return false;
}

template <Backend B>
std::shared_ptr<Node<B>> make_node(const char* name, const Tensor<B>& value, std::span<const Var<B>* const> inputs,
                                   bool needs_output) {
  auto node = new_node<B>(name, value.shape());
  for (const Var<B>* v : inputs) node->parents.push_back(v->node());
  if (recording().keep)
    for (const Var<B>* v : inputs) node->inputs.push_back(v->value());
  if (needs_output || recording().keep) node->output = value;
  return node;
}

template <Backend B>
[[gnu::noinline]] Var<B> record_parts(const char* name, Tensor<B> value, std::span<From<B>* const> parts) {
  if (!recording().on) return value;
  std::vector<const Var<B>*> inputs;
  std::vector<decltype(From<B>::derivative)> each;
  bool needs_output = false;
  for (From<B>* part : parts) {
    inputs.push_back(part->input);
    each.push_back(std::move(part->derivative));
    needs_output = needs_output || part->reads_output;
  }
  if (!wants_record<B>(inputs)) return value;
  auto node = make_node<B>(name, value, inputs, needs_output);
  node->derivative = [each = std::move(each)](const Var<B>& g, const Var<B>& y, std::uint64_t wanted) {
    std::vector<Var<B>> out(each.size());
    for (std::size_t i = 0; i < each.size(); ++i)
      if (each[i] && (wanted >> i & 1) != 0) out[i] = each[i](g, y);
    return out;
  };
  return {std::move(value), std::move(node)};
}

}  // namespace detail

/// y, the result of an operation, and f(inputs), the same operation on other inputs: other weights, say. Rules can call
/// it (Operation::again). Where the operation has a fused kernel, f composes it of others.
template <Backend B, class F>
[[nodiscard]] Var<B> on_other_inputs(Var<B> y, F f) {
  if (detail::recording().keep && y.node()) y.node()->forward = std::move(f);
  return y;
}

/// The result of an operation whose inputs have a derivative each.
template <Backend B, std::same_as<From<B>>... Parts>
[[nodiscard]] Var<B> record(const char* name, Tensor<B> value, Parts... parts) {
  From<B>* const all[] = {&parts...};
  return detail::record_parts<B>(name, std::move(value), all);
}

template <Backend B>
Var<B> alias(const Var<B>& x) {
  return record("alias", x.value(), from(x, [](const Var<B>& g) { return g; }));
}

/// The result of an operation whose derivative gives the gradients of all inputs at once.
template <Backend B>
[[nodiscard]] Var<B> record_joint(const char* name, Tensor<B> value, std::span<const Var<B>* const> inputs,
                                  OwnedFunction<std::vector<Var<B>>(const Var<B>& g)> derivative) {
  if (!detail::wants_record<B>(inputs)) return value;
  auto node = detail::make_node<B>(name, value, inputs, false);
  node->derivative = [f = std::move(derivative)](const Var<B>& g, const Var<B>&, std::uint64_t) { return f(g); };
  return {std::move(value), std::move(node)};
}
template <Backend B>
[[nodiscard]] Var<B> record_joint(const char* name, Tensor<B> value, std::initializer_list<const Var<B>*> inputs,
                                  OwnedFunction<std::vector<Var<B>>(const Var<B>& g)> derivative) {
  return record_joint<B>(name, std::move(value), std::span(inputs.begin(), inputs.size()), std::move(derivative));
}

}  // namespace limn
