// Integrated gradients against Captum (record_attributions.py); quadrature against integrals that are known; SmoothGrad
// and VarGrad on functions whose answer is known.
#include "limn/explain/gradients/averaged_gradients.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "../backend/reference_conv.hpp"
#include "limn/explain/deep_lift.hpp"
#include "limn/models/resnet.hpp"
#include "recorded/attribution_net.hpp"

using namespace limn;
using namespace limn::testing;
using D = CpuDouble;
using explain::Quadrature;

namespace {

double integral(Quadrature rule, Index n, const std::function<double(double)>& f) {
  const auto nodes = explain::nodes(rule, n);
  double sum = 0;
  for (std::size_t i = 0; i < nodes.at.size(); ++i) sum += nodes.weight[i] * f(nodes.at[i]);
  return sum;
}

explain::Attribution<D> integrated(Quadrature rule, Index steps) {
  return explain::IntegratedGradients{.steps = steps, .rule = rule}.attributions(
      RecordedNet{}, recorded_images(), recorded_baselines(), recorded_targets());
}

}  // namespace

TEST_CASE("quadrature: Gauss-Legendre is exact for polynomials of degree 2 n - 1, the others as they should be") {
  for (const Index n : {1, 2, 3, 10, 50, 101})
    for (Index degree = 0; degree < 2 * n; ++degree) {
      const auto power = [&](double x) { return std::pow(x, static_cast<double>(degree)); };
      CHECK(integral(Quadrature::gauss_legendre, n, power) ==
            doctest::Approx(1 / static_cast<double>(degree + 1)).epsilon(1e-12));
    }
  const auto square = [](double x) { return x * x; };  // at 0, 1/2, 1, and 1/4, 3/4
  CHECK(integral(Quadrature::left, 2, square) == 0.125);
  CHECK(integral(Quadrature::right, 2, square) == 0.625);
  CHECK(integral(Quadrature::middle, 2, square) == 0.3125);
  CHECK(integral(Quadrature::trapezoid, 3, square) == 0.375);
}

TEST_CASE("integrated gradients agree with Captum") {  // whose weights are float
  CHECK(off(integrated(Quadrature::gauss_legendre, 50).values, recorded_attributions::integrated_gausslegendre) < 2e-8);
  CHECK(off(integrated(Quadrature::left, 9).values, recorded_attributions::integrated_riemann_left) < 2e-8);
  CHECK(off(integrated(Quadrature::right, 9).values, recorded_attributions::integrated_riemann_right) < 2e-8);
  CHECK(off(integrated(Quadrature::middle, 9).values, recorded_attributions::integrated_riemann_middle) < 2e-8);
  // Captum's trapezoids have the width 1/n, though n points have n - 1 between them: they do not add up to 1.
  Tensor<D> trapezoid = integrated(Quadrature::trapezoid, 9).values.clone();
  for (double& v : trapezoid.span()) v *= 8.0 / 9;
  CHECK(off(trapezoid, recorded_attributions::integrated_riemann_trapezoid) < 2e-8);
}

TEST_CASE("what is left over shrinks with the steps") {
  const auto left_over = [](Quadrature rule, Index steps) { return std::abs(integrated(rule, steps).residual[0]); };
  CHECK(left_over(Quadrature::middle, 400) < 1e-3 * std::abs(recorded_attributions::logits[2]));
  CHECK(left_over(Quadrature::middle, 400) < left_over(Quadrature::middle, 4));
  const auto maps =
      explain::IntegratedGradients{.steps = 5, .baseline = 0.2f}(RecordedNet{}, recorded_images(), recorded_targets());
  const auto raw = explain::IntegratedGradients{.steps = 5, .baseline = 0.2f}.attributions(
      RecordedNet{}, recorded_images(), recorded_targets());
  CHECK(*maps[1].residual == raw.residual[1]);
}

namespace {

/// v relu(w x + b) for each of two classes: one relu between picture and score.
struct OneRelu {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const {
    const Tensor<D> w = wave({1, 8}, 0.7, 1), v = wave({2, 1}, 1.1, 1);
    return linear(relu(linear(flatten(x), Var<D>(w)) + 0.3), Var<D>(v));
  }
};
/// sum w x^2 for one class, sum w x for the other.
struct Quadratic {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const {
    const Var<D> row = reshape(flatten(x), {x.dim(0), 1, 1, 8}), w = wave({8}, 0.7, 1);
    const Var<D> quadratic = sum(square(row) * w, {-1}), plain = sum(row * w, {-1});
    return reshape(embed(quadratic, 3, 0, 2) + embed(plain, 3, 1, 2), {x.dim(0), 2});
  }
};

}  // namespace

TEST_CASE("with a single relu, DeepLIFT is integrated gradients") {
  const auto x = random_tensor<D>({4, 2, 2, 2}, "x"), x0 = random_tensor<D>({4, 2, 2, 2}, "x0");
  const std::vector<Index> classes{0, 1, 1, 0};
  const explain::IntegratedGradients many{.steps = 20000, .rule = Quadrature::middle};
  const auto line = many.attributions(OneRelu{}, x, x0, std::span<const Index>(classes));
  const auto lift = explain::DeepLift{}.attributions(OneRelu{}, x, x0, std::span<const Index>(classes));
  CHECK(difference(line.values, lift.values) < 1e-3);  // the kink lies between two steps
}

TEST_CASE("SmoothGrad and VarGrad of a linear and a quadratic function") {
  // Gradients of w x^2 at x + s z are 2 w (x + s z): mean 2 w x, variance 4 w^2 s^2; of w x they are w, variance 0.
  const auto x = random_tensor<D>({2, 2, 2, 2}, "x");
  const auto w = wave({8}, 0.7, 1);
  const std::vector<Index> classes{0, 1};
  const std::span<const Index> of(classes);
  const explain::Noise noise{.samples = 4000, .deviation = 0.5, .seed = Seed{3}};
  const auto mean = explain::SmoothGrad{noise}.attributions(Quadratic{}, x, of).values;
  const auto variance = explain::VarGrad{noise}.attributions(Quadratic{}, x, of).values;
  for (Index i = 0; i < 8; ++i) {
    const double wi = w.data()[i];
    // Four standard errors: of the mean 2 w s / sqrt(4000), of the variance sqrt(2 / 4000) of itself.
    CHECK(std::abs(mean.data()[i] - 2 * wi * x.data()[i]) < 4 * std::abs(wi) / std::sqrt(4000.0));
    CHECK(std::abs(variance.data()[i] / (wi * wi) - 1) < 4 * std::sqrt(2 / 4000.0));
    CHECK(mean.data()[8 + i] == doctest::Approx(wi).epsilon(1e-9));
    CHECK(std::abs(variance.data()[8 + i]) < 1e-20);
  }
  // A share of the range of each picture.
  const auto [low, high] = std::minmax_element(x.data(), x.data() + 8);
  const explain::Noise absolute{.samples = 3, .deviation = 0.2 * (*high - *low)}, share{.samples = 3, .share = 0.2};
  const auto a = explain::SmoothGrad{absolute}.attributions(Quadratic{}, x, of).values;
  const auto b = explain::SmoothGrad{share}.attributions(Quadratic{}, x, of).values;
  for (Index i = 0; i < 8; ++i) CHECK(a.data()[i] == doctest::Approx(b.data()[i]).epsilon(1e-12));
  const explain::Noise other{.samples = 3, .share = 0.2, .seed = Seed{1}};
  CHECK(!same_bits(b, explain::SmoothGrad{other}.attributions(Quadratic{}, x, of).values));
}

TEST_CASE("a batch is explained to the bit as its pictures are") {
  Sequential<Conv2d<Cpu, 1, 6, 3, 1, 1>, BatchNorm2d<Cpu, 6>, Relu<Cpu>, Conv2d<Cpu, 6, 2, 3, 2>, Relu<Cpu>,
             GlobalAverage<Cpu>, Flatten<Cpu>>
      net;
  initialise(net, Seed{1});
  const auto x = random_tensor<Cpu>({5, 12, 10, 1}, "batch");
  const std::vector<Index> classes{1, 0, 0, 1, 0};
  const WithoutWinograd off;
  const auto check = [&](const auto& explainer) {
    const auto all = explainer.attributions(net, x, std::span<const Index>(classes));
    for (Index i = 0; i < 5; ++i) {
      const std::span<const Index> one(&classes[static_cast<std::size_t>(i)], 1);
      CHECK(same_bits(explainer.attributions(net, picture(x, i), one).values, picture(all.values, i)));
    }
  };
  check(explain::IntegratedGradients{.steps = 4});
  check(explain::SmoothGrad{{.samples = 3}});
  check(explain::VarGrad{{.samples = 3}});
}

TEST_CASE("options and classes that are refused") {
  const auto message = [](const auto& explainer, std::span<const Index> classes) {
    return message_of([&] { (void)explainer(RecordedNet{}, recorded_images(), classes); });
  };
  const std::vector<Index> wrong{0, 3};
  CHECK(message(explain::IntegratedGradients{.steps = 0}, recorded_targets()) ==
        "integrated gradients: 0 steps are too few");
  CHECK(message(explain::IntegratedGradients{.steps = 1, .rule = Quadrature::trapezoid}, recorded_targets()) ==
        "integrated gradients: 1 steps are too few");
  CHECK(message(explain::IntegratedGradients{}, wrong) == "class_score: class 3, expected 0 to 2");
  CHECK(message(explain::SmoothGrad{}, wrong) == "class_score: class 3, expected 0 to 2");
  CHECK(message(explain::VarGrad{{.samples = 0}}, recorded_targets()) ==
        "noise: 0 samples, share 0.15, deviation 0: expected none below 0");
}
