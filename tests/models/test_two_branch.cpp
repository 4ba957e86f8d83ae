// Two branches and a fusion: torch's numbers (record_two_branch.py), sizes as published, and that it learns at full
// size.
#include <doctest/doctest.h>

#include <cstdio>

#include "../nn/helpers.hpp"
#include "limn/explain/cam/activation.hpp"
#include "limn/loss/branches.hpp"
#include "limn/models/bagnet.hpp"
#include "limn/models/two_branch.hpp"
#include "limn/optim/optimizer.hpp"
#include "recorded.hpp"

using namespace limn;
using testing::message_of;

namespace {

using Global = models::ResNet<Cpu, 1, 2, pool::Strided, 2, 1, stem::Large, models::block::Bottlenecks>;
using Local = models::BagNet<Cpu, 1, 2, 4, 2, models::Blocks{2, 1, 1, 1}>;
using Gated = models::TwoBranch<Global, Local, AttentionGate<Cpu, 64, 64, 8>, 64, 4>;

// As published: both maps have 2048 channels, 7 x 7 and 24 x 24 at 224; the gate keeps the local one's shape.
using Full =
    models::TwoBranch<models::ResNet50<Cpu, 3, 2>, models::BagNet33<Cpu, 3, 2>, AttentionGate<Cpu, 2048, 2048, 512>>;
static_assert(Full::global_map == Dims{7, 7, 2048} && Full::local_map == Dims{24, 24, 2048});
static_assert(Full::fused_map == Dims{24, 24, 2048} && Full::decided_by == 2 * 2048 + 64 * 24 * 24);
static_assert(shape_of<Full>({224, 224, 3}) == Dims{1, 1, 2} && shape_of<Full>({256, 200, 3}) == Dims{1, 1, 2});
// torchvision's resnet50 has 25,557,032 parameters, the published bagnet33 18,310,184; 2,049,000 of them are in the
// head of 1000 classes.
static_assert(parameter_count<models::ResNet50<Cpu, 3, 1000>>() == 25557032);
static_assert(parameter_count<models::BagNet33<Cpu, 3, 1000>>() == 18310184);
static_assert(parameter_count<decltype(Full::fusion)>() == 2048 * 512 + 2048 * 512 + 512 + 512 + 1);
static_assert(parameter_count<Full>() == 25557032 + 18310184 - 2 * 2049000 + 2 * 2 * 2049 +  // branches
                                             2048 * 512 + 2048 * 512 + 512 + 512 + 1 +       // gate
                                             2048 * 64 + 64 + 2 * 64 +                       // projection
                                             2 * (2 * 2048 + 64 * 24 * 24) + 2);             // decision
using Joined =
    models::TwoBranch<models::ResNet50<Cpu, 3, 2>, models::BagNet33<Cpu, 3, 2>, Concatenate<Cpu, 2048, 2048>>;
static_assert(Joined::fused_map == Dims{24, 24, 2048});
static_assert(decltype(Joined::fusion.block.conv)::in_channels == 4096);
using GlobalGated = models::TwoBranch<models::ResNet50<Cpu, 3, 2>, models::BagNet33<Cpu, 3, 2>,
                                      AttentionGate<Cpu, 2048, 2048, 512, Gating::softmax, Gates::global>>;
static_assert(GlobalGated::fused_map == Dims{7, 7, 2048});

/// Gives the picture.
struct Same {
  Identity<Cpu> same;
  static constexpr auto fields = Fields{field<"same">(&Same::same)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(same, x); }
};

/// Learning rates and weight decays of Table 1, times ten.
Sgd three_rates() {
  return {
      {.lr = .011, .momentum = .9, .weight_decay = 4.4e-4},
      {{.prefix = "global", .lr = .010, .weight_decay = 2.6e-4}, {.prefix = "local", .lr = .05, .weight_decay = 5e-4}}};
}

}  // namespace

TEST_CASE("a network of two branches gives torch's logits, attention, losses and gradients") {
  const io::TensorFile expected = testing::recorded("two_branch_expected.safetensors");
  Gated net;
  put_weights(leaves(net), testing::recorded("two_branch.safetensors"), "two_branch.safetensors");
  const Batch<Cpu> batch = testing::recorded_batch(expected);
  {
    const NoRecord off;
    Run<Cpu> run;
    const auto global = run.tap(net.global.fc), local = run.tap(net.local.fc), alpha = run.tap(net.fusion.alpha),
               map = run.tap(net.local.layer4);
    const Tensor<Cpu> logits = run(net, batch.images).value();
    testing::check_recorded(testing::in_file_order(logits), expected, "logits");
    testing::check_recorded(testing::in_file_order(run.tapped(global).value()), expected, "logits_global");
    testing::check_recorded(testing::in_file_order(run.tapped(local).value()), expected, "logits_local");
    const auto& weights = run.tapped(alpha).value();
    testing::check_recorded({weights.data(), weights.data() + weights.size()}, expected, "alpha");
    const auto& features = run.tapped(map).value();
    testing::check_recorded({features.data(), features.data() + features.size()}, expected, "map_local");
  }
  auto optimizer = make_optimizer(three_rates(), net);
  const auto losses = io::values<double>(expected.at("losses"));  // (steps, 3)
  const auto loss = branch_losses();
  int gradients_seen = 0;
  for (std::size_t step = 0; step < losses.size() / 3; ++step) {
    Run<Cpu> run;
    run.training = true;
    loss.watch(net, run);
    const Var<Cpu> logits = run(net, run.input(batch.images));
    const LossValue<Cpu> value = loss(Step<Cpu>{batch, logits, run});
    CAPTURE(step);
    for (std::size_t k = 0; k < 3; ++k)
      CHECK(value.terms[k].second == doctest::Approx(losses[3 * step + k]).epsilon(1e-4));
    const auto gradients = grad<Cpu>({value.total}, optimizer.variables());
    for (std::size_t i = 0; step == 0 && i < gradients.size(); ++i) {
      const std::string name = "gradient." + optimizer.path(i);
      if (!expected.tensors.contains(name)) continue;
      testing::check_recorded(testing::in_file_order(gradients[i].value()), expected, name);
      ++gradients_seen;
    }
    optimizer.step(gradients);
    run.commit();
  }
  CHECK(gradients_seen == 8);
  testing::check_recorded(testing::in_file_order(net.local.conv2.weight.value()), expected, "local.conv2.weight");
}

TEST_CASE("the branches are networks, and explanations can be asked of every part") {
  const Gated net{Seed{1}};
  const Tensor<Cpu> images = testing::random_tensor<Cpu>({3, 64, 64, 1}, "images");
  Run<Cpu> whole, alone;
  const auto tap = whole.tap(net.global.fc);
  (void)whole(net, Var<Cpu>(images));
  CHECK(testing::same_bits(alone(net.global, Var<Cpu>(images)).value(), whole.tapped(tap).value()));

  const std::vector<Index> classes{0, 1, 0};
  const auto attention = explain::Activation<"fusion.alpha">{}(net, images, classes);
  REQUIRE(attention.size() == 3);
  CHECK(attention[0].map.shape() == std::array<std::size_t, 2>{4, 4});
  // The map has the local branch's elements: patches of 33, the first one's middle at pixel 16, 8 apart.
  CHECK(attention[0].grid->rows.first == 16);
  CHECK(attention[0].grid->rows.step == 8);
  // The mean over the channels, and clipped.
  Run<Cpu> run;
  const auto fused = run.tap(net.fusion);
  (void)run(net, Var<Cpu>(images));
  const auto map = explain::Activation<"fusion">{}(net, images, classes)[1].map;
  double mean = 0;
  for (Index k = 0; k < 64; ++k) mean += static_cast<double>(run.tapped(fused).value()(1, 2, 3, k)) / 64;
  CHECK(static_cast<double>(map(2, 3)) == doctest::Approx(mean));
}

TEST_CASE("an activation map is clipped between ranks") {
  // 0, 1, ..., 10: a 20th off at both ends leaves .5 to 9.5.
  Tensor<Cpu> line(Shape{1, 1, 11, 1});
  for (Index i = 0; i < 11; ++i) line.data()[i] = static_cast<float>(i);
  const auto map = explain::Activation<"same">{.clip = .05}(Same{}, line, std::vector<Index>{0})[0].map;
  CHECK(map(0, 0) == doctest::Approx(.5));
  CHECK(map(0, 5) == doctest::Approx(5));
  CHECK(map(0, 10) == doctest::Approx(9.5));
  CHECK(message_of([&] { (void)explain::Activation<"same">{.clip = .5}(Same{}, line, std::vector<Index>{0}); }) ==
        "explain::Activation: clip must be at least 0 and below .5, got 0.5");
}

TEST_CASE("a picture of another size: the projected map is resized to the one that the decision reads") {
  const Gated net{Seed{1}};
  const Var<Cpu> images = testing::random_tensor<Cpu>({2, 80, 96, 1}, "images");
  Run<Cpu> run, parts;
  const auto map = run.tap(net.projection), global = run.tap(net.global.avgpool), local = run.tap(net.local.avgpool);
  const Tensor<Cpu> logits = run(net, images).value();
  CHECK(run.tapped(map).shape() == Shape{2, 6, 8, 4});
  const Var<Cpu> all =
      concat<Cpu>({flatten(run.tapped(global)), flatten(run.tapped(local)), flatten(resize(run.tapped(map), 4, 4))}, 1);
  CHECK(testing::same_bits(parts(net.fc, all).value(), logits));
}

TEST_CASE("the deep projection, element by element: batch norm, 1x1, ReLU, 1x1, batch norm") {
  models::detail::DeepProjection<Cpu, 3, 2> net;
  initialise(net, Seed{1});
  Random random(Seed{2}, "norms");
  const auto norm = [&](auto& bn) {
    for (Index k = 0; k < bn.weight.value().size(); ++k) {
      bn.weight.value().data()[k] = static_cast<float>(random.uniform(.5, 2));
      bn.bias.value().data()[k] = static_cast<float>(random.uniform(-1, 1));
      bn.running_mean.value().data()[k] = static_cast<float>(random.uniform(-1, 1));
      bn.running_var.value().data()[k] = static_cast<float>(random.uniform(.5, 2));
    }
  };
  norm(net.bn1);
  norm(net.bn2);
  for (float* offset : {net.conv1.bias.value().data(), net.conv2.bias.value().data()}) {
    offset[0] = .2f;
    offset[1] = -.1f;
  }
  const Tensor<Cpu> x = testing::random_tensor<Cpu>({2, 3, 4, 3}, "map");
  Run<Cpu> run;
  const Tensor<Cpu> found = run(net, Var<Cpu>(x)).value();

  const auto at = [](const Tensor<Cpu>& t, Index i) { return static_cast<double>(t.data()[i]); };
  const auto normed = [&](const auto& bn, Index k, double v) {
    return (v - at(bn.running_mean.value(), k)) / std::sqrt(at(bn.running_var.value(), k) + 1e-5) *
               at(bn.weight.value(), k) +
           at(bn.bias.value(), k);
  };
  for (Index place = 0; place < 2 * 3 * 4; ++place) {
    std::array<double, 2> between{}, out{};
    for (Index k = 0; k < 2; ++k) {
      double sum = at(net.conv1.bias.value(), k);
      for (Index c = 0; c < 3; ++c)
        sum += static_cast<double>(net.conv1.weight.value()(k, 0, 0, c)) * normed(net.bn1, c, at(x, 3 * place + c));
      between[static_cast<std::size_t>(k)] = std::max(0.0, sum);
    }
    for (Index k = 0; k < 2; ++k) {
      double sum = at(net.conv2.bias.value(), k);
      for (Index c = 0; c < 2; ++c)
        sum += static_cast<double>(net.conv2.weight.value()(k, 0, 0, c)) * between[static_cast<std::size_t>(c)];
      out[static_cast<std::size_t>(k)] = normed(net.bn2, k, sum);
      CHECK(at(found, 2 * place + k) == doctest::Approx(out[static_cast<std::size_t>(k)]).epsilon(1e-4));
    }
  }
}

TEST_CASE("weights of the losses that do not sum to one are refused") {
  CHECK(message_of([] { (void)branch_losses({.global = .5f, .local = .3f, .fused = .4f}); }) ==
        "branch_losses: weights must be at least 0 and sum to one, got 0.5, 0.3, 0.4");
  CHECK(message_of([] {
          (void)branch_losses({.global = -.1f, .local = .7f, .fused = .4f});
        }).starts_with("branch_losses: weights must be at least 0"));
}

TEST_CASE("dropout is for training only, in the fusion as well") {
  using Concatenated = models::TwoBranch<Global, Local, Concatenate<Cpu, 64, 64>, 64, 4, models::Projection::deep>;
  const Concatenated net{Seed{1}};
  const Var<Cpu> images = testing::random_tensor<Cpu>({2, 64, 64, 1}, "images");
  const auto answer = [&](bool training, Seed seed) {
    Run<Cpu> run;
    run.training = training;
    run.seed = seed;
    return run(net, images).value();
  };
  CHECK(testing::same_bits(answer(true, Seed{1}), answer(true, Seed{1})));
  CHECK(!testing::same_bits(answer(true, Seed{1}), answer(true, Seed{2})));
  CHECK(testing::same_bits(answer(false, Seed{1}), answer(false, Seed{2})));
}

TEST_CASE("ResNet-50, BagNet-33 and an attention gate learn pictures of 224 x 224") {
  Full net{Seed{1}};
  CHECK(parameter_count(net) == parameter_count<Full>());
  Batch<Cpu> batch;
  batch.images = testing::random_tensor<Cpu>({2, 224, 224, 3}, "images");
  batch.labels = {0, 1};
  auto optimizer = make_optimizer(Sgd{{.lr = 1e-3, .momentum = .9}}, net);
  const auto loss = branch_losses();
  std::vector<float> losses;
  for (int step = 0; step < 3; ++step) {
    Run<Cpu> run;
    run.training = true;
    loss.watch(net, run);
    const Var<Cpu> logits = run(net, run.input(batch.images));
    const Var<Cpu> value = loss(Step<Cpu>{batch, logits, run}).total;
    losses.push_back(value.item());
    optimizer.step(grad<Cpu>({value}, optimizer.variables()));
    run.commit();
  }
  CAPTURE(losses[0]);
  CAPTURE(losses[2]);
  CHECK(losses[2] < losses[0]);
}
