// LRP on the tape: which operation shares relevance by which rule. What walks back is relevance, not a gradient.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "limn/explain/rules/lrp.hpp"

namespace limn::explain::lrp {

enum class BatchNorm {
  merged,  ///< into the layer with weights before it; where there is none it passes relevance as it is
  passed   ///< relevance as it is: the layer before it is shared by its own outputs
};

struct TapeOptions {
  BatchNorm batch_norm = BatchNorm::merged;
  double stabiliser = 1e-6;            ///< of sums, means and average pools
  std::vector<std::string> pass = {};  ///< operations of yours that pass relevance as it is: activations
};

namespace detail {

inline bool is_convolution(std::string_view name) {
  return name == "conv2d" || name == "grouped_conv2d" || name == "depthwise_conv2d";
}
inline bool has_weights(std::string_view name) { return is_convolution(name) || name == "linear"; }

/// What stands behind the outputs of a layer with weights, channel by channel: scale * z + shift. Empty: 1 and 0.
template <Backend B>
struct Affine {
  Var<B> scale, shift;
};

/// The plan of one backward walk: what merges into what, and which layers are first.
template <Backend B>
class Plan {
 public:
  Plan(const Var<B>& output, const Var<B>& input) {
    std::set<const Node<B>*> behind_weights;
    for (const auto& entry : limn::detail::ways<B>({output}, {input})) {
      const Node<B>* node = entry.node.get();
      bool behind = false;
      for (std::size_t i = 0; i < node->parents.size(); ++i) {
        if ((entry.wanted >> i & 1) == 0) continue;
        const Node<B>* parent = node->parents[i].get();
        ++uses_[parent];
        behind = behind || has_weights(parent->name) || behind_weights.count(parent) > 0;
      }
      if (behind) behind_weights.insert(node);
      if (has_weights(node->name) && !behind) first_.insert(node);
    }
  }

  [[nodiscard]] bool is_first(const Node<B>* node) const { return first_.count(node) > 0; }

  /// The data of `node` come from a layer with weights and nothing but per-channel operations, and from there only
  /// here.
  [[nodiscard]] bool merges(const Node<B>* node) const {
    const int data = data_of(*node);
    if (data < 0) return false;
    const Node<B>* parent = node->parents[static_cast<std::size_t>(data)].get();
    const auto count = uses_.find(parent);
    return count != uses_.end() && count->second == 1 && (has_weights(parent->name) || merges(parent));
  }
  /// The number of the data input of a batch norm or of the sum with a bias; -1 for other operations.
  [[nodiscard]] static int data_of(const Node<B>& node) {
    const std::string_view name = node.name;
    if (name == "batch_norm" && node.forward) return 0;
    if (name != "add") return -1;
    for (std::size_t i = 0; i < 2; ++i)
      if (node.inputs[i].rank() == 1 && node.inputs[1 - i].rank() > 1) return static_cast<int>(1 - i);
    return -1;
  }

  /// Behind the data input of `node` there is now scale * . + shift, and then what is behind `node`.
  void merge(const Node<B>* node, Var<B> scale, Var<B> shift) {
    const Affine<B> after = behind(node);
    if (!after.scale.empty()) {
      shift = shift * after.scale;
      scale = scale.empty() ? after.scale : scale * after.scale;
    }
    if (!after.shift.empty()) shift = shift + after.shift;
    const auto data = static_cast<std::size_t>(data_of(*node));
    merged_[node->parents[data].get()] = {std::move(scale), std::move(shift)};
  }
  [[nodiscard]] Affine<B> behind(const Node<B>* node) const {
    const auto found = merged_.find(node);
    return found == merged_.end() ? Affine<B>{} : found->second;
  }

 private:
  std::map<const Node<B>*, int> uses_;
  std::set<const Node<B>*> first_;
  std::map<const Node<B>*, Affine<B>> merged_;
};

/// x * derivative(relevance / y) for operations that are linear, or one of whose inputs carries the signal.
template <Backend B>
std::vector<Var<B>> in_proportion(const Operation<B>& operation, const Var<B>& relevance, double stabiliser) {
  std::vector<Var<B>> out = operation.derivative(relevance / stabilised(operation.result(), stabiliser));
  for (std::size_t i = 0; i < out.size(); ++i)
    if (operation.wants(i) && !out[i].empty()) out[i] = out[i] * operation.input(i);
  return out;
}

}  // namespace detail

/// The rules for a walk from `output` to `input`, both of a pass recorded with RecordForRules. Sums, means, average
/// pools, shortcuts and resizes share in proportion to what they add; maxima give all to the winner; activations pass
/// relevance as it is. Of a product of two functions of the picture each factor gets half (Achtibat et al. 2024), of a
/// quotient the numerator gets all, of a LAP-Pool the features and not the scores. Others are refused.
template <Backend B, class Composite>
[[nodiscard]] Rules<B> rules(const Var<B>& output, const Var<B>& input, const Composite& composite,
                             const TapeOptions& options = {}) {
  using Vars = std::vector<Var<B>>;
  using Op = Operation<B>;
  const auto plan = std::make_shared<detail::Plan<B>>(output, input);
  const double stabiliser = options.stabiliser;
  Rules<B> rules;

  const auto weights = [plan, composite](const Op& op, const Var<B>& relevance) -> Vars {
    require(!op.wants(1), "LRP: both inputs of '", op.name, "' depend on the picture, which has no rule");
    const detail::Affine<B> after = plan->behind(op.node.get());
    Var<B> weight = op.input(1);
    if (!after.scale.empty()) {
      Shape channels = weight.shape();
      for (int axis = 1; axis < channels.rank(); ++axis) channels[axis] = 1;
      weight = weight * reshape(after.scale, channels);
    }
    const auto apply = [&](const Var<B>& x, const Var<B>& w) { return op.again({x, w}); };
    const Layer<B> layer{op.input(0), weight, after.shift, apply};
    if constexpr (requires { composite.first; })
      if (plan->is_first(op.node.get())) return {composite.first(layer, relevance)};
    if (detail::is_convolution(op.name)) return {composite.convolution(layer, relevance)};
    return {composite.dense(layer, relevance)};
  };
  rules.on({"conv2d", "grouped_conv2d", "depthwise_conv2d", "linear"}, weights);

  const auto in_proportion = [stabiliser](const Op& op, const Var<B>& relevance) {
    return detail::in_proportion(op, relevance, stabiliser);
  };
  rules.on({"subtract", "add_scalar", "sum_to", "avg_pool2d", "resize", "fold2d", "scatter_add", "conv2d_input"},
           in_proportion);
  rules.on("add", [plan, in_proportion](const Op& op, const Var<B>& relevance) -> Vars {
    if (!plan->merges(op.node.get())) return in_proportion(op, relevance);
    const bool second = detail::Plan<B>::data_of(*op.node) == 1;
    plan->merge(op.node.get(), {}, op.input(second ? 0 : 1));
    return second ? Vars{{}, relevance} : Vars{relevance, {}};
  });
  rules.on("batch_norm",
           [plan, merged = options.batch_norm == BatchNorm::merged](const Op& op, const Var<B>& relevance) -> Vars {
             if (merged &&
                 plan->merges(op.node.get())) {  // one feature vector of zeros gives the shift, its gradient the scale
               const Index c = op.output.shape().back();
               const Var<B> zero = Tensor<B>(Shape{1, c}, 0), ones = Tensor<B>(Shape{1, c}, 1);
               const Var<B> shift = op.again({zero, op.input(1), op.input(2)});
               const Var<B> scale = op.again({ones, op.input(1), op.input(2)}) - shift;
               plan->merge(op.node.get(), reshape(scale, {c}), reshape(shift, {c}));
             }
             return {relevance};
           });

  const auto half_each = [in_proportion](const Op& op, const Var<B>& relevance) {
    return in_proportion(op, op.wants(0) && op.wants(1) ? relevance * typename B::scalar(0.5) : relevance);
  };
  rules.on({"multiply", "matmul"}, half_each);
  rules.on({"divide", "lap_pool"}, [in_proportion](const Op& op, const Var<B>& relevance) {
    Vars out = in_proportion(op, relevance);
    for (std::size_t i = 1; i < out.size(); ++i) out[i] = {};
    return out;
  });

  rules.on({"reshape", "permute", "slice", "embed", "alias", "take", "repeat_to", "unfold2d", "max_pool2d", "max",
            "top_k", "maximum"},
           [](const Op& op, const Var<B>& relevance) { return op.derivative(relevance); });
  const auto pass = [](const Op&, const Var<B>& relevance) { return Vars{relevance}; };
  rules.on({"relu", "sigmoid", "tanh", "softplus", "scale", "negate"}, pass);
  for (const std::string& name : options.pass) rules.on(name, pass);
  rules.otherwise([](const Op& op, const Var<B>&) -> Vars {
    throw Error(text("LRP: no rule for '", op.name, "'; if it is an activation, name it in .tape.pass"));
  });
  return rules;
}

}  // namespace limn::explain::lrp
