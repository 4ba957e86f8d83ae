// Two maps become one: by hand, against torch (recorded), gradients of both orders, and what is refused.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/nn/check_layer.hpp"
#include "limn/nn/fusion.hpp"
#include "recorded/recorded_fusion.hpp"

using namespace limn;
using D = CpuDouble;
using testing::message_of;

namespace {

Tensor<D> wave(const Shape& shape, double speed, double size) {
  Tensor<D> out(shape);
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = size * std::sin(speed * static_cast<double>(i) + .5);
  return out;
}

template <class Conv>
void set(Conv& conv, double speed) {
  conv.weight.value() = wave(conv.weight.shape(), speed, .9);
  if (conv.bias.size() > 0) conv.bias.value() = wave(conv.bias.shape(), speed, .4);
}

const Tensor<D>& local_map() {
  static const Tensor<D> map = wave({2, 5, 4, 6}, .7, 1.3);
  return map;
}
const Tensor<D>& global_map() {
  static const Tensor<D> map = wave({2, 2, 3, 6}, 1.9, 1.1);
  return map;
}

void check_recorded(const Tensor<D>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == static_cast<Index>(expected.size()));
  for (Index i = 0; i < found.size(); ++i)
    REQUIRE(found.data()[i] == doctest::Approx(expected[static_cast<std::size_t>(i)]).epsilon(1e-9));
}

template <Gating How, Gates Of>
void check_gate(const std::vector<double>& alpha, const std::vector<double>& result) {
  AttentionGate<D, 6, 6, 4, How, Of> gate;
  set(gate.weight_x, 2.3), set(gate.weight_g, 3.1), set(gate.psi, 1.3);
  Run<D> run;
  const auto tap = run.tap(gate.alpha);
  check_recorded(run(gate, Var<D>(local_map()), Var<D>(global_map())).value(), result);
  check_recorded(run.tapped(tap).value(), alpha);
}

/// A fusion as a layer of one input: the last channels, at half the size, are the global map.
template <class Fusion>
struct OfOne {
  static constexpr int in_channels = Fusion::local_channels + Fusion::global_channels;
  static constexpr int out_channels = Fusion::out_channels;
  Fusion fusion;
  static constexpr auto fields = Fields{field<"fusion">(&OfOne::fusion)};

  Var<D> operator()(const Var<D>& x, auto& run) const {
    const Var<D> g = slice(x, 3, Fusion::local_channels, Fusion::global_channels);
    return run(fusion, slice(x, 3, 0, Fusion::local_channels), avg_pool2d(g, Window::square(2, 2, 0)));
  }
};

template <class Fusion>
void passes() {
  const auto result = check_layer<OfOne<Fusion>>({6, 4, OfOne<Fusion>::in_channels}, true, {.most = 24});
  CAPTURE(result.where);
  CHECK(result.error < 1e-6);
}

}  // namespace

TEST_CASE("an attention gate by hand") {
  // Two positions, one channel: x = (1, -2), g = 3 everywhere. With Wx = 2, Wg = -1, b = 4, psi = 3, b_psi = -1:
  // q = 3 relu(2x - g + 4) - 1 = 3 relu(3) - 1 = 8 and 3 relu(-3) - 1 = -1.
  const auto with = [](auto gate) {
    gate.weight_x.weight.value().fill(2);
    gate.weight_g.weight.value().fill(-1);
    gate.weight_g.bias.value().fill(4);
    gate.psi.weight.value().fill(3);
    gate.psi.bias.value().fill(-1);
    Tensor<D> x(Shape{1, 1, 2, 1});
    x.data()[0] = 1, x.data()[1] = -2;
    Run<D> run;
    return run(gate, Var<D>(x), Var<D>(Tensor<D>(Shape{1, 1, 1, 1}, 3.))).value();
  };
  const Tensor<D> sigmoid = with(AttentionGate<D, 1, 1, 1>{});
  CHECK(sigmoid.data()[0] == doctest::Approx(1 / (1 + std::exp(-8.))));
  CHECK(sigmoid.data()[1] == doctest::Approx(-2 / (1 + std::exp(1.))));
  const Tensor<D> softmax = with(AttentionGate<D, 1, 1, 1, Gating::softmax>{});
  CHECK(softmax.data()[0] == doctest::Approx(1 / (1 + std::exp(-9.))));
  CHECK(softmax.data()[1] == doctest::Approx(-2 / (1 + std::exp(9.))));
}

TEST_CASE("an attention gate as torch computes it, in its four forms") {
  namespace r = recorded::fusion;
  check_gate<Gating::sigmoid, Gates::local>(r::alpha_sigmoid_local, r::gate_sigmoid_local);
  check_gate<Gating::softmax, Gates::local>(r::alpha_softmax_local, r::gate_softmax_local);
  check_gate<Gating::sigmoid, Gates::global>(r::alpha_sigmoid_global, r::gate_sigmoid_global);
  check_gate<Gating::softmax, Gates::global>(r::alpha_softmax_global, r::gate_softmax_global);
}

TEST_CASE("concatenation and multiplication as torch computes them") {
  Run<D> run;
  Concatenate<D, 6, 6> concatenate;
  set(concatenate.block.conv, 2.9);
  check_recorded(run(concatenate, Var<D>(local_map()), Var<D>(global_map())).value(), recorded::fusion::concatenate);
  Multiply<D, 6> multiply;
  set(multiply.block.conv, 2.9);
  check_recorded(run(multiply, Var<D>(local_map()), Var<D>(global_map())).value(), recorded::fusion::multiply);
}

TEST_CASE("gradients of first and second order") {
  passes<AttentionGate<D, 3, 2, 4>>();
  passes<AttentionGate<D, 3, 2, 4, Gating::softmax>>();
  passes<AttentionGate<D, 3, 2, 4, Gating::sigmoid, Gates::global>>();
  passes<AttentionGate<D, 3, 2, 4, Gating::softmax, Gates::global>>();
  passes<Concatenate<D, 3, 2>>();
  passes<Multiply<D, 3>>();
  CHECK(check_layer<SpatialSoftmax<D>>({4, 3, 2}).error < 1e-7);
  CHECK(check_layer<Sigmoid<D>>({4, 3, 2}).error < 1e-7);
}

TEST_CASE("attention weights of softmax sum to one over the positions of a map") {
  Run<D> run;
  const Tensor<D> y = run(SpatialSoftmax<D>{}, Var<D>(local_map())).value();
  for (Index n = 0; n < 2; ++n)
    for (Index c = 0; c < 6; ++c) {
      double total = 0;
      for (Index i = 0; i < 20; ++i) total += y.data()[(n * 20 + i) * 6 + c];
      CHECK(total == doctest::Approx(1));
    }
}

TEST_CASE("a map of another number of channels is refused, with the path") {
  AttentionGate<D, 6, 4, 4> gate;
  Run<D> run;
  CHECK(message_of([&] {
          (void)run(gate, Var<D>(local_map()), Var<D>(global_map()));
        }).starts_with("conv2d at weight_g: input has 6 channels, expected 4"));
  CHECK(message_of([&] {
          (void)run(SpatialSoftmax<D>{}, Var<D>(Tensor<D>(Shape{2, 3}, 0.)));
        }).starts_with("spatial softmax: expected (n, h, w, c), got (2, 3)"));
}
