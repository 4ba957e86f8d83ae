// LRP: against zennit, against matrices written out, against input x gradient; what is conserved; what is refused.
#include "limn/explain/lrp.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "../backend/reference_conv.hpp"
#include "limn/autograd/check.hpp"
#include "limn/explain/gradients/gradient.hpp"
#include "limn/models/resnet.hpp"
#include "random_net.hpp"
#include "recorded/attribution_net.hpp"

using namespace limn;
using namespace limn::testing;
using D = CpuDouble;
namespace lrp = explain::lrp;

namespace {

template <class Composite>
explain::Attribution<D> relevance(const Composite& composite, lrp::BatchNorm norm = lrp::BatchNorm::merged) {
  return explain::Lrp<Composite>{composite, {.batch_norm = norm, .stabiliser = 1e-12}}.attributions(
      RecordedNet{}, recorded_images(), recorded_targets());
}
template <class Rule>
Tensor<D> everywhere(const Rule& rule, lrp::BatchNorm norm = lrp::BatchNorm::merged) {
  return relevance(lrp::Everywhere<Rule>{rule}, norm).values;
}

}  // namespace

TEST_CASE("every rule agrees with zennit") {
  CHECK(off(everywhere(lrp::Epsilon{0.1}), recorded_attributions::lrp_epsilon) < 1e-8);
  CHECK(off(everywhere(lrp::Epsilon{0.1}, lrp::BatchNorm::passed), recorded_attributions::lrp_epsilon_passed) < 1e-8);
  CHECK(off(everywhere(lrp::Gamma{0.25}), recorded_attributions::lrp_gamma) < 1e-8);
  CHECK(off(everywhere(lrp::AlphaBeta{2, 1}), recorded_attributions::lrp_alpha_beta) < 1e-8);
  CHECK(off(everywhere(lrp::ZPlus{}), recorded_attributions::lrp_z_plus) < 1e-8);
  CHECK(off(everywhere(lrp::WSquare{}), recorded_attributions::lrp_w_square) < 1e-8);
  CHECK(off(everywhere(lrp::Flat{}), recorded_attributions::lrp_flat) < 1e-8);
  CHECK(off(everywhere(lrp::Box{-1.5, 2}), recorded_attributions::lrp_box) < 1e-8);
}

TEST_CASE("every composite agrees with zennit") {
  CHECK(off(relevance(lrp::EpsilonPlus{}).values, recorded_attributions::epsilon_plus) < 1e-8);
  CHECK(off(relevance(lrp::EpsilonPlusFlat{}).values, recorded_attributions::epsilon_plus_flat) < 1e-8);
  CHECK(off(relevance(lrp::EpsilonAlpha2Beta1{}).values, recorded_attributions::epsilon_alpha2_beta1) < 1e-8);
  CHECK(off(relevance(lrp::EpsilonGammaBox{.first = {-1.5, 2}}).values, recorded_attributions::epsilon_gamma_box) <
        1e-8);
}

namespace {

/// A layer written out: z_j = sum_i w_ji x_i + b_j; `sees` tells which inputs an output sees at all.
struct Matrix {
  Index in, out;
  std::vector<double> w, sees, b;
  [[nodiscard]] double at(Index j, Index i) const { return w[static_cast<std::size_t>(j * in + i)]; }
};

using Contribution = std::function<double(double x, double w, double sees)>;

/// R_i = sum_j c(x_i, w_ji) / (sum_k c(x_k, w_jk) + c_b(b_j), stabilised) R_j for the outputs that `of` accepts.
void share_by(const Matrix& m, const double* x, const double* relevance, double epsilon, const Contribution& c,
              const std::function<double(double)>& bias, const std::function<bool(double z)>& of, double factor,
              std::vector<double>& out) {
  for (Index j = 0; j < m.out; ++j) {
    const double b = m.b[static_cast<std::size_t>(j)];
    double sum = bias(b), z = b;
    for (Index i = 0; i < m.in; ++i) {
      sum += c(x[i], m.at(j, i), m.sees[static_cast<std::size_t>(j * m.in + i)]);
      z += x[i] * m.at(j, i);
    }
    if (!of(z)) continue;
    sum += sum < 0 ? -epsilon : epsilon;
    for (Index i = 0; i < m.in; ++i)
      out[static_cast<std::size_t>(i)] +=
          factor * c(x[i], m.at(j, i), m.sees[static_cast<std::size_t>(j * m.in + i)]) / sum * relevance[j];
  }
}

double up(double v) { return std::max(v, 0.0); }
double down(double v) { return std::min(v, 0.0); }
bool always(double) { return true; }

/// By the definitions, from products x w and not from weights of two signs.
std::vector<double> slow(const std::string& rule, const Matrix& m, const double* x, const double* relevance) {
  std::vector<double> out(static_cast<std::size_t>(m.in), 0.0);
  const auto add = [&](double epsilon, const Contribution& c, const std::function<double(double)>& bias, double factor,
                       const std::function<bool(double)>& of) {
    share_by(m, x, relevance, epsilon, c, bias, of, factor, out);
  };
  const auto none = [](double) { return 0.0; };
  if (rule == "epsilon")
    add(
        0.3, [](double v, double w, double) { return v * w; }, [](double b) { return b; }, 1, always);
  if (rule == "z+")
    add(
        1e-6, [](double v, double w, double) { return up(v * w); }, up, 1, always);
  if (rule == "alpha beta") {
    add(
        1e-6, [](double v, double w, double) { return up(v * w); }, up, 3, always);
    add(
        1e-6, [](double v, double w, double) { return down(v * w); }, down, -2, always);
  }
  if (rule == "gamma") {
    add(
        1e-6, [](double v, double w, double) { return v * w + 0.4 * up(v * w); },
        [](double b) { return b + 0.4 * up(b); }, 1, [](double z) { return z > 0; });
    add(
        1e-6, [](double v, double w, double) { return v * w + 0.4 * down(v * w); },
        [](double b) { return b + 0.4 * down(b); }, 1, [](double z) { return z < 0; });
  }
  if (rule == "w^2")
    add(
        1e-6, [](double, double w, double) { return w * w; }, [](double b) { return b * b; }, 1, always);
  if (rule == "flat")
    add(
        1e-6, [](double, double, double sees) { return sees; }, none, 1, always);
  if (rule == "box")
    add(
        1e-6, [](double v, double w, double) { return v * w + 2 * up(w) - 3 * down(w); }, none, 1, always);
  return out;
}

template <class F>
double worst_rule(const Matrix& m, const Tensor<D>& x, const Tensor<D>& weight, const Var<D>& bias, const F& apply,
                  bool bounded) {
  const auto z = apply(Var<D>(x), Var<D>(weight));
  const Tensor<D> relevance = random_tensor<D>(z.shape(), "relevance");
  const auto call = [&](const Var<D>& v, const Var<D>& w) { return apply(v, w); };
  const lrp::Layer<D> layer{Var<D>(x), Var<D>(weight), bias, call};
  double worst = 0;
  const auto compare = [&](const std::string& name, const auto& rule) {
    const Var<D> found = rule(layer, Var<D>(relevance));
    REQUIRE(found.shape() == x.shape());
    const Index n = x.dim(0), in = x.size() / n, out = z.size() / n;
    for (Index picture = 0; picture < n; ++picture) {
      const auto expected = slow(name, m, x.data() + picture * in, relevance.data() + picture * out);
      for (Index i = 0; i < in; ++i) {
        const double e = expected[static_cast<std::size_t>(i)];
        worst = std::max(worst, std::abs(found.value().data()[picture * in + i] - e) / std::max(1.0, std::abs(e)));
      }
    }
  };
  compare("epsilon", lrp::Epsilon{0.3});
  compare("z+", lrp::ZPlus{});
  compare("alpha beta", lrp::AlphaBeta{3, 2});
  compare("gamma", lrp::Gamma{0.4});
  compare("w^2", lrp::WSquare{});
  compare("flat", lrp::Flat{});
  if (bounded) compare("box", lrp::Box{-2, 3});
  return worst;
}

}  // namespace

TEST_CASE("every rule is its definition, written out over a matrix, for dense layers and convolutions") {
  for (const bool positive : {false, true}) {  // inputs
    for (int number = 0; number < 5; ++number) {
      const auto key = [&](const char* what) { return text(what, number, positive); };
      const auto input = [&](const Shape& shape) {
        Tensor<D> x = random_tensor<D>(shape, key("x"));
        for (auto& v : x.span()) v = positive ? std::abs(v) : v;
        return x;
      };
      const Tensor<D> bias = random_tensor<D>({4}, key("bias"));
      {
        const Tensor<D> x = input({3, 6}), w = random_tensor<D>({4, 6}, key("w"));
        Matrix m{6, 4, {w.data(), w.data() + 24}, std::vector<double>(24, 1.0), {bias.data(), bias.data() + 4}};
        CHECK(worst_rule(
                  m, x, w, Var<D>(bias), [](const auto& v, const auto& k) { return linear(v, k); }, true) < 1e-9);
      }
      const Window win = number % 2 == 0 ? Window{3, 3, 1, 1, 1, 1} : Window{3, 2, 2, 1, 1, 0};
      const Tensor<D> x = input({2, 5, 4, 2}), w = random_tensor<D>({4, win.kernel_h, win.kernel_w, 2}, key("k"));
      const auto conv = [&](const auto& v, const auto& k) { return conv2d(v, k, win); };
      const Index in = 40, out = win.out_h(5) * win.out_w(4) * 4;
      Matrix m{in, out, {}, {}, {}};
      m.w.resize(static_cast<std::size_t>(in * out));
      m.sees = m.w;
      for (Index i = 0; i < in; ++i) {
        Tensor<D> unit(Shape{1, 5, 4, 2}, 0);
        unit.data()[i] = 1;
        const Tensor<D> row = conv(Var<D>(unit), Var<D>(w)).value();
        const Tensor<D> seen = conv(Var<D>(unit), Var<D>(Tensor<D>(w.shape(), 1))).value();
        for (Index j = 0; j < out; ++j) {
          m.w[static_cast<std::size_t>(j * in + i)] = row.data()[j];
          m.sees[static_cast<std::size_t>(j * in + i)] = seen.data()[j];
        }
      }
      for (Index j = 0; j < out; ++j) m.b.push_back(bias.data()[j % 4]);
      CHECK(worst_rule(m, x, w, Var<D>(bias), conv, true) < 1e-9);
    }
  }
}

namespace {

/// The largest |a - b| as a share of the largest |b|.
template <Backend B>
double apart(const Tensor<B>& a, const Tensor<B>& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0, largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double v = static_cast<double>(b.data()[i]), d = std::abs(static_cast<double>(a.data()[i]) - v);
    if (!(d <= worst)) worst = d;
    largest = std::max(largest, std::abs(v));
  }
  return worst / largest;
}

const explain::Lrp<lrp::Everywhere<lrp::Epsilon>> almost_zero{{{1e-14}, {1e-14}}, {.stabiliser = 1e-14}};

}  // namespace

TEST_CASE("LRP-epsilon is input x gradient on bias-free networks of relu, and then all is conserved") {
  const std::vector<Index> classes{2, 0};
  const explain::Lrp<lrp::Everywhere<lrp::ZPlus>> z_plus{{{1e-14}, {1e-14}}, {.stabiliser = 1e-14}};
  int alive = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const RandomNet<D> net(i, {.bias = false, .norm = false});
    const auto x = random_tensor<D>({2, 8, 7, 2}, text("x", i));
    const auto found = almost_zero.attributions(net, x, std::span<const Index>(classes));
    const auto expected = explain::InputTimesGradient{}.attributions(net, x, std::span<const Index>(classes));
    const auto totals = explain::row_sums(found.values), wanted = explain::row_sums(expected.values);
    if (std::abs(wanted[0]) < 1e-9 || std::abs(wanted[1]) < 1e-9) continue;  // every unit of a layer is off
    ++alive;
    CHECK(apart(found.values, expected.values) < 1e-7);
    // z+ conserves too where there is something positive to share by, as behind a positive score.
    const auto plus = z_plus.attributions(net, x, std::span<const Index>(classes));
    for (std::size_t p = 0; p < 2; ++p) {
      CHECK(std::abs(found.residual[p]) < 1e-7 * std::abs(totals[p]));
      if (wanted[p] > 0) CHECK(std::abs(plus.residual[p]) < 1e-7 * wanted[p]);
    }
  }
  CHECK(alive > 80);
}

TEST_CASE("with biases and merged batch norm it still is: they keep their share of the same denominator") {
  const std::vector<Index> classes{1, 0};
  const std::span<const Index> of(classes);
  const auto x = random_tensor<D>({2, 36, 33, 3}, "x");
  models::ResNet18<D, 3, 2> net{Seed{3}};
  for (const auto& [path, parameter] : parameters(net))
    if (path.ends_with("bias") || path.find("bn") != std::string::npos)
      for (auto& v : parameter->value().span()) v += 0.1;
  const auto found = almost_zero.attributions(net, x, of);
  CHECK(apart(found.values, explain::InputTimesGradient{}.attributions(net, x, of).values) < 1e-7);
  CHECK(std::abs(found.residual[0]) > 1e-6);  // what the biases kept

  auto passed = almost_zero;
  passed.tape.batch_norm = lrp::BatchNorm::passed;
  CHECK(apart(passed.attributions(net, x, of).values, found.values) > 1e-2);
}

namespace {
struct Mixed {
  Tensor<D> grouped = random_tensor<D>({4, 3, 3, 1}, "grouped"), deep = random_tensor<D>({4, 3, 3, 1}, "deep");
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const {
    const Window win = Window::square(3, 1, 1);
    const Var<D> a = relu(grouped_conv2d(x, Var<D>(grouped), win, 2));
    const Var<D> b = relu(depthwise_conv2d(a, Var<D>(deep), win) + a);
    const Var<D> gate = sigmoid(sum(b, {-1}));
    const Var<D> pooled = lap_pool(b * gate, gate, Var<D>(Tensor<D>(Shape{1}, 2)), Window::square(2, 2, 0));
    return flatten(global_average(pooled / (sum(pooled, {-1}) + 1.0)));
  }
};
}  // namespace

TEST_CASE("grouped and depthwise convolutions, LAP-Pools, products and quotients share what they get") {
  const std::vector<Index> classes{3, 1};
  const auto found =
      almost_zero.attributions(Mixed{}, random_tensor<D>({2, 6, 6, 2}, "x"), std::span<const Index>(classes));
  const auto totals = explain::row_sums(found.values);
  for (std::size_t p = 0; p < 2; ++p) {
    REQUIRE(totals[p] > 1e-3);
    CHECK(std::abs(found.residual[p]) < 1e-9 * totals[p]);
  }
}

namespace {
/// relu(h + b) + h with h = conv(x): the bias stands behind one of the two uses alone and must not be merged.
struct Twice {
  Tensor<D> weight = random_tensor<D>({3, 3, 3, 2}, "twice"), bias = random_tensor<D>({3}, "bias");
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const {
    const Var<D> h = conv2d(x, Var<D>(weight));
    return flatten(global_average(relu(h + Var<D>(bias)) + h));
  }
};
}  // namespace

TEST_CASE("a bias is merged only where the layer's output goes nowhere else") {
  const std::vector<Index> classes{2, 0};
  const auto x = random_tensor<D>({2, 5, 5, 2}, "x");
  CHECK(apart(almost_zero.attributions(Twice{}, x, std::span<const Index>(classes)).values,
              explain::InputTimesGradient{}.attributions(Twice{}, x, std::span<const Index>(classes)).values) < 1e-9);
}

TEST_CASE("a batch is explained to the bit as its pictures are, and up to rounding with matrix products") {
  const auto check = [](const auto& net, const Tensor<Cpu>& x, double most) {
    std::vector<Index> classes;
    for (Index i = 0; i < x.dim(0); ++i) classes.push_back(i % 2);
    const auto all = explain::Lrp<>{}(net, x, std::span<const Index>(classes));
    for (Index i = 0; i < x.dim(0); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto alone = explain::Lrp<>{}(net, testing::picture(x, i), std::span<const Index>(&classes[at], 1));
      double largest = 0, worst = 0;
      for (std::size_t p = 0; p < alone[0].map.size(); ++p) {
        const double v = alone[0].map.data()[p];
        largest = std::max(largest, std::abs(v));
        worst = std::max(worst, std::abs(v - static_cast<double>(all[at].map.data()[p])));
      }
      CHECK(worst <= most * largest);
    }
  };
  Sequential<Conv2d<Cpu, 1, 6, 3, 1, 1>, BatchNorm2d<Cpu, 6>, MaxPool2d<Cpu, 2>, Relu<Cpu>, Conv2d<Cpu, 6, 2, 3, 2>,
             Relu<Cpu>, GlobalAverage<Cpu>, Flatten<Cpu>>
      plain;
  initialise(plain, Seed{1});
  {
    const WithoutWinograd off;
    check(plain, random_tensor<Cpu>({5, 12, 10, 1}, "batch"), 0);
  }
  check(models::ResNetSmall<Cpu, 1, 2>{Seed{2}}, random_tensor<Cpu>({5, 40, 40, 1}, "larger"), 1e-3);
}

namespace {
struct Other {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const { return flatten(global_average(exp(x))); }
};
struct Attention {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const { return linear(flatten(x), reshape(flatten(x), {x.dim(0), -1})); }
};
}  // namespace

TEST_CASE("what LRP refuses") {
  const auto x = random_tensor<D>({2, 3, 3, 2}, "x");
  const std::vector<Index> classes{0, 1}, wrong{0, 2}, few{1};
  const auto message = [&](const auto& net, const std::vector<Index>& of, const auto& method) {
    return message_of([&] { (void)method(net, x, std::span<const Index>(of)); });
  };
  CHECK(message(Other{}, classes, explain::Lrp<>{}) ==
        "LRP: no rule for 'exp'; if it is an activation, name it in .tape.pass");
  CHECK(message(Other{}, classes, explain::Lrp<>{{}, {.pass = {"exp"}}}) == "no error");
  CHECK(message(Attention{}, classes, explain::Lrp<>{}) ==
        "LRP: both inputs of 'linear' depend on the picture, which has no rule");
  CHECK(message(Other{}, wrong, explain::Lrp<>{}) == "class_score: class 2, expected 0 to 1");
  CHECK(message(Other{}, few, explain::Lrp<>{}) == "class_score: logits (2, 2), but 1 classes");
  const auto rule = [](const auto& one) { return message_of([&] { (void)relevance(lrp::Everywhere{one}); }); };
  CHECK(rule(lrp::AlphaBeta{2, 2}) == "lrp::AlphaBeta: alpha 2, beta 2: expected alpha >= 1 and beta = alpha - 1");
  CHECK(rule(lrp::Gamma{-1}) == "lrp::Gamma: gamma -1, expected 0 or more");
  CHECK(rule(lrp::Box{1, 1}) == "lrp::Box: from 1 to 1");
}

namespace {
/// A composite of one's own.
struct Small {
  lrp::Gamma convolution{0.3};
  lrp::Epsilon dense{0.2};
};
}  // namespace

TEST_CASE("relevance can be part of a loss") {
  // The relevance of a small net as a function of its weights and of the picture, compared with differences.
  const Tensor<D> mean(Shape{2}, 0.1), variance(Shape{2}, 0.8);
  const Differentiable map = [&](const std::vector<Var<D>>& in) {
    const RecordForRules keep;
    const Var<D> x = alias(in[0]);
    const Var<D> h = conv2d(x, in[1], Window{3, 3, 1, 1, 1, 1}) + in[2];
    const Var<D> z = relu(batch_norm(h, in[2], in[2], mean, variance));
    const Var<D> y = linear(flatten(global_average(z)), in[3]);
    const auto rules = lrp::rules(y, x, Small{});
    return std::vector{grad<D>(y, x, {.create_graph = true, .upstream = {y}, .rules = &rules})};
  };
  CHECK(check_gradient(map, {random_tensor<D>({1, 4, 4, 1}, "x"), random_tensor<D>({2, 3, 3, 1}, "w"),
                             random_tensor<D>({2}, "b"), random_tensor<D>({3, 2}, "v")})
            .error < 1e-6);
}
