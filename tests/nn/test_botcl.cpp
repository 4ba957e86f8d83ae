// BotCL's head against torch (record_botcl.py), derivatives, batches, and behind a layer of a network.
#include "botcl.hpp"

#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/models/resnet.hpp"
#include "limn/nn/check_layer.hpp"

using namespace limn;
using testing::off, testing::message_of, testing::random_tensor, testing::recorded_botcl, testing::recorded_maps,
    testing::same_bits;
using D = CpuDouble;
using Small = models::ResNetSmall<Cpu, 1, 2>;

TEST_CASE("positions by hand") {
  // Two channels by the row and two by the column; of 1 row p = 2 pi, of 2 columns pi and 2 pi: sin p, cos p.
  const Tensor<D> at = botcl::sine_positions<D>(1, 2, 4);
  REQUIRE(at.shape() == Shape({1, 1, 2, 4}));
  CHECK(off(at, {0, 1, 0, -1, 0, 1, 0, 1}) < 1e-5);               // not to the bit: counts are count + 1e-6
  const double second = 2 * std::numbers::pi / (1 + 1e-6) / 100;  // 10,000^(2 / 4): channels 2 and 3 of four by the row
  const Tensor<D> more = botcl::sine_positions<D>(1, 1, 8);
  CHECK(more(0, 0, 0, 2) == doctest::Approx(std::sin(second)));
  CHECK(more(0, 0, 0, 7) == doctest::Approx(std::cos(second)));
}

TEST_CASE("BotCL's head agrees with torch") {
  const auto head = recorded_botcl();
  CHECK(parameters(head).size() == 13);
  Run<D> prediction;
  CHECK(off(prediction(head, Var<D>(recorded_maps())).value(), recorded::logits_in_prediction) < 1e-10);
  Run<D> run;
  run.training = true;
  run.watch<"attention">(head);
  run.watch<"features">(head);
  const Var<D> logits = run(head, Var<D>(recorded_maps()));
  CHECK(off(logits.value(), recorded::logits) < 1e-10);
  CHECK(run.watched("attention").shape() == Shape({6, 2, 3, 4}));
  CHECK(off(run.watched("attention").value(), recorded::attention) < 1e-10);
  CHECK(run.watched("features").shape() == Shape({6, 4, 8}));
  CHECK(off(run.watched("features").value(), recorded::features) < 1e-10);
}

TEST_CASE("BotCL's head, first and second order") {
  // The division by the sum of a concept's dots is steep where that is near 0: smaller steps, so that differences are
  // no worse than what they check (their error falls with the square of the step).
  for (const bool training : {true, false}) {
    const auto result = check_layer<BotCl<D, 3, 2, 3, 8>>({2, 3, 3}, training, {.step = 2e-6, .seed = Seed{3}});
    CAPTURE(result.where);
    CHECK(result.error < 1e-6);
  }
  const Differentiable features = [](const auto& in) { return std::vector{botcl::features(in[0], in[1])}; };
  const std::vector<Tensor<D>> at{random_tensor<D>({2, 2, 3, 5}, "x"), testing::wave({2, 2, 3, 4}, 1.1, .4, .5)};
  CHECK(check_gradient(features, at).error < 1e-8);
  CHECK(check_second_order(features, at).error < 1e-8);
}

TEST_CASE("a batch is classified by concepts as its pictures are alone") {
  const auto head = recorded_botcl();
  Run<D> run;
  const Tensor<D> together = run(head, Var<D>(recorded_maps())).value();
  for (Index i = 0; i < 6; ++i) {
    Run<D> alone;
    const Tensor<D> one = alone(head, Var<D>(testing::picture(recorded_maps(), i))).value();
    for (Index c = 0; c < 3; ++c) CHECK(one(0, c) == doctest::Approx(together(i, c)).epsilon(1e-12));
  }
}

TEST_CASE("BotCL: shapes, the start of the prototypes, and what is refused") {
  using Net = Sequential<Conv2d<Cpu, 1, 16, 3, 2, 1>, Relu<Cpu>, BotCl<Cpu, 16, 5, 7, 12>>;
  static_assert(shape_of<Net>(Input{32, 32, 1}) == Dims{1, 1, 5});
  BotClAttention<Cpu, 128, 2000> attention;
  initialise(attention, Seed{3});
  // Per channel the prototypes have a mean and a deviation of their own; over all channels these have mean square 1.
  double means = 0, deviations = 0;
  for (Index c = 0; c < 128; ++c) {
    double sum = 0, squares = 0;
    for (Index k = 0; k < 2000; ++k) {
      const double v = attention.concepts.value()(k, c);
      sum += v / 2000;
      squares += v * v / 2000;
    }
    means += sum * sum / 128;
    deviations += (squares - sum * sum) / 128;
  }
  CHECK(means == doctest::Approx(1).epsilon(.3));
  CHECK(deviations == doctest::Approx(1).epsilon(.3));

  const auto head = recorded_botcl();
  CHECK(message_of([&] {
          Run<D> run;
          (void)run(head, Var<D>(Tensor<D>(Shape{1, 2, 3, 4})));
        }).find("reduce.0: input has 4 channels, expected 3") != std::string::npos);
  CHECK(message_of([&] {
          Run<D> run;
          (void)run(head.attention, Var<D>(Tensor<D>(Shape{2, 8})));
        }) == "botcl: the input is (2, 8), expected (n, h, w, 8)");
  CHECK(message_of([] {
          (void)botcl::features(Var<D>(Tensor<D>(Shape{1, 2, 3, 4})), Var<D>(Tensor<D>(Shape{1, 3, 2, 4})));
        }) ==
        "botcl::features: a map (1, 2, 3, 4) and attention (1, 3, 2, 4), expected (n, h, w, d) and (n, h, w, "
        "concepts)");
}

TEST_CASE("behind a layer of a network: its output, its layers, its trained weights") {
  const Small trained{Seed{5}};
  const BotClNet<Small, "layer3", 5, 8> net{Small(trained), Seed{2}};
  static_assert(net.channels == 32 && net.out_channels == 2);
  CHECK(&at<"layer3">(net) == &net.net.layer3);
  CHECK(&at<"botcl.attention">(net) == &net.botcl.attention);
  CHECK(same_bits(net.net.conv1.weight.value(), trained.conv1.weight.value()));

  const auto images = random_tensor<Cpu>({2, 32, 32, 1}, "images");
  Run<Cpu> around, inside;
  const Var<Cpu> logits = around(net, Var<Cpu>(images));
  const std::size_t tap = inside.listen(trained.layer3);
  (void)inside(trained, Var<Cpu>(images));
  CHECK(same_bits(logits.value(), inside(net.botcl, inside.tapped(tap)).value()));

  // What stands behind the layer gets no gradient.
  Run<Cpu> run;
  run.training = true;
  const auto d = grad<Cpu>({sum(square(run(net, Var<Cpu>(images))))}, {net.net.conv1.weight, net.net.fc.weight});
  const auto largest = [](const Var<Cpu>& v) {
    float most = 0;
    for (const float x : v.value().span()) most = std::max(most, std::abs(x));
    return most;
  };
  CHECK(largest(d[0]) > 0);
  CHECK(largest(d[1]) == 0);
}
