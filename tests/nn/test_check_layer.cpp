// check_layer on every ordinary layer, on a user's layer, and on one that is wrong.
#include <doctest/doctest.h>

#include "limn/nn/check_layer.hpp"
#include "limn/nn/sequential.hpp"
#include "squeeze_excite.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

template <class L>
void passes(Dims input = {5, 4, std::max(1, detail::in_channels_of<L>())}, bool training = true) {
  const auto result = check_layer<L>(input, training);
  CAPTURE(result.where);
  CHECK(result.error < 1e-6);
}

struct Square {
  template <class T>
  LIMN_HD T operator()(T x) const {
    return x * x;
  }
};

/// x^2 with a derivative that is `Factor` x: right for 2.
template <Backend B, int Factor>
struct SquareLayer {
  static constexpr int in_channels = 2, out_channels = 2;
  Linear<B, 2, 2> linear;
  static constexpr auto fields = Fields{field<"linear">(&SquareLayer::linear)};
  Var<B> operator()(const Var<B>& x, auto& run) const {
    return map(Square{}, run(linear, x), [](const Var<B>& v) { return v * typename B::scalar(Factor); });
  }
};

/// x^2 with a derivative that is right but recorded as a constant: only the second order is wrong.
template <Backend B>
struct Forgetful {
  static constexpr int in_channels = 2, out_channels = 2;
  Linear<B, 2, 2> linear;
  static constexpr auto fields = Fields{field<"linear">(&Forgetful::linear)};
  Var<B> operator()(const Var<B>& x, auto& run) const {
    return map(Square{}, run(linear, x), [](const Var<B>& v) { return (v * typename B::scalar(2)).detach(); });
  }
};

}  // namespace

TEST_CASE("linear and convolution") {
  passes<Linear<D, 3, 4>>();
  passes<Linear<D, 3, 4, false>>();
  passes<Conv2d<D, 2, 3, 3, 2, 1>>();
  passes<Conv2d<D, 2, 3, 2, 1, 0, false>>();
}

TEST_CASE("batch norm by the batch and by the running statistics") {
  passes<BatchNorm2d<D, 3>>();
  passes<BatchNorm2d<D, 3>>({5, 4, 3}, false);
}

TEST_CASE("layers without parameters") {
  passes<Relu<D>>();
  passes<MaxPool2d<D, 3, 2, 1>>({5, 4, 2});
  passes<GlobalAverage<D>>({5, 4, 2});
  passes<Flatten<D>>({5, 4, 2});
}

TEST_CASE("layers one after the other") {
  passes<Sequential<Conv2d<D, 2, 3, 3>, BatchNorm2d<D, 3>, Relu<D>, Flatten<D>, Linear<D, 3 * 2 * 3, 2>>>();
}

TEST_CASE("a user's layer") {
  passes<testing::SqueezeExcite<D, 16>>();
  passes<testing::SqueezeExcite<D, 8, 2>>();
  passes<SquareLayer<D, 2>>();
}

TEST_CASE("a wrong layer is found, and named") {
  const auto wrong = check_layer<SquareLayer<D, 3>>();
  CHECK(wrong.error > 0.1);
  CHECK(wrong.where.find("(inputs: 0 = input, 1 = linear.weight, 2 = linear.bias)") != std::string::npos);
  const auto second = check_layer<Forgetful<D>>();
  CHECK(second.error > 0.1);
  CHECK(second.where.starts_with("second order, "));
}
