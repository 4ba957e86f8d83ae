// The rules of LRP (Bach et al. 2015; Montavon et al. 2017, 2019) for layers with weights. Each shares the relevance of
// an output among the inputs in proportion to summands of a denominator, and says which ones.
#pragma once

#include <algorithm>
#include <vector>

#include "limn/ops/ops.hpp"

namespace limn::explain::lrp {

/// A layer with weights as a rule sees it: z = apply(x, weight) + bias, a batch norm behind it merged. The outputs are
/// the weight's first axis; without a bias it is empty.
template <Backend B>
struct Layer {
  Var<B> x, weight, bias;
  FunctionRef<Var<B>(const Var<B>& x, const Var<B>& weight)> apply;
};

/// One summand of the denominator, sign * (apply(x, weight) + bias), and what gets its share, sign * x * weight.
template <Backend B>
struct Summand {
  Var<B> x, weight, bias;
  typename B::scalar sign = 1;
};

/// z moved away from 0 by epsilon; 0 counts as positive.
template <Backend B>
[[nodiscard]] Var<B> stabilised(const Var<B>& z, double epsilon) {
  Tensor<B> away(z.shape());
  for (Index i = 0; i < away.size(); ++i)
    away.data()[i] = static_cast<typename B::scalar>(z.value().data()[i] < 0 ? -epsilon : epsilon);
  return z + Var<B>(away);
}

template <Backend B>
[[nodiscard]] Var<B> positive(const Var<B>& x) {
  return x.empty() ? x : relu(x);
}
template <Backend B>
[[nodiscard]] Var<B> negative(const Var<B>& x) {
  return x.empty() ? x : -relu(-x);
}
template <Backend B>
[[nodiscard]] bool any_negative(const Var<B>& x) {
  return std::any_of(x.value().data(), x.value().data() + x.size(), [](auto v) { return v < 0; });
}

/// The relevance of the inputs: x * (adjoint of the layer in the summand's weight)(relevance / stabilised sum), added
/// over the summands. A bias keeps its part for itself.
template <Backend B>
[[nodiscard]] Var<B> share(const Layer<B>& layer, const Var<B>& relevance, const std::vector<Summand<B>>& summands,
                           double epsilon) {
  const bool again = is_recording();
  const limn::detail::KeepRecording restore;
  std::vector<Var<B>> x, y;
  Var<B> z;
  for (const Summand<B>& s : summands) {
    limn::detail::recording().on = true;
    x.push_back(again && s.x.requires_grad() ? alias(s.x) : leaf(s.x.value()));
    y.push_back(layer.apply(x.back(), again ? s.weight : s.weight.detach()));
    limn::detail::recording().on = again;
    const Var<B> with_bias = s.bias.empty() ? y.back() : y.back() + s.bias;
    z = z.empty() ? with_bias * s.sign : z + with_bias * s.sign;
  }
  const Var<B> ratio = relevance / stabilised(z, epsilon);
  Var<B> out;
  for (std::size_t i = 0; i < summands.size(); ++i) {
    const Var<B> part = x[i] * grad<B>(y[i], x[i], {.create_graph = again, .upstream = {ratio * summands[i].sign}});
    out = out.empty() ? part : out + part;
  }
  return out;
}

/// x w / (z + epsilon sign z). With a large epsilon small outputs keep their relevance for themselves.
struct Epsilon {
  double epsilon = 1e-6;
  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    return share<B>(layer, relevance, {{layer.x, layer.weight, layer.bias}}, epsilon);
  }
};

/// What is positive of x w and of the bias (alpha), less what is negative (beta = alpha - 1).
struct AlphaBeta {
  double alpha = 2, beta = 1, stabiliser = 1e-6;

  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    require<OptionError>(alpha >= 1 && std::abs(alpha - beta - 1) < 1e-9, "lrp::AlphaBeta: alpha ", alpha, ", beta ",
                         beta, ": expected alpha >= 1 and beta = alpha - 1");
    using S = typename B::scalar;
    const Var<B> up = positive(layer.weight), down = negative(layer.weight);
    const Var<B> raised = share<B>(layer, relevance, parts(layer, up, down, positive(layer.bias)), stabiliser);
    if (beta == 0) return raised;
    const Var<B> lowered = share<B>(layer, relevance, parts(layer, down, up, negative(layer.bias)), stabiliser);
    return raised * S(alpha) - lowered * S(beta);
  }

  /// Positive inputs with one weight, negative ones with another; where no input is negative that part is left out.
  template <Backend B>
  static std::vector<Summand<B>> parts(const Layer<B>& layer, const Var<B>& for_positive, const Var<B>& for_negative,
                                       const Var<B>& bias) {
    if (!any_negative(layer.x)) return {{layer.x, for_positive, bias}};
    return {{positive(layer.x), for_positive, bias}, {negative(layer.x), for_negative, {}}};
  }
};

/// Alpha 1, beta 0: what is positive of x w and of the bias.
struct ZPlus {
  double stabiliser = 1e-6;
  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    return AlphaBeta{1, 0, stabiliser}(layer, relevance);
  }
};

/// Weights w + gamma w+ (Montavon et al. 2019), for outputs below zero w + gamma w-; negative inputs see the other one
/// (Andeol et al. 2021, as in zennit). An output of exactly 0 passes nothing.
struct Gamma {
  double gamma = 0.25, stabiliser = 1e-6;

  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    using S = typename B::scalar;
    require<OptionError>(gamma >= 0, "lrp::Gamma: gamma ", gamma, ", expected 0 or more");
    const auto raised = [&](const Var<B>& v) { return v.empty() ? v : v + positive(v) * S(gamma); };
    const auto lowered = [&](const Var<B>& v) { return v.empty() ? v : v + negative(v) * S(gamma); };
    const Var<B> up = raised(layer.weight), down = lowered(layer.weight);
    Var<B> z = layer.apply(layer.x.detach(), layer.weight.detach());
    if (!layer.bias.empty()) z = z + layer.bias.detach();
    Tensor<B> above(z.shape()), below(z.shape());
    for (Index i = 0; i < z.size(); ++i) {
      above.data()[i] = z.value().data()[i] > 0 ? 1 : 0;
      below.data()[i] = z.value().data()[i] < 0 ? 1 : 0;
    }
    return share<B>(layer, relevance * Var<B>(above), AlphaBeta::parts(layer, up, down, raised(layer.bias)),
                    stabiliser) +
           share<B>(layer, relevance * Var<B>(below), AlphaBeta::parts(layer, down, up, lowered(layer.bias)),
                    stabiliser);
  }
};

/// The squares of weights and biases, whatever the input is.
struct WSquare {
  double stabiliser = 1e-6;
  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    const Var<B> ones = Tensor<B>(layer.x.shape(), 1);
    const Var<B> bias = layer.bias.empty() ? layer.bias : square(layer.bias);
    return share<B>(layer, relevance, {{ones, square(layer.weight), bias}}, stabiliser);
  }
};

/// Equal parts for all inputs that an output sees; no bias.
struct Flat {
  double stabiliser = 1e-6;
  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    const Var<B> x = Tensor<B>(layer.x.shape(), 1), weight = Tensor<B>(layer.weight.shape(), 1);
    return share<B>(layer, relevance, {{x, weight, {}}}, stabiliser);
  }
};

/// z^B (Montavon et al. 2017), for pictures with values from `low` to `high`: x w - low w+ - high w-.
struct Box {
  double low = 0, high = 1, stabiliser = 1e-6;
  template <Backend B>
  Var<B> operator()(const Layer<B>& layer, const Var<B>& relevance) const {
    using S = typename B::scalar;
    require<OptionError>(low < high, "lrp::Box: from ", low, " to ", high);
    const Var<B> lowest = Tensor<B>(layer.x.shape(), S(low)), highest = Tensor<B>(layer.x.shape(), S(high));
    // The bias falls out: b - b+ - b- = 0.
    return share<B>(layer, relevance,
                    {{layer.x, layer.weight, {}},
                     {lowest, positive(layer.weight), {}, -1},
                     {highest, negative(layer.weight), {}, -1}},
                    stabiliser);
  }
};

/// A composite has a rule for convolutions, one for dense layers, and may have one for the first layer with weights on
/// every way from the picture. The names are zennit's.
template <class Rule>
struct Everywhere {
  Rule convolution{}, dense = convolution;
};
struct EpsilonPlus {
  ZPlus convolution{};
  Epsilon dense{};
};
struct EpsilonPlusFlat {
  Flat first{};
  ZPlus convolution{};
  Epsilon dense{};
};
struct EpsilonAlpha2Beta1 {
  AlphaBeta convolution{2, 1};
  Epsilon dense{};
};
struct EpsilonGammaBox {
  Box first{};
  Gamma convolution{};
  Epsilon dense{};
};

}  // namespace limn::explain::lrp
