// DeepLIFT: complete on random networks and on ResNet-18, by hand, and against Captum where Captum is complete.
#include "limn/explain/deep_lift.hpp"

#include <doctest/doctest.h>

#include "../backend/reference_conv.hpp"
#include "attribution_net.hpp"
#include "limn/autograd/check.hpp"
#include "limn/models/resnet.hpp"
#include "random_net.hpp"

using namespace limn;
using D = CpuDouble;
using namespace limn::testing;

namespace {

/// The largest residual, as a share of the difference of the scores.
template <Backend B, class Net>
double incompleteness(const Net& net, const Tensor<B>& x, const Tensor<B>& x0, std::span<const Index> classes) {
  const auto found = explain::DeepLift{}.attributions(net, x, x0, classes);
  const auto totals = explain::row_sums(found.values);
  double worst = 0;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    const double difference = totals[i] - found.residual[i];  // what it should add up to
    worst = std::max(worst, std::abs(found.residual[i]) / std::abs(difference));
  }
  return worst;
}

}  // namespace

TEST_CASE("complete on 100 random networks: max-pools before a relu, one relu for all, batch norm, shortcuts") {
  const std::vector<Index> classes{2, 0, 1};
  double worst = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const RandomNet<D> net(i, {.bias = true, .norm = i % 2 == 0, .smooth = false});
    const auto x = random_tensor<D>({3, 8, 7, 2}, text("x", i)), x0 = random_tensor<D>({3, 8, 7, 2}, text("x0", i));
    worst = std::max(worst, incompleteness(net, x, x0, std::span<const Index>(classes)));
  }
  CHECK(worst < 1e-9);
}

TEST_CASE("complete on 100 random networks with gates, softmax, quotients and LAP-Pools") {
  const std::vector<Index> classes{2, 0, 1};
  double worst = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const RandomNet<D> net(i, {.bias = true, .norm = i % 2 == 0, .smooth = true});
    const auto x = random_tensor<D>({3, 8, 7, 2}, text("x", i)), x0 = random_tensor<D>({3, 8, 7, 2}, text("x0", i));
    worst = std::max(worst, incompleteness(net, x, x0, std::span<const Index>(classes)));
  }
  CHECK(worst < 1e-9);
}

TEST_CASE("complete on ResNet-18, which joins batch norm and relu where nobody looks, and on its LAP form") {
  const std::vector<Index> classes{1, 0};
  const auto x = random_tensor<D>({2, 36, 33, 3}, "x"), x0 = random_tensor<D>({2, 36, 33, 3}, "x0");
  CHECK(incompleteness(models::ResNet18<D, 3, 2>{Seed{3}}, x, x0, std::span<const Index>(classes)) < 1e-9);
  models::ResNetSmall<D, 3, 2, pool::Lap> laps{Seed{4}};
  Random random(Seed{5}, "head");
  draw_normal(at<"layer2.0.lap.head.out.weight">(laps).value(), 0.5, random);
  CHECK(incompleteness(laps, x, x0, std::span<const Index>(classes)) < 1e-9);
  // In float as the network is used, with the usual baseline.
  const models::ResNet18<Cpu, 3, 2> net{Seed{3}};
  const auto picture = random_tensor<Cpu>({2, 64, 64, 3}, "picture");
  CHECK(incompleteness(net, picture, Tensor<Cpu>(picture.shape(), 0), std::span<const Index>(classes)) < 1e-4);
}

TEST_CASE("DeepLIFT agrees with Captum") {
  const auto attributions = [](const explain::DeepLift& method, const RecordedNet& net) {
    return method.attributions(net, recorded_images(), recorded_baselines(), recorded_targets());
  };
  RecordedNet net;
  CHECK(off(attributions({}, net).values, recorded_attributions::deep_lift) < 1e-9);
  net.ends_with_softmax = true;
  CHECK(off(attributions({.captum_softmax = true}, net).values, recorded_attributions::deep_lift_softmax) < 1e-9);
  // What differs there is that ours is complete.
  const auto ours = attributions({}, net), theirs = attributions({.captum_softmax = true}, net);
  CHECK(off(ours.values, recorded_attributions::deep_lift_softmax) > 1e-3);
  CHECK(std::abs(ours.residual[0]) < 1e-12);
  CHECK(std::abs(theirs.residual[0]) > 1e-4);
}

namespace {
/// y = relu(max(2 x_0, x_1) - 1) * x_2, the maximum by a pool of 1 x 2.
struct Toy {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const {  // (n, 1, 3, 1)
    const Var<D> scaled = x * Var<D>(Tensor<D>(Shape{1, 1, 3, 1}, {2, 1, 1}));
    const Var<D> largest = max_pool2d(slice(scaled, 2, 0, 2), Window{1, 2});
    return reshape(relu(largest - 1.0) * slice(x, 2, 2, 1), {x.dim(0), 1});
  }
};
}  // namespace

TEST_CASE("DeepLIFT by hand: a maximum before a relu, and a product") {
  // Picture (2, 1, 5): maxima 4, relu 3, score 15. Baseline (0, 3, 1): maximum 3, relu 2, score 2.
  // The product: multipliers (5 + 1) / 2 = 3 for the relu, (3 + 2) / 2 = 2.5 for x_2, which gets 2.5 * 4 = 10. The relu
  // changes as its input does: 3. The larger maximum is 4: 4 - 3 lies on the picture's winner 2 x_0, which changes by
  // 4, so x_0 gets 3 * (4 - 3) = 3; nothing is left for the baseline's winner. 10 + 3 = 15 - 2. The second picture is
  // the first one with its baseline exchanged: everything changes sign.
  const Tensor<D> x(Shape{2, 1, 3, 1}, {2, 1, 5, 0, 3, 1}), x0(Shape{2, 1, 3, 1}, {0, 3, 1, 2, 1, 5});
  const std::vector<Index> classes{0, 0};
  const auto found = explain::DeepLift{}.attributions(Toy{}, x, x0, std::span<const Index>(classes));
  const double expected[] = {3, 0, 10, -3, 0, -10};
  CHECK(off(found.values, expected) < 1e-12);
  CHECK(std::abs(found.residual[0]) < 1e-12);
}

TEST_CASE("where the picture is the baseline, multipliers are gradients") {
  const RecordedNet net;
  Tensor<D> x = recorded_images().clone(), x0 = recorded_images().clone();
  const auto found = explain::DeepLift{}.attributions(net, x, x0, recorded_targets());
  for (const double v : found.values.span()) CHECK(v == 0);  // not NaN
  // A single number changed, and by so little that no relu and no maximum changes sides.
  x0.data()[5] -= 1e-7;
  const auto close = explain::DeepLift{}.attributions(net, x, x0, recorded_targets());
  CHECK(close.values.data()[5] == doctest::Approx(1e-7 * recorded_attributions::gradient[5]).epsilon(1e-4));
}

namespace {
/// relu(x_0 + x_1)
struct Sum {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const { return relu(sum(flatten(x), {-1})); }
};
}  // namespace

TEST_CASE("where an activation does not change, its multiplier is the gradient at the picture") {
  // (2, 1) against (1, 2): the sum stays 3, so the relu has the multiplier 1: +1 and -1. Against (-5, 2) it is cut:
  // (3 - 0) / (3 + 3) = 1/2 times 7 and -1.
  const Tensor<D> x(Shape{2, 1, 1, 2}, {2, 1, 2, 1}), x0(Shape{2, 1, 1, 2}, {1, 2, -5, 2});
  const std::vector<Index> classes{0, 0};
  const double expected[] = {1, -1, 3.5, -0.5};
  CHECK(off(explain::DeepLift{}.attributions(Sum{}, x, x0, std::span<const Index>(classes)).values, expected) < 1e-12);
}

TEST_CASE("a batch is explained to the bit as its pictures are") {
  // Of convolutions alone: a matrix product sums in another order for another number of rows, and so does Winograd's
  // algorithm. With both it is equal up to rounding.
  const auto check = [](const auto& net, const Tensor<Cpu>& x, double most) {
    std::vector<Index> classes;
    for (Index i = 0; i < x.dim(0); ++i) classes.push_back(i % 2);
    const Tensor<Cpu> all =
        explain::DeepLift{.baseline = 0.1f}.attributions(net, x, std::span<const Index>(classes)).values;
    for (Index i = 0; i < x.dim(0); ++i) {
      const std::span<const Index> one(&classes[static_cast<std::size_t>(i)], 1);
      const auto alone = explain::DeepLift{.baseline = 0.1f}.attributions(net, testing::picture(x, i), one);
      double largest = 0, worst = 0;
      for (Index p = 0; p < alone.values.size(); ++p) {
        const double v = alone.values.data()[p];
        largest = std::max(largest, std::abs(v));
        worst = std::max(worst, std::abs(v - all.data()[i * alone.values.size() + p]));
      }
      CHECK(worst <= most * largest);
    }
  };
  Sequential<Conv2d<Cpu, 1, 6, 3, 1, 1>, BatchNorm2d<Cpu, 6>, MaxPool2d<Cpu, 2>, Relu<Cpu>, Conv2d<Cpu, 6, 2, 3, 2>,
             Relu<Cpu>, GlobalAverage<Cpu>, Flatten<Cpu>>
      plain;
  initialise(plain, Seed{1});
  const auto x = random_tensor<Cpu>({5, 12, 10, 1}, "batch");
  {
    const WithoutWinograd off;
    check(plain, x, 0);
  }
  check(models::ResNetSmall<Cpu, 1, 2>{Seed{2}}, random_tensor<Cpu>({5, 40, 40, 1}, "larger"), 1e-3);
}

namespace {
struct Other {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const {
    const auto sine = [](const Var<D>& v) {
      return map([](double t) { return std::sin(t); }, v, [](const Var<D>& w) { return exp(w); }, "sine");
    };
    return flatten(global_average(sine(x)));
  }
};
struct Mixing {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const { return flatten(global_average(x - mean(x, {0}))); }
};
}  // namespace

TEST_CASE("what DeepLIFT refuses") {
  const auto x = random_tensor<D>({2, 3, 3, 2}, "x");
  const std::vector<Index> classes{0, 1}, wrong{0, 2}, few{1};
  const auto message = [&](const auto& net, const std::vector<Index>& of) {
    return message_of([&] { (void)explain::DeepLift{}(net, x, std::span<const Index>(of)); });
  };
  CHECK(message(Other{}, classes) ==
        "DeepLIFT: no rule for 'sine'; if it is a function of one number, name it in .elementwise");
  CHECK(message(Mixing{}, classes) == "DeepLIFT: a sum from (4, 3, 3, 2) to (1, 3, 3, 2) mixes pictures");
  CHECK(message(Other{}, wrong) == "class_score: class 2, expected 0 to 1");
  CHECK(message(Other{}, few) == "DeepLIFT: 2 images, but 1 classes");
  CHECK(message_of([&] {
          (void)explain::DeepLift{}.attributions(Other{}, x, random_tensor<D>({1, 3, 3, 2}, "x0"),
                                                 std::span<const Index>(classes));
        }) == "DeepLIFT: images (2, 3, 3, 2), baselines (1, 3, 3, 2)");
  const auto found = explain::DeepLift{.elementwise = {"sine"}}(Other{}, x, std::span<const Index>(classes));
  CHECK(std::abs(*found[0].residual) < 1e-12);
}

TEST_CASE("DeepLIFT can be part of a loss: its multipliers are differentiated too") {
  // The multipliers of a small net as a function of pictures, baselines and weights, compared with differences.
  const auto multipliers = [](const std::vector<Var<D>>& in, bool create_graph) {
    const RecordForRules keep;
    const Var<D> x = alias(in[0]);
    const Var<D> h = tanh(conv2d(x, in[1], Window{3, 3, 1, 1, 1, 1}));
    const Var<D> y = relu(max_pool2d(h, Window::square(2, 2, 0)) + 0.1) * sigmoid(mean(x, {1, 2, 3}));
    const Rules<D> rules = explain::deep_lift::rules<D>();
    const Var<D> ones = Tensor<D>(y.shape(), 1);
    return std::vector{grad<D>(y, x, {.create_graph = create_graph, .upstream = {ones}, .rules = &rules})};
  };
  const Differentiable f = [&](const std::vector<Var<D>>& in) { return multipliers(in, true); };
  const std::vector<Tensor<D>> at{random_tensor<D>({2, 4, 4, 1}, "in"), random_tensor<D>({2, 3, 3, 1}, "w")};
  CHECK(check_gradient(f, at).error < 1e-6);
  const std::vector<Var<D>> leaves{leaf(at[0]), leaf(at[1])};
  CHECK(difference(multipliers(leaves, true)[0].value(), multipliers(leaves, false)[0].value()) < 1e-12);
}
