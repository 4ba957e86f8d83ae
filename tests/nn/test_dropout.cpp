// Dropout: what is dropped, what it depends on, and that nothing happens outside training.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/nn/check_layer.hpp"
#include "limn/nn/dropout.hpp"
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"

using namespace limn;
using testing::message_of, testing::random_tensor, testing::same_bits;

namespace {

Tensor<Cpu> dropped(const Dropout<Cpu>& layer, const Tensor<Cpu>& x, Seed seed, bool training = true) {
  Run<Cpu> run;
  run.training = training;
  run.seed = seed;
  return run(layer, Var<Cpu>(x)).value();
}

}  // namespace

TEST_CASE("in training a share of the numbers is 0 and the others keep the mean") {
  const Tensor<Cpu> ones(Shape{100, 1000}, 1.f);
  for (const double rate : {.1, .25, .5, .9}) {
    const Tensor<Cpu> y = dropped({rate}, ones, Seed{1});
    Index zeros = 0;
    for (const float v : y.span()) {
      if (v == 0) {
        ++zeros;
      } else {
        REQUIRE(v == doctest::Approx(1 / (1 - rate)));
      }
    }
    // 100,000 draws: five standard deviations are at most .008.
    CHECK(std::abs(static_cast<double>(zeros) / 1e5 - rate) < .008);
  }
}

TEST_CASE("the same seed drops the same, another one other numbers, and so does the next layer") {
  const Tensor<Cpu> x = random_tensor<Cpu>({4, 5, 5, 3}, "x");
  CHECK(same_bits(dropped({}, x, Seed{1}), dropped({}, x, Seed{1})));
  CHECK(!same_bits(dropped({}, x, Seed{1}), dropped({}, x, Seed{2})));
  Run<Cpu> run;
  run.training = true;
  const Dropout<Cpu> one, two;
  CHECK(!same_bits(run(one, Var<Cpu>(x)).value(), run(two, Var<Cpu>(x)).value()));
}

TEST_CASE("outside training, and with a rate of 0, nothing happens") {
  const Tensor<Cpu> x = random_tensor<Cpu>({4, 5, 5, 3}, "x");
  CHECK(same_bits(dropped({}, x, Seed{1}, false), x));
  CHECK(same_bits(dropped({0}, x, Seed{1}), x));
}

TEST_CASE("a pass outside training can drop too, and batch norm does not notice") {
  using Net = Sequential<BatchNorm2d<Cpu, 3>, Dropout<Cpu>>;
  Net net;
  initialise(net, Seed{1});
  const Tensor<Cpu> x = random_tensor<Cpu>({4, 5, 5, 3}, "x");
  const auto answer = [&](bool dropping, Seed seed) {
    Run<Cpu> run;
    run.dropping = dropping;
    run.seed = seed;
    const Tensor<Cpu> y = run(net, Var<Cpu>(x)).value();
    CHECK(run.drew() == dropping);
    return y;
  };
  const Tensor<Cpu> whole = answer(false, Seed{1}), some = answer(true, Seed{1});
  for (Index i = 0; i < x.size(); ++i)
    CHECK((some.data()[i] == 0 || some.data()[i] == doctest::Approx(2 * whole.data()[i])));
  CHECK(same_bits(some, answer(true, Seed{1})));
  CHECK(!same_bits(some, answer(true, Seed{2})));
}

TEST_CASE("gradients") { CHECK(check_layer<Dropout<CpuDouble>>({5, 4, 3}).error < 1e-8); }

TEST_CASE("a part that is computed again drops the same") {
  using Net = Sequential<Sequential<Linear<Cpu, 3, 8>, Dropout<Cpu>>, Sequential<Linear<Cpu, 8, 8>, Dropout<Cpu>>,
                         Linear<Cpu, 8, 2>>;
  Net net;
  initialise(net, Seed{1});
  const Tensor<Cpu> x = random_tensor<Cpu>({6, 3}, "x");
  Tensor<Cpu> gradient[2];
  for (const bool again : {false, true}) {
    Run<Cpu> run;
    run.training = true;
    run.checkpoint = again;
    run.seed = {5};
    const Var<Cpu> in = leaf(x);
    gradient[again] = grad(sum(square(run(net, in))), in).value();
    CHECK(run.has_parts());
  }
  CHECK(same_bits(gradient[1], gradient[0]));
}

TEST_CASE("a rate that is none is refused") {
  const Tensor<Cpu> x(Shape{2, 2}, 1.f);
  CHECK(message_of([&] { (void)dropped({1}, x, Seed{1}); }) == "dropout: rate must be at least 0 and below 1, got 1");
  CHECK(message_of([&] { (void)dropped({-.1}, x, Seed{1}); }).starts_with("dropout: rate must be"));
}
