// What a network owns: leaves and their paths, copies, initial values, addresses, frozen parameters.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/nn/address.hpp"
#include "limn/nn/botcl.hpp"
#include "limn/nn/lap.hpp"
#include "limn/nn/sequential.hpp"
#include "limn/nn/signal.hpp"
#include "limn/nn/volume.hpp"
#include "squeeze_excite.hpp"

using namespace limn;
using testing::same_bits, testing::random_tensor;

namespace {

/// Two convolutions of one kind, so that only their paths tell them apart.
struct Pair {
  Conv2d<Cpu, 2, 3, 3> a, b;
  static constexpr auto fields = Fields{field<"a">(&Pair::a), field<"b">(&Pair::b)};
};
/// The same two after another layer and in the other order.
struct Longer {
  Linear<Cpu, 5, 5> first;
  Conv2d<Cpu, 2, 3, 3> b, a;
  static constexpr auto fields = Fields{field<"first">(&Longer::first), field<"b">(&Longer::b), field<"a">(&Longer::a)};
};
struct Outer {
  Pair pair;
  Sequential<Conv2d<Cpu, 3, 4, 1, 1, 0, false>, BatchNorm2d<Cpu, 4>, Relu<Cpu>> tail;
  static constexpr auto fields = Fields{field<"pair">(&Outer::pair), field<"tail">(&Outer::tail)};
};

std::string paths(const auto& layer) {
  std::string out;
  for (const auto& leaf : leaves(layer))
    out += leaf.path + (leaf.parameter ? " p" : "") + (leaf.buffer ? " b" : "") + (leaf.counter ? " c" : "") + "\n";
  return out;
}

Outer outer;  // of static storage, so that its parts have constant addresses

}  // namespace

TEST_CASE("leaves are listed in order, with the path from outside to inside") {
  CHECK(paths(outer) ==
        "pair.a.weight p\npair.a.bias p\npair.b.weight p\npair.b.bias p\n"
        "tail.0.weight p\ntail.1.weight p\ntail.1.bias p\n"
        "tail.1.running_mean b\ntail.1.running_var b\ntail.1.num_batches_tracked c\n");
  const auto all = leaves(outer);
  CHECK(all[4].parameter == &at<"0">(outer.tail).weight);
  CHECK(all[8].buffer == &at<"1">(outer.tail).running_var);
  // 2 convolutions of 3 x (3 x 3 x 2) + 3, then 4 x 3, then 2 x 4
  CHECK(parameter_count(outer) == 2 * (54 + 3) + 12 + 8);
  CHECK(parameters(outer).size() == 7);
  CHECK(parameters(outer)[2].path == "pair.b.weight");
}

TEST_CASE("a layer of a user lists its leaves like any other") {
  const testing::SqueezeExcite<Cpu, 32> layer;
  CHECK(paths(layer) == "squeeze.weight p\nsqueeze.bias p\nexcite.weight p\nexcite.bias p\n");
  CHECK(parameter_count(layer) == 32 * 2 + 2 + 2 * 32 + 32);
  static_assert(parameter_count<testing::SqueezeExcite<Cpu, 32>>() == 32 * 2 + 2 + 2 * 32 + 32);
}

TEST_CASE_TEMPLATE("the compiler counts the parameters that there are", L, Outer, Linear<Cpu, 3, 5>,
                   Linear<Cpu, 3, 5, false>, Conv2d<Cpu, 4, 6, 3, 2, 1>, Conv2d<Cpu, 4, 6, 3, 1, 1, false, 2>,
                   Conv1d<Cpu, 2, 3, 5>, Conv1d<Cpu, 2, 3, 5, 1, 0, false>, Conv3d<Cpu, 2, 3, 3>, BatchNorm2d<Cpu, 7>,
                   LapPool<Cpu, 4, lap::binary(), 3>, LapPool<Cpu, 4, lap::binary(), 3, 1, 0, lap::Aggregate::learned>,
                   BotClAttention<Cpu, 8, 3>) {
  static_assert(parameter_count<L>() > 0);
  CHECK(parameter_count<L>() == parameter_count(L{}));
}

TEST_CASE("an address is the member itself, and the compiler knows it") {
  CHECK(&at<"pair.b">(outer) == &outer.pair.b);
  CHECK(&at<"tail.1">(outer) == &at<"1">(outer.tail));
  CHECK(at<"tail.1.running_mean">(outer).value().data() == leaves(outer)[7].buffer->value().data());
  static_assert(std::is_same_v<decltype(at<"1">(outer.tail)), BatchNorm2d<Cpu, 4>&>);
  const Outer& constant = outer;
  static_assert(std::is_same_v<decltype(at<"pair">(constant)), const Pair&>);
  static_assert(&at<"pair.a.weight">(outer) == &outer.pair.a.weight);
  static_assert(has_field<Outer, "tail">);
  static_assert(!has_field<Outer, "tai">);
  static_assert(!has_field<Outer, "">);
  static_assert(has_field<decltype(Outer::tail), "2">);
  static_assert(!has_field<decltype(Outer::tail), "3">);
  static_assert(!has_field<decltype(Outer::tail), "1x">);
}

TEST_CASE("copies of a layer are independent") {
  Outer one;
  initialise(one, Seed{1});
  const Outer before = one;
  Outer copy = one, assigned;
  assigned = one;
  CHECK(same_bits(copy.pair.a.weight.value(), one.pair.a.weight.value()));
  for (Outer* other : {&copy, &assigned}) {
    for (auto& leaf : leaves(*other)) {
      if (leaf.parameter) leaf.parameter->value().fill(5);
      if (leaf.buffer) leaf.buffer->value().fill(5);
      if (leaf.counter) leaf.counter->value().fill(5);
    }
    const auto kept = leaves(one), expected = leaves(before), changed = leaves(*other);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (kept[i].parameter) CHECK(same_bits(kept[i].parameter->value(), expected[i].parameter->value()));
      if (kept[i].buffer) CHECK(same_bits(kept[i].buffer->value(), expected[i].buffer->value()));
      if (kept[i].counter) CHECK(same_bits(kept[i].counter->value(), expected[i].counter->value()));
      // and gradients are asked for one of them only
      if (kept[i].parameter) CHECK(kept[i].parameter->node() != changed[i].parameter->node());
    }
  }
}

TEST_CASE("initial values depend on the seed and the path only") {
  Pair pair, again, other_seed;
  Longer longer;
  initialise(pair, Seed{3});
  initialise(again, Seed{3});
  initialise(other_seed, Seed{4});
  initialise(longer, Seed{3});
  CHECK(same_bits(pair.a.weight.value(), again.a.weight.value()));
  CHECK(!same_bits(pair.a.weight.value(), pair.b.weight.value()));
  CHECK(!same_bits(pair.a.weight.value(), other_seed.a.weight.value()));
  CHECK(same_bits(pair.a.weight.value(), longer.a.weight.value()));
  CHECK(same_bits(pair.b.weight.value(), longer.b.weight.value()));
  Outer nested;
  initialise(nested, Seed{3});  // the path there is pair.a
  CHECK(!same_bits(pair.a.weight.value(), nested.pair.a.weight.value()));
}

TEST_CASE("initial values have torchvision's distribution") {
  // Convolution: normal, variance 2 / (out * kernel^2) = 2 / (40 * 9); 21,600 draws: the variance is known to 3 percent
  // (3 standard errors: 3 sqrt(2 / 21600) = 0.029), the mean to 3 sqrt(0.00556 / 21600) = 0.0015.
  Conv2d<Cpu, 60, 40, 3> conv;
  initialise(conv, Seed{2});
  double mean = 0, square = 0;
  for (const float v : conv.weight.value().span()) mean += v, square += v * v;
  const double n = static_cast<double>(conv.weight.size());
  CHECK(std::abs(mean / n) < 0.0015);
  CHECK(square / n == doctest::Approx(2. / 360).epsilon(0.029));
  for (const float v : conv.bias.value().span()) CHECK(v == 0);

  // Linear: uniform in +-1 / sqrt(in) = +-0.1, so the variance is 0.01 / 3.
  Linear<Cpu, 100, 200> linear;
  initialise(linear, Seed{2});
  square = 0;
  float largest = 0;
  for (const float v : linear.weight.value().span()) {
    largest = std::max(largest, std::abs(v));
    square += v * v;
  }
  CHECK(largest <= 0.1f);
  CHECK(square / 20000 == doctest::Approx(0.01 / 3).epsilon(0.02));
  for (const float v : linear.bias.value().span()) CHECK((v != 0 && std::abs(v) <= 0.1f));

  BatchNorm2d<Cpu, 3> norm;
  initialise(norm, Seed{2});
  for (Index c = 0; c < 3; ++c) {
    CHECK(norm.weight.value()(c) == 1);
    CHECK(norm.bias.value()(c) == 0);
    CHECK(norm.running_mean.value()(c) == 0);
    CHECK(norm.running_var.value()(c) == 1);
  }
}

TEST_CASE("a frozen parameter is a constant: nothing is recorded for it") {
  Conv2d<Cpu, 2, 3, 3> conv;
  initialise(conv, Seed{1});
  const Var<Cpu> x = random_tensor<Cpu>({1, 4, 4, 2}, "x");
  Run<Cpu> run;
  CHECK(run(conv, x).requires_grad());
  conv.weight.set_trainable(false);
  CHECK(!conv.weight.trainable());
  const auto half = run(conv, x);
  CHECK(half.requires_grad());  // the bias is not frozen
  CHECK(testing::message_of([&] {
          (void)grad<Cpu>({sum(half)}, {conv.weight});
        }).starts_with("grad: input 0 is a constant"));
  conv.bias.set_trainable(false);
  CHECK(!run(conv, x).requires_grad());
  CHECK(run(conv, leaf(x.value())).requires_grad());  // gradients still pass through

  const auto copy = conv;
  CHECK(!copy.weight.trainable());
  const Tensor<Cpu> kept = conv.weight.value().clone();
  conv.weight.set_trainable(true);
  CHECK(conv.weight.trainable());
  CHECK(same_bits(conv.weight.value(), kept));
}
