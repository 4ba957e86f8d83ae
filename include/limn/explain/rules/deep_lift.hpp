// The rules of DeepLIFT (Shrikumar et al. 2017, rescale). The network runs on a doubled batch, pictures and then their
// baselines, so every operation has both activations at hand. What is sent back is a multiplier, how much the score
// changes per change of an activation, from the baseline to the picture; it is the same in both halves. A rule is
// complete if, for every picture, sum over inputs of multiplier * change = that sum over outputs.
#pragma once

#include <string>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/ops/ops.hpp"

namespace limn::explain::deep_lift {

/// Of a doubled batch.
template <Backend B>
[[nodiscard]] Var<B> pictures(const Var<B>& both) {
  return slice(both, 0, 0, both.dim(0) / 2);
}
template <Backend B>
[[nodiscard]] Var<B> baselines(const Var<B>& both) {
  return slice(both, 0, both.dim(0) / 2, both.dim(0) / 2);
}
/// A doubled batch of two equal halves.
template <Backend B>
[[nodiscard]] Var<B> twice(const Var<B>& half) {
  Shape shape = half.shape();
  shape[0] *= 2;
  return reshape(repeat_to(reshape(half, {1, half.size()}), Shape{2, half.size()}), shape);
}

/// change_out / change_in, and `plain` where the input changes by less than this.
inline constexpr double nearly_equal = 1e-10;
template <Backend B>
[[nodiscard]] Var<B> rescale(const Var<B>& change_out, const Var<B>& change_in, const Var<B>& plain) {
  Tensor<B> near(change_in.shape());
  for (Index i = 0; i < near.size(); ++i)
    near.data()[i] = std::abs(static_cast<double>(change_in.value().data()[i])) < nearly_equal ? 1 : 0;
  const Var<B> here = near;
  return change_out / (change_in + here) * (1 - here) + plain * here;
}

/// The same of a whole doubled batch in one pass, for the first order: g times the quotient, in both halves.
template <Backend B>
[[nodiscard]] Tensor<B> rescaled(const Tensor<B>& g, const Tensor<B>& in, const Tensor<B>& out,
                                 const Tensor<B>& plain) {
  Tensor<B> found(in.shape());
  const Index half = in.size() / 2;
  parallel_pieces(half, Index{1} << 14, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto change = in.data()[i] - in.data()[i + half];
      const bool near = std::abs(static_cast<double>(change)) < nearly_equal;
      const auto value = g.data()[i] * (out.data()[i] - out.data()[i + half]) / (near ? 1 : change);
      found.data()[i] = found.data()[i + half] = near ? plain.data()[i] : value;
    }
  });
  return found;
}

/// Functions of one number: g dOut / dIn, and the gradient at the picture where the input does not change. Complete.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> elementwise(const Operation<B>& operation, const Var<B>& g) {
  const Var<B> in = operation.input(0), out = operation.result(), plain = operation.derivative(g).front();
  require<ShapeError>(in.shape() == out.shape(), "DeepLIFT: '", operation.name, "' makes ", out.shape(), " of ",
                      in.shape(), ": not a function of one number");
  if (!is_recording()) return {Var<B>(rescaled(g.value(), in.value(), out.value(), plain.value()))};
  return {
      twice(rescale(pictures(g) * (pictures(out) - baselines(out)), pictures(in) - baselines(in), pictures(plain)))};
}

/// The largest of several: with m the larger of both maxima y and y0, the change from y0 to m is laid on the picture's
/// winner and that from m to y on the baseline's. Each winner changes at least as much, so nothing is lost: complete,
/// whatever follows.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> winner(const Operation<B>& operation, const Var<B>& g) {
  const Var<B> in = operation.input(0), y = pictures(operation.result()), y0 = baselines(operation.result());
  const Var<B> larger = maximum(y, y0), half = pictures(g);
  const Index n = y.dim(0);
  const Var<B> both = embed(half * (larger - y0), 0, 0, 2 * n) + embed(half * (y - larger), 0, n, 2 * n);
  const Var<B> placed = operation.derivative(both).front();
  return {twice(rescale(pictures(placed) + baselines(placed), pictures(in) - baselines(in),
                        pictures(operation.derivative(g).front())))};
}

/// Products of two functions of the picture: the mean of the derivatives at both ends. As ab - a0 b0 =
/// (b + b0) / 2 (a - a0) + (a + a0) / 2 (b - b0), it is complete.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> product(const Operation<B>& operation, const Var<B>& g) {
  std::vector<Var<B>> out = operation.derivative(g);
  for (Var<B>& m : out)
    if (!m.empty()) m = twice((pictures(m) + baselines(m)) * typename B::scalar(0.5));
  return out;
}

/// Operations that are linear in what depends on the picture.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> linear(const Operation<B>& operation, const Var<B>& g) {
  return operation.derivative(g);
}
/// The same for operations whose second input is a weight.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> weighted(const Operation<B>& operation, const Var<B>& g) {
  require(!operation.wants(0) || !operation.wants(1), "DeepLIFT: both inputs of '", operation.name,
          "' depend on the picture, which has no rule");
  return operation.derivative(g);
}
/// The same for sums.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> summed(const Operation<B>& operation, const Var<B>& g) {
  require<ShapeError>(
      operation.output.rank() == operation.inputs[0].rank() && operation.output.dim(0) == operation.inputs[0].dim(0),
      "DeepLIFT: a sum from ", operation.inputs[0].shape(), " to ", operation.output.shape(), " mixes pictures");
  return operation.derivative(g);
}

/// For operations without a rule of their own: f(inputs), the same made of others, is taken back by the rules in force.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> by_parts(const Operation<B>& operation, const Var<B>& g,
                                           const FunctionRef<Var<B>(const std::vector<Var<B>>&)>& f) {
  const bool again = is_recording();
  const limn::detail::KeepRecording restore;
  limn::detail::recording().on = true;
  std::vector<Var<B>> inputs, wanted;
  for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
    if (!operation.wants(i)) {
      inputs.push_back(Var<B>(operation.inputs[i]));
      continue;
    }
    inputs.push_back(again ? alias(operation.input(i)) : leaf(operation.inputs[i]));
    wanted.push_back(inputs.back());
  }
  const RecordForRules keep;
  std::vector<Var<B>> found =
      grad<B>({f(inputs)}, wanted, {.create_graph = again, .upstream = {g}, .rules = &operation.rules});
  std::vector<Var<B>> out(inputs.size());
  for (std::size_t i = 0, next = 0; i < out.size(); ++i)
    if (operation.wants(i)) out[i] = std::move(found[next++]);
  return out;
}

/// What Captum does at a softmax, but for every picture by itself: the multipliers as if it were a function of one
/// number, less their mean. Complete only where the inputs change by nothing on average.
template <Backend B>
[[nodiscard]] std::vector<Var<B>> captum_softmax(const Operation<B>& operation, const Var<B>& g) {
  const Var<B> m = elementwise(operation, g).front();
  std::vector<int> axes;
  for (int axis = 1; axis < m.rank(); ++axis) axes.push_back(axis);
  return {m - mean(m, axes)};
}

/// The rules of all operations of the library that a network is made of. Others are refused; give yours a rule by
/// rules.on("swish", deep_lift::elementwise<B>).
template <Backend B>
[[nodiscard]] Rules<B> rules() {
  using Vars = std::vector<Var<B>>;
  using Op = Operation<B>;
  Rules<B> rules;
  rules.on({"relu", "sigmoid", "tanh", "softplus", "exp", "log", "sqrt", "abs", "pow"}, elementwise<B>);
  rules.on({"max_pool2d", "max"}, winner<B>);
  rules.on({"multiply"}, product<B>);
  rules.on({"add", "subtract", "negate", "add_scalar", "scale", "alias", "reshape", "permute", "slice", "embed", "take",
            "scatter_add", "repeat_to", "avg_pool2d", "unfold2d", "fold2d", "resize"},
           linear<B>);
  rules.on({"sum_to"}, summed<B>);
  rules.on({"conv2d", "conv2d_input", "grouped_conv2d", "grouped_conv2d_input", "depthwise_conv2d",
            "depthwise_conv2d_input", "linear", "matmul", "batch_norm"},
           weighted<B>);
  rules.on({"divide"}, [](const Op& op, const Var<B>& g) {
    return by_parts<B>(op, g, [](const Vars& in) { return in[0] * pow(in[1], typename B::scalar(-1)); });
  });
  rules.on({"maximum"}, [](const Op& op, const Var<B>& g) {
    return by_parts<B>(op, g, [](const Vars& in) { return relu(in[0] - in[1]) + in[1]; });
  });
  rules.on({"softmax"}, [](const Op& op, const Var<B>& g) {
    return by_parts<B>(op, g, [](const Vars& in) {
      const Var<B> e = exp(in[0] - max(in[0]));
      return e / sum(e, {-1});
    });
  });
  rules.on({"log_softmax"}, [](const Op& op, const Var<B>& g) {
    return by_parts<B>(op, g, [](const Vars& in) {
      const Var<B> x = in[0] - max(in[0]);
      return x - log(sum(exp(x), {-1}));
    });
  });
  rules.on({"lap_pool"}, [](const Op& op, const Var<B>& g) {
    return by_parts<B>(op, g, [&](const Vars& in) { return op.again(in); });
  });
  rules.otherwise([](const Op& op, const Var<B>&) -> Vars {
    throw Error(
        text("DeepLIFT: no rule for '", op.name, "'; if it is a function of one number, name it in .elementwise"));
  });
  return rules;
}

}  // namespace limn::explain::deep_lift
