// Rows of the table of operations: activations, products, losses.
#include "limn/ops/activation.hpp"
#include "limn/ops/distance.hpp"
#include "limn/ops/linear.hpp"
#include "limn/ops/losses.hpp"
#include "table.hpp"

namespace limn::table {
namespace {

template <class F>
Op activation(std::string name, std::string meaning, Draw draw, bool fused, F f, double (*reference)(double)) {
  const auto on = [=](const Shape& shape) {
    return make({{shape, draw}}, f, [=](const auto& x) { return reference::apply(x[0], reference); });
  };
  return {.name = std::move(name),
          .arguments = "x",
          .meaning = std::move(meaning),
          .gradients = "x",
          .fused = fused,
          .cases = {on({7}), on({2, 3, 2, 2})},
          .random = [=](Random& r) { return on(random_shape(r, 1 + static_cast<int>(r.below(5)), 4)); },
          .large = on({5, 9001})};
}

Case probabilities(const Shape& shape, bool logarithm) {
  if (logarithm)
    return make(
        {{shape}}, [](const auto& v) { return log_softmax(v[0]); },
        [](const auto& x) { return reference::apply(reference::softmax(x[0]), [](double p) { return std::log(p); }); });
  return make(
      {{shape}}, [](const auto& v) { return softmax(v[0]); }, [](const auto& x) { return reference::softmax(x[0]); });
}

Case product(Index rows, Index inner, Index columns, Transposed t) {
  const Shape a = t.a ? Shape{inner, rows} : Shape{rows, inner},
              b = t.b ? Shape{columns, inner} : Shape{inner, columns};
  return make(
      {{a}, {b}}, [=](const auto& v) { return matmul(v[0], v[1], t); },
      [=](const auto& x) { return reference::matmul(x[0], t.a, x[1], t.b); });
}

Case linear_case(const Shape& x, Index out) {
  return make(
      {{x}, {{out, x.back()}}}, [](const auto& v) { return linear(v[0], v[1]); },
      [=](const auto& in) {
        Shape to = x;
        to[to.rank() - 1] = out;
        Array y(to, 0.0);
        reference::each(to, [&](const reference::Place& p) {
          reference::Place q = p;
          auto& last = q[static_cast<std::size_t>(to.rank() - 1)];
          const Index o = last;
          for (last = 0; last < x.back(); ++last)
            reference::at(y, p, to.rank()) += reference::at(in[0], q, to.rank()) * in[1](o, last);
        });
        return y;
      });
}

Case unit_case(const Shape& shape) {
  return make(
      {{shape, Draw::nonzero}}, [](const auto& v) { return unit_length(v[0]); },
      [](const auto& x) {
        Array y = x[0].clone();
        const Index d = y.shape().back();
        for (Index row = 0; row < y.size() / d; ++row) {
          double sum = 0;
          for (Index k = 0; k < d; ++k) sum += x[0].data()[row * d + k] * x[0].data()[row * d + k];
          for (Index k = 0; k < d; ++k) y.data()[row * d + k] /= std::sqrt(sum);
        }
        return y;
      });
}

Case distance_case(Index n, Index m, Index d) {
  return make(
      {{{n, d}}, {{m, d}}}, [](const auto& v) { return squared_distances(v[0], v[1]); },
      [=](const auto& x) {
        Array y(Shape{n, m}, 0.0);
        for (Index i = 0; i < n; ++i)
          for (Index j = 0; j < m; ++j)
            for (Index k = 0; k < d; ++k) y(i, j) += (x[0](i, k) - x[1](j, k)) * (x[0](i, k) - x[1](j, k));
        return y;
      });
}

std::vector<Index> random_labels(Index n, Index classes, Random& r) {
  std::vector<Index> labels;
  for (Index i = 0; i < n; ++i) labels.push_back(r.below(classes));
  return labels;
}

Case classified(const std::vector<Index>& labels, Index classes) {
  const auto n = static_cast<Index>(labels.size());
  return make(
      {{{n, classes}}}, [=](const auto& v) { return cross_entropy(v[0], std::span(labels)); },
      [=](const auto& x) {
        const Array p = reference::softmax(x[0]);
        Array y(Shape{1}, 0.0);
        for (Index i = 0; i < n; ++i)
          y(0) -= std::log(p(i, labels[static_cast<std::size_t>(i)])) / static_cast<double>(n);
        return y;
      });
}

Case binary_loss(const Shape& shape) {
  return make(
      {{shape}, {shape, Draw::unit}}, [](const auto& v) { return bce_with_logits(v[0], v[1]); },
      [](const auto& x) {
        Array y(Shape{1}, 0.0);
        for (Index i = 0; i < x[0].size(); ++i) {
          const double p = 1 / (1 + std::exp(-x[0].data()[i])), t = x[1].data()[i];
          y(0) -= (t * std::log(p) + (1 - t) * std::log(1 - p)) / static_cast<double>(x[0].size());
        }
        return y;
      });
}

int random_rank(Random& r) { return 1 + static_cast<int>(r.below(5)); }

}  // namespace

std::vector<Op> network() {
  std::vector<Op> ops;
  ops.push_back(activation(
      "relu", "max(x, 0); the derivative at 0 is 0", Draw::nonzero, true, [](const auto& v) { return relu(v[0]); },
      [](double x) { return x > 0 ? x : 0.0; }));
  ops.push_back(activation(
      "sigmoid", "1 / (1 + exp(-x)), no overflow", Draw::normal, true, [](const auto& v) { return sigmoid(v[0]); },
      [](double x) { return 1 / (1 + std::exp(-x)); }));
  ops.push_back(activation(
      "tanh", "hyperbolic tangent", Draw::normal, false, [](const auto& v) { return tanh(v[0]); },
      [](double x) { return 1 - 2 / (std::exp(2 * x) + 1); }));
  ops.push_back(activation(
      "softplus", "ln(1 + exp(x)), no overflow", Draw::normal, false, [](const auto& v) { return softplus(v[0]); },
      [](double x) { return std::log(1 + std::exp(x)); }));
  for (const bool logarithm : {false, true}) {
    const std::string name = logarithm ? "log_softmax" : "softmax";
    ops.push_back({.name = name,
                   .arguments = "x (..., c)",
                   .meaning = logarithm ? "ln softmax(x)" : "probabilities along the last axis",
                   .gradients = "x",
                   .cases = {probabilities({2, 5}, logarithm), probabilities({3}, logarithm),
                             probabilities({2, 2, 2, 3}, logarithm), probabilities({4, 1}, logarithm)},
                   .random = [=](Random& r) { return probabilities(random_shape(r, random_rank(r), 4), logarithm); },
                   .large = probabilities({900, 30}, logarithm),
                   .refused = {{name + ": empty last axis in (2, 0)", [=] {
                                  (void)(logarithm ? log_softmax(zeros({2, 0})) : softmax(zeros({2, 0})));
                                }}}});
  }
  ops.push_back({.name = "matmul",
                 .arguments = "a (n, k), b (k, m), each may be transposed",
                 .meaning = "matrix product",
                 .gradients = "a, b",
                 .cases = {product(2, 3, 4, {}), product(2, 3, 4, {true, false}), product(2, 3, 4, {false, true}),
                           product(2, 3, 4, {true, true}), product(1, 5, 1, {}), product(4, 1, 3, {true, true})},
                 .random =
                     [](Random& r) {
                       const Transposed t{r.chance(0.5), r.chance(0.5)};
                       return product(1 + r.below(9), 1 + r.below(9), 1 + r.below(9), t);
                     },
                 .large = product(500, 60, 40, {true, false}),
                 .refused = {{"matmul: shapes (2, 3) and (2, 3) do not go together",
                              [] {
                                (void)matmul(zeros({2, 3}), zeros({2, 3}));
                              }},
                             {"matmul: shapes (2, 3) (transposed) and (3, 2) do not go together",
                              [] {
                                (void)matmul(zeros({2, 3}), zeros({3, 2}), {.a = true});
                              }},
                             {"matmul: expected matrices, got (2, 3) and (3)", [] {
                                (void)matmul(zeros({2, 3}), zeros({3}));
                              }}}});
  ops.push_back({.name = "linear",
                 .arguments = "x (..., in), weight (out, in)",
                 .meaning = "every feature vector along the last axis times the weight",
                 .gradients = "x, weight",
                 .cases = {linear_case({2, 3}, 4), linear_case({5}, 2), linear_case({2, 2, 3, 3}, 2)},
                 .random = [](Random& r) { return linear_case(random_shape(r, random_rank(r), 3), 1 + r.below(4)); },
                 .large = linear_case({30, 20, 16}, 24),
                 .refused = {{"linear: input (2, 3) ends with 3 features, expected 4", [] {
                                (void)linear(zeros({2, 3}), zeros({5, 4}));
                              }}}});

  ops.push_back({.name = "unit_length",
                 .arguments = "x (..., d)",
                 .meaning = "every vector along the last axis divided by its length, at least 1e-6",
                 .gradients = "x",
                 .cases = {unit_case({2, 3}), unit_case({4}), unit_case({2, 2, 3, 3})},
                 .random = [](Random& r) { return unit_case(random_shape(r, random_rank(r), 4)); },
                 .large = unit_case({300, 64})});
  ops.push_back(
      {.name = "squared_distances",
       .arguments = "x (n, d), y (m, d)",
       .meaning = "squared Euclidean distances between rows, (n, m)",
       .gradients = "x, y",
       .cases = {distance_case(2, 3, 4), distance_case(1, 1, 1), distance_case(3, 2, 2)},
       .random = [](Random& r) { return distance_case(1 + r.below(4), 1 + r.below(4), 1 + r.below(4)); },
       .large = distance_case(60, 40, 32),
       .refused = {{"squared_distances: expected matrices with rows of one length, got (2, 3) and (2, 4)", [] {
                      (void)squared_distances(zeros({2, 3}), zeros({2, 4}));
                    }}}});

  Random fixed(Seed{23});
  ops.push_back({.name = "cross_entropy",
                 .arguments = "logits (n, classes), n labels",
                 .meaning = "mean of -ln softmax(logits)[label]",
                 .gradients = "logits",
                 .fused = true,
                 .cases = {classified({0, 2}, 3), classified({1}, 2), classified({3, 3, 0, 1}, 5)},
                 .random =
                     [](Random& r) {
                       const Index classes = 1 + r.below(5);
                       return classified(random_labels(1 + r.below(5), classes, r), classes);
                     },
                 .large = classified(random_labels(2000, 20, fixed), 20),
                 .refused = {{"cross_entropy: logits (2, 3), but 1 labels", [] {
                                const Index label = 0;
                                (void)cross_entropy(zeros({2, 3}), std::span(&label, 1));
                              }}}});
  ops.push_back({.name = "bce_with_logits",
                 .arguments = "logits, targets in [0, 1], same shape",
                 .meaning = "mean binary cross-entropy between sigmoid(logits) and targets",
                 .gradients = "logits, targets",
                 .cases = {binary_loss({2, 3}), binary_loss({1}), binary_loss({2, 2, 2, 1})},
                 .random = [](Random& r) { return binary_loss(random_shape(r, random_rank(r), 4)); },
                 .large = binary_loss({5, 9001}),
                 .refused = {{"bce_with_logits: logits (2, 3), targets (3)", [] {
                                (void)bce_with_logits(zeros({2, 3}), zeros({3}));
                              }}}});
  return ops;
}

}  // namespace limn::table
