// The losses of BotCL (Wang et al. 2023), as the authors' code has them. A term finds what it needs by the path of the
// BotCl in the network: BotClRetrieval<"5">{} where it is layer 5 of a Sequential; "botcl", as in a BotClNet, goes
// without saying.
//   CrossEntropy{} + BotClRetrieval{} + BotClQuantity{} + .5f * BotClQuantisation{} + -1.f * BotClConsistency{} +
//       BotClDistinctiveness{}                                                             // botcl_loss() is this sum
#pragma once

#include <algorithm>
#include <vector>

#include "limn/loss/classification.hpp"
#include "limn/loss/later.hpp"
#include "limn/nn/botcl.hpp"

namespace limn {

namespace detail {

/// The path of a part of the BotCl at a path.
template <Name At, Name Part>
constexpr auto part_of() {
  Name<sizeof(At.text) + sizeof(Part.text)> out;
  std::copy_n(At.text, sizeof(At.text), out.text);
  out.text[sizeof(At.text) - 1] = '.';
  std::copy_n(Part.text, sizeof(Part.text), out.text + sizeof(At.text));
  return out;
}
template <Name At>
inline constexpr auto attention_of = part_of<At, "attention">();
template <Name At>
inline constexpr auto features_of = part_of<At, "features">();

/// Which pictures show a concept: those in which its attention sums to more than its mean over the batch. Attention (n,
/// h, w, concepts); gives, per picture and concept, 1 over the number of such pictures, or 0.
template <Backend B>
struct Shown {
  Tensor<B> share;     ///< (n, concepts, 1)
  Index concepts = 0;  ///< that some picture shows
};
template <Backend B>
[[nodiscard, gnu::cold]] Shown<B> shown(const Tensor<B>& attention) {
  const Index n = attention.dim(0), places = attention.dim(1) * attention.dim(2), concepts = attention.dim(3);
  Shown<B> out{Tensor<B>(Shape{n, concepts, 1}, typename B::scalar(0))};
  std::vector<double> total(static_cast<std::size_t>(n));
  for (Index k = 0; k < concepts; ++k) {
    double mean = 0;
    for (Index i = 0; i < n; ++i) {
      double& sum = total[static_cast<std::size_t>(i)] = 0;
      for (Index p = 0; p < places; ++p) sum += static_cast<double>(attention.data()[(i * places + p) * concepts + k]);
      mean += sum / static_cast<double>(n);
    }
    const auto above = std::ranges::count_if(total, [&](double sum) { return sum > mean; });
    out.concepts += above > 0;
    for (Index i = 0; i < n; ++i)
      if (total[static_cast<std::size_t>(i)] > mean)
        out.share(i, k, 0) = typename B::scalar(1) / static_cast<typename B::scalar>(above);
  }
  return out;
}

/// Vectors along the last axis at length 1; those of length 0 stay.
template <Backend B>
[[nodiscard]] Var<B> at_length_one(const Var<B>& x) {
  const Var<B> least = Tensor<B>(Shape{1}, typename B::scalar(1e-16));
  return x / sqrt(maximum(sum(square(x), {-1}), least));
}

}  // namespace detail

/// Activations, moved to -1 .. 1, shall tell pictures of one class from those of others. With d = scale <y_i, y_j>, the
/// mean over pairs of one class of ln(1 + e^d) - d, and that over pairs of two classes of ln(1 + e^d). A picture with
/// itself is a pair.
template <Name At = "botcl">
struct BotClRetrieval {
  static constexpr const char* name = "botcl_retrieval";
  float scale = 10.f / 32;  ///< the code's, whatever the number of concepts

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<detail::attention_of<At>>(net);
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    using T = typename B::scalar;
    const Var<B> y =
        botcl::activations(step.run.watched(detail::attention_of<At>.view())) * T(2) - T(1);  // (n, concepts)
    const std::vector<Index>& labels = step.batch.labels;
    const Index n = y.dim(0);
    require<ShapeError>(n == static_cast<Index>(labels.size()), name, ": ", labels.size(), " labels for ", n,
                        " pictures");
    Index alike = 0;
    for (const Index a : labels) alike += std::ranges::count(labels, a);
    Tensor<B> weight(Shape{n, n}), same(Shape{n, n});
    for (Index i = 0; i < n * n; ++i) {
      const bool one = labels[static_cast<std::size_t>(i / n)] == labels[static_cast<std::size_t>(i % n)];
      weight.data()[i] = T(1) / static_cast<T>(one ? alike : n * n - alike);
      same.data()[i] = one ? weight.data()[i] : T(0);
    }
    const Var<B> d = matmul(y, y, {.b = true}) * static_cast<T>(scale);
    return sum(softplus(d) * Var<B>(weight) - d * Var<B>(same));
  }
};

/// The mean attention: concepts shall be small.
template <Name At = "botcl">
struct BotClQuantity {
  static constexpr const char* name = "botcl_quantity";

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<detail::attention_of<At>>(net);
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return mean(step.run.watched(detail::attention_of<At>.view()));
  }
};

/// A concept shall be there or not: the mean of (|2 t - 1| - 1)^2 over pictures and concepts, t the activations.
template <Name At = "botcl">
struct BotClQuantisation {
  static constexpr const char* name = "botcl_quantisation";

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<detail::attention_of<At>>(net);
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    using T = typename B::scalar;
    const Var<B> t = botcl::activations(step.run.watched(detail::attention_of<At>.view()));
    return mean(square(abs(t * T(2) - T(1)) - T(1)));
  }
};

/// How alike a concept looks in the pictures that show it, -1 to 1: the mean cosine of all pairs of its features, mean
/// over concepts. Larger is better, so its weight in a loss is negative. A picture shows a concept if its attention
/// sums to more than its mean over the batch; a concept that none shows (a batch of one picture) is left out, where the
/// authors' code gives NaN, and without any concept the term is 0.
template <Name At = "botcl">
struct BotClConsistency {
  static constexpr const char* name = "botcl_consistency";

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<detail::attention_of<At>>(net);
    run.template watch<detail::features_of<At>>(net);
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    const auto shown = detail::shown(step.run.watched(detail::attention_of<At>.view()).value());
    const Var<B> unit = detail::at_length_one(step.run.watched(detail::features_of<At>.view()));  // (n, concepts, d)
    const Var<B> middle = sum(unit * Var<B>(shown.share), {0});  // its square is the mean of the cosines of all pairs
    return sum(square(middle)) * (1 / static_cast<typename B::scalar>(std::max<Index>(shown.concepts, 1)));
  }
};

/// How alike the concepts look, -1 to 1: the mean cosine of all pairs of their mean features over the pictures that
/// show them, a concept with itself being a pair. Concepts that no picture shows are left out, as in BotClConsistency.
template <Name At = "botcl">
struct BotClDistinctiveness {
  static constexpr const char* name = "botcl_distinctiveness";

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    BotClConsistency<At>{}.watch(net, run);
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    const auto shown = detail::shown(step.run.watched(detail::attention_of<At>.view()).value());
    const Var<B> looks =
        sum(step.run.watched(detail::features_of<At>.view()) * Var<B>(shown.share), {0});  // (1, concepts, d)
    const auto each = 1 / static_cast<typename B::scalar>(std::max<Index>(shown.concepts, 1));
    return sum(square(sum(detail::at_length_one(looks), {1}) * each));
  }
};

/// What the terms of BotCL count. The authors' last 20 of 80 epochs have 4 times the quantisation, 5 times the
/// consistency and the distinctiveness, and a learning rate of a tenth.
struct BotClWeights {
  float retrieval = 1, quantity = 1, quantisation = .5f, consistency = 1, distinctiveness = 1;
  double late = .75;  ///< the last part of the training begins here; 1: there is none
};

/// The objective of BotCL, cross-entropy included.
template <Name At = "botcl">
[[nodiscard]] constexpr auto botcl_loss(const BotClWeights& weights = {}) {
  return CrossEntropy{} + weights.retrieval * BotClRetrieval<At>{} + weights.quantity * BotClQuantity<At>{} +
         weights.quantisation * Later<BotClQuantisation<At>>{{}, weights.late, 1, 4} +
         -weights.consistency * Later<BotClConsistency<At>>{{}, weights.late, 1, 5} +
         weights.distinctiveness * Later<BotClDistinctiveness<At>>{{}, weights.late, 1, 5};
}

}  // namespace limn
