// The running statistics of batch norm, against torch's definition worked out by hand.
#include <doctest/doctest.h>

#include <algorithm>

#include "helpers.hpp"
#include "limn/nn/layers.hpp"

using namespace limn;
using testing::random_tensor;

TEST_CASE("batch norm keeps torch's running statistics, once the pass is committed") {
  BatchNorm2d<CpuDouble, 2> norm;
  initialise(norm, Seed{});
  // Channel 0: 1, 2, 3, 6: mean 3, squared deviations 4 + 1 + 0 + 9 = 14, unbiased variance 14 / 3. Channel 1: 0, 0, 0,
  // 4: mean 1, 1 + 1 + 1 + 9 = 12, 12 / 3 = 4. momentum 0.1, from mean 0 and variance 1.
  const Tensor<CpuDouble> x(Shape{2, 2, 1, 2}, {1, 0, 2, 0, 3, 0, 6, 4});
  for (const bool recorded : {true, false}) {
    auto copy = norm;
    Run<CpuDouble> run;
    run.training = true;
    Var<CpuDouble> y;
    if (recorded) {
      y = run(copy, Var<CpuDouble>(x));
    } else {
      const NoRecord no_record;
      y = run(copy, Var<CpuDouble>(x));
    }
    // normalised by the biased variance, 14 / 4
    CHECK(y.value()(0, 0, 0, 0) == doctest::Approx((1 - 3) / std::sqrt(3.5 + 1e-5)));
    CHECK(copy.running_mean.value()(0) == 0);
    CHECK(copy.num_batches_tracked.value().item() == 0);
    run.commit();
    CHECK(copy.running_mean.value()(0) == doctest::Approx(0.3));
    CHECK(copy.running_mean.value()(1) == doctest::Approx(0.1));
    CHECK(copy.running_var.value()(0) == doctest::Approx(0.9 + 0.1 * 14 / 3));
    CHECK(copy.running_var.value()(1) == doctest::Approx(0.9 + 0.1 * 4));
    CHECK(copy.num_batches_tracked.value().item() == 1);
    run.commit();  // nothing is committed twice
    CHECK(copy.running_mean.value()(0) == doctest::Approx(0.3));
    CHECK(copy.num_batches_tracked.value().item() == 1);
  }
  // In evaluation the running statistics normalise, and stay as they are.
  Run<CpuDouble> run;
  norm.running_mean.value()(0) = 2;
  norm.running_var.value()(0) = 4;
  CHECK(run(norm, Var<CpuDouble>(x)).value()(1, 1, 0, 0) == doctest::Approx((6 - 2) / std::sqrt(4 + 1e-5)));
  run.commit();
  CHECK(norm.running_mean.value()(0) == 2);
  CHECK(norm.num_batches_tracked.value().item() == 0);
}

TEST_CASE("reading the running statistics does not change the gradient of the batch") {
  // Against torch: normalise by hand with the biased variance, d y_j / d x_i from the composed operations.
  using D = CpuDouble;
  BatchNorm2d<D, 2> norm;
  initialise(norm, Seed{});
  const Var<D> x = leaf(random_tensor<D>({2, 2, 3, 2}, "x"));
  const Tensor<D> up = random_tensor<D>({2, 2, 3, 2}, "up");
  Run<D> run;
  run.training = true;
  const Var<D> y = run(norm, x);
  run.commit();
  const Tensor<D> found = grad<D>(y, x, {.upstream = {up}}).value();
  const Var<D> centred = x - mean(x, {0, 1, 2});
  const Var<D> expected = centred * pow(mean(square(centred), {0, 1, 2}) + 1e-5, -0.5);
  CHECK(testing::difference(y.value(), expected.value()) < 1e-12);
  CHECK(testing::difference(found, grad<D>(expected, x, {.upstream = {up}}).value()) < 1e-12);
}

TEST_CASE("a convolution, its batch norm and a ReLU give together what they give one by one") {
  Conv2d<Cpu, 3, 16, 3, 1, 1, false> conv;
  BatchNorm2d<Cpu, 16> norm;
  initialise(conv, Seed{1});
  initialise(norm, Seed{2});
  for (Index k = 0; k < 16; ++k) {
    const float at = static_cast<float>(k);
    norm.weight.value().data()[k] = .5f + .1f * at;
    norm.bias.value().data()[k] = .3f - .05f * at;
    norm.running_mean.value().data()[k] = .02f * at;
    norm.running_var.value().data()[k] = .5f + .01f * at;
  }
  const Var<Cpu> x = random_tensor<Cpu>({4, 14, 14, 3}, "x"), add = random_tensor<Cpu>({4, 14, 14, 16}, "add");
  const auto apart = [&](Run<Cpu>& run, const Var<Cpu>& more) {
    const Var<Cpu> y = run(norm, run(conv, x));
    return relu(more.empty() ? y : y + more).value();
  };
  for (const bool training : {false, true})
    for (const Var<Cpu>& more : {Var<Cpu>(), add}) {
      const NoRecord no_record;
      Run<Cpu> one, other, tapped;
      one.training = other.training = tapped.training = training;
      const Tensor<Cpu> expected = apart(one, more), got = conv_norm_relu(conv, norm, x, other, more).value();
      for (Index i = 0; i < got.size(); ++i) CHECK(got.data()[i] == doctest::Approx(expected.data()[i]).epsilon(1e-5));
      PackedWeights<Cpu> packed;
      for (int pass = 0; pass < 2; ++pass) {
        Run<Cpu> again;
        again.training = training;
        again.packed = &packed;
        const Tensor<Cpu> y = conv_norm_relu(conv, norm, x, again, more).value();
        CHECK(std::equal(y.data(), y.data() + y.size(), got.data()));
      }
      // Who looks between sees what is there.
      const std::size_t tap = tapped.tap(norm);
      (void)conv_norm_relu(conv, norm, x, tapped, more);
      CHECK(*std::min_element(tapped.tapped(tap).value().data(),
                              tapped.tapped(tap).value().data() + tapped.tapped(tap).size()) < 0);
    }
}

TEST_CASE("a batch norm with its ReLU is seen by rules as the operations that it stands for") {
  const Var<Cpu> x = leaf(random_tensor<Cpu>({4, 3, 3, 2}, "x")), one = Tensor<Cpu>(Shape{2}, 1.f);
  const RecordForRules record;
  int met = 0;
  Rules<Cpu> rules;
  rules.on("relu", [&](const Operation<Cpu>& operation, const Var<Cpu>& g) {
    ++met;
    return operation.derivative(g);
  });
  (void)grad<Cpu>({sum(batch_norm_relu(x, one, one).y)}, {x}, {.rules = &rules});
  CHECK(met == 1);
}

TEST_CASE("a rule can read the gradient that it passed to a derivative") {
  const Var<Cpu> x = leaf(random_tensor<Cpu>({4, 3, 3, 2}, "x")), one = Tensor<Cpu>(Shape{2}, 1.f);
  const RecordForRules record;
  int met = 0;
  Rules<Cpu> rules;
  rules.on("batch_norm", [&](const Operation<Cpu>& operation, const Var<Cpu>& g) {
    const Tensor<Cpu> before = g.value().clone();
    auto out = operation.derivative(g);
    ++met;
    CHECK(std::equal(before.data(), before.data() + before.size(), g.value().data()));
    return out;
  });
  const Var<Cpu> y = square(batch_norm(x, one, one).y);
  (void)grad<Cpu>({sum(y)}, {x}, {.rules = &rules});
  CHECK(met == 1);
}

TEST_CASE("frozen, batch norm is in training what it is otherwise, and its statistics stay") {
  using D = CpuDouble;
  Conv2d<D, 2, 3, 3, 1, 1, false> conv;
  BatchNorm2d<D, 3> bn;
  initialise(conv, Seed{1});
  bn.running_mean.value() = random_tensor<D>({3}, "mean");
  bn.running_var.value() = Tensor<D>(Shape{3}, {.5, 2, 3});
  bn.weight.value() = random_tensor<D>({3}, "weight");
  const Var<D> x = leaf(random_tensor<D>({2, 4, 4, 2}, "x"));
  const auto pass = [&](bool training, bool fused) {
    Run<D> run;
    run.training = training;
    const Var<D> y = fused ? conv_norm_relu(conv, bn, x, run) : run(bn, run(conv, x));
    const Tensor<D> gradient = grad(sum(square(y)), x).value();
    run.commit();
    return std::pair{y.value(), gradient};
  };
  const Tensor<D> mean = bn.running_mean.value().clone();
  for (const bool fused : {false, true}) {
    const auto expected = pass(false, fused);
    bn.weight.set_trainable(false);
    bn.bias.set_trainable(false);
    const auto frozen = pass(true, fused);
    CHECK(testing::same_bits(frozen.first, expected.first));
    CHECK(testing::same_bits(frozen.second, expected.second));
    CHECK(testing::same_bits(bn.running_mean.value(), mean));
    CHECK(bn.num_batches_tracked.value().item() == 0);
    bn.bias.set_trainable(true);  // half frozen is not frozen
    CHECK(!testing::same_bits(pass(true, fused).first, expected.first));
    CHECK(!testing::same_bits(bn.running_mean.value(), mean));
    bn.running_mean.value() = mean.clone();
    bn.num_batches_tracked.value().fill(0);
    bn.weight.set_trainable(true);
    bn.running_var.value() = Tensor<D>(Shape{3}, {.5, 2, 3});
  }
}
