// Grad-CAM and guided backpropagation against torch (recorded/record_torch.py), on a net that uses relu as a function
// and one layer twice; batches; Grad-CAM worked out by hand.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/explain/gradients/guided_backprop.hpp"
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"
#include "recorded/torch_fixtures.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

Tensor<D> wave(const Shape& shape, double speed, double size) {
  Tensor<D> t(shape);
  for (Index i = 0; i < t.size(); ++i) t.data()[i] = size * std::sin(speed * static_cast<double>(i) + 0.5);
  return t;
}

/// The last call of a layer, under a name of its own.
struct Target {
  static constexpr auto fields = Fields{};
  Var<D> operator()(const Var<D>& x, auto&) const { return x; }
};

struct Net {
  Conv2d<D, 2, 4, 3, 1, 1> first;
  Conv2d<D, 4, 4, 3, 1, 1, false> second;
  Target target;
  Linear<D, 4, 3, false> fc;
  static constexpr auto fields = Fields{field<"first">(&Net::first), field<"second">(&Net::second),
                                        field<"target">(&Net::target), field<"fc">(&Net::fc)};

  Net() {
    first.weight.value() = wave({4, 3, 3, 2}, 0.7, 0.6);
    first.bias.value() = wave({4}, 2.1, 0.2);
    second.weight.value() = wave({4, 3, 3, 4}, 1.9, 0.5);
    fc.weight.value() = wave({3, 4}, 0.9, 1);
  }
  Var<D> operator()(const Var<D>& image, auto& run) const {
    const Var<D> x = relu(run(second, relu(run(first, image))));
    return run(fc, flatten(global_average(relu(run(target, run(second, x))))));
  }
};

const std::vector<Index> classes{2, 0};
Tensor<D> images() { return wave({2, 5, 4, 2}, 1.3, 1); }

template <std::size_t N>
double difference(const auto& found, const double (&expected)[N], std::size_t offset = 0) {
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = std::max(
        worst, std::abs(static_cast<double>(found.begin()[static_cast<std::ptrdiff_t>(i)]) - expected[offset + i]));
  return worst;
}

}  // namespace

TEST_CASE("the net is torch's") {
  Run<D> run;
  const Var<D> logits = run(Net{}, Var<D>(images()));
  CHECK(difference(logits.value().span(), recorded::logits) < 1e-12);
}

TEST_CASE("Grad-CAM agrees with torch") {
  const auto maps = explain::GradCam<"target">{}(Net{}, images(), std::span<const Index>(classes));
  REQUIRE(maps.size() == 2);
  double largest = 0;
  for (const double v : recorded::cam) largest = std::max(largest, v);
  REQUIRE(largest > 1e-3);  // the recording says something
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(maps[i].map.shape() == std::array<std::size_t, 2>{5, 4});
    CHECK(difference(maps[i].map, recorded::cam, i * 20) < 1e-6);  // maps are float
  }
  CHECK(is_recording());
}

TEST_CASE("guided backpropagation agrees with torch's hooks") {
  const auto found = explain::GuidedBackprop{}.attributions(Net{}, images(), std::span<const Index>(classes)).values;
  REQUIRE(found.shape() == Shape{2, 5, 4, 2});
  CHECK(difference(found.span(), recorded::guided) < 1e-12);
  // and it is not the gradient
  const Net net;
  const Var<D> x = leaf(images());
  Run<D> run;
  const Var<D> score = explain::class_score(run(net, x), std::span<const Index>(classes));
  const Var<D> plain = grad(score, x);
  CHECK(difference(plain.value().span(), recorded::guided) > 1e-3);
  // The map is the sum of the absolute values over the channels.
  const auto maps = explain::GuidedBackprop{}(net, images(), std::span<const Index>(classes));
  CHECK(maps[1].map(4, 3) == doctest::Approx(std::abs(recorded::guided[78]) + std::abs(recorded::guided[79])));
}

TEST_CASE("a batch explains every picture as it is explained alone") {
  const Net net;
  const auto cams = explain::GradCam<"target">{}(net, images(), std::span<const Index>(classes));
  const auto guided = explain::GuidedBackprop{}(net, images(), std::span<const Index>(classes));
  for (Index i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::span<const Index> one(&classes[at], 1);
    const auto cam = explain::GradCam<"target">{}(net, testing::picture(images(), i), one);
    const auto guide = explain::GuidedBackprop{}(net, testing::picture(images(), i), one);
    for (std::size_t p = 0; p < 20; ++p) {
      CHECK(cam[0].map.data()[p] == doctest::Approx(cams[at].map.data()[p]).epsilon(1e-6));
      CHECK(guide[0].map.data()[p] == doctest::Approx(guided[at].map.data()[p]).epsilon(1e-6));
    }
  }
}

TEST_CASE("Grad-CAM by hand: a 1x1 convolution, a mean and a linear layer") {
  // A_k = w_k x, score_c = sum_k v_ck mean(A_k), so d score / d A_k = v_ck / 4 at each of the 4 elements, and the map
  // is relu(sum_k v_ck w_k x / 4). w = (1, -2), v_0 = (2, 1), v_1 = (-1, 3): class 0: 0 x, class 1: -7 x / 4.
  Sequential<Conv2d<Cpu, 1, 2, 1>, GlobalAverage<Cpu>, Flatten<Cpu>, Linear<Cpu, 2, 2>> net;
  at<"0.weight">(net).value() = Tensor<Cpu>(Shape{2, 1, 1, 1}, {1, -2});
  at<"3.weight">(net).value() = Tensor<Cpu>(Shape{2, 2}, {2, 1, -1, 3});
  const Tensor<Cpu> x(Shape{2, 2, 2, 1}, {1, -2, 4, -8, 1, -2, 4, -8});
  const std::vector<Index> of{1, 0};
  const auto maps = explain::GradCam<"0">{}(net, x, std::span<const Index>(of));
  const float expected[] = {0, 3.5f, 0, 14};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(maps[0].map.data()[i] == expected[i]);
    CHECK(maps[1].map.data()[i] == 0);
  }
}

TEST_CASE("classes that are not there are refused") {
  const std::vector<Index> wrong{0, 3}, few{1};
  CHECK(testing::message_of([&] {
          (void)explain::GradCam<"target">{}(Net{}, images(), std::span<const Index>(wrong));
        }) == "class_score: class 3, expected 0 to 2");
  CHECK(testing::message_of([&] {
          (void)explain::GradCam<"target">{}(Net{}, images(), std::span<const Index>(few));
        }) == "class_score: logits (2, 3), but 1 classes");
}
