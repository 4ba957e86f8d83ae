// Conv2d with groups: values and gradients recorded from torch (record_groups.py), derivatives, shapes, initial
// weights.
#include <doctest/doctest.h>

#include <cmath>

#include "limn/models/weights.hpp"
#include "limn/nn/check_layer.hpp"
#include "limn/nn/layers.hpp"
#include "recorded/recorded_groups.hpp"

using namespace limn;
using D = CpuDouble;
using Depthwise = Conv2d<D, 5, 5, 3, 2, 1, true, 5>;
using Grouped = Conv2d<D, 4, 6, 3, 1, 1, true, 2>;
using Multiplied = Conv2d<D, 3, 6, 2, 1, 0, true, 3>;  // two results for every channel

namespace {

Tensor<D> tensor(const Shape& shape, const std::vector<double>& numbers) { return {shape, numbers}; }

void check(const Tensor<D>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == static_cast<Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(found.span()[i] == doctest::Approx(expected[i]).epsilon(1e-10));
}

template <class L>
void agrees(const recorded::Layer& r) {
  L layer;
  layer.weight.bind(leaf(tensor(layer.weight.shape(), r.weight)));
  layer.bias.bind(leaf(tensor(layer.bias.shape(), r.bias)));
  const auto x = leaf(tensor({2, 4, 5, L::in_channels}, r.x));
  Run<D> run;
  const Var<D> y = run(layer, x);
  const Dims dims = L::shape({4, 5, L::in_channels});
  REQUIRE(y.shape() == Shape({2, dims.height, dims.width, dims.channels}));
  check(y.value(), r.y);
  const auto d = grad<D>({y}, {x, layer.weight, layer.bias}, {.upstream = {tensor(y.shape(), r.up)}});
  check(d[0].value(), r.dx);
  check(d[1].value(), r.dweight);
  check(d[2].value(), r.dbias);
}

template <class L>
void passes() {
  const auto result = check_layer<L>({4, 5, L::in_channels});
  CAPTURE(result.where);
  CHECK(result.error < 1e-6);
}

template <class L>
Shape weight_shape() {
  return L{}.weight.shape();
}

}  // namespace

TEST_CASE("convolutions with groups agree with torch") {
  agrees<Depthwise>(recorded::depthwise);
  agrees<Grouped>(recorded::grouped);
  agrees<Multiplied>(recorded::multiplied);
}

TEST_CASE("convolutions with groups, first and second order") {
  passes<Depthwise>();
  passes<Grouped>();
  passes<Multiplied>();
}

TEST_CASE("a convolution with groups is the dense one whose weight is zero between groups") {
  Grouped layer;
  layer.weight.bind(leaf(tensor({6, 3, 3, 2}, recorded::grouped.weight)));
  layer.bias.bind(leaf(tensor({6}, recorded::grouped.bias)));
  Conv2d<D, 4, 6, 3, 1, 1> dense;
  dense.bias.bind(layer.bias);
  dense.weight.value().fill(0);
  for (Index k = 0; k < 6; ++k)
    for (Index tap = 0; tap < 9; ++tap)
      for (Index i = 0; i < 2; ++i)
        dense.weight.value().data()[(k * 9 + tap) * 4 + k / 3 * 2 + i] =
            layer.weight.value().data()[(k * 9 + tap) * 2 + i];
  const Var<D> x = tensor({2, 4, 5, 4}, recorded::grouped.x);
  Run<D> run;
  const Var<D> a = run(layer, x), b = run(dense, x);
  for (Index i = 0; i < a.size(); ++i)
    CHECK(a.value().data()[i] == doctest::Approx(b.value().data()[i]).epsilon(1e-12));
}

TEST_CASE("weights with groups have torch's shapes in files") {
  CHECK(weight_shape<Depthwise>() == Shape({5, 3, 3, 1}));
  CHECK(weight_shape<Grouped>() == Shape({6, 3, 3, 2}));
  CHECK(detail::shape_in_file(weight_shape<Depthwise>()) == std::vector<Index>{5, 1, 3, 3});
  CHECK(detail::shape_in_file(weight_shape<Grouped>()) == std::vector<Index>{6, 2, 3, 3});
  CHECK(weight_shape<Multiplied>() == Shape({6, 2, 2, 1}));
}

TEST_CASE("initial weights with groups: torch's fan-out does not ask for groups") {
  // torch.nn.init.kaiming_normal_(mode = "fan_out", nonlinearity = "relu"): sqrt(2 / (size(0) * 3 * 3)).
  Conv2d<Cpu, 512, 512, 3, 1, 1, true, 512> depthwise;
  Random random(Seed{1});
  depthwise.initialise(random);
  double squares = 0;
  for (const float v : depthwise.weight.value().span()) squares += static_cast<double>(v) * v;
  const double variance = squares / static_cast<double>(depthwise.weight.size());
  CHECK(variance * 512 * 9 / 2 == doctest::Approx(1).epsilon(0.08));  // 4,608 draws: 0.02 is one deviation
}

TEST_CASE("an image with other channels is refused") {
  const Grouped layer;
  Run<D> run;
  CHECK_THROWS_WITH_AS((void)run(layer, Var<D>(Tensor<D>(Shape{1, 4, 5, 6}, 0.0))),
                       doctest::Contains("input has 6 channels, expected 2 groups of 2"), ShapeError);
}
