// A ResNet whose parts are computed again in the backward pass: the same bits, everything left behind once, less
// memory.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/lap.hpp"
#include "limn/models/resnet.hpp"
#include "limn/models/weights.hpp"
#include "limn/optim/optimizer.hpp"

using namespace limn;
using testing::message_of, testing::random_tensor, testing::same_bits;

namespace {

using WithLap = models::ResNetSmall<Cpu, 1, 2, pool::Lap>;

Batch<Cpu> batch(Index size = 48) {
  Batch<Cpu> out;
  out.images = random_tensor<Cpu>({4, size, size, 1}, "images");
  out.labels = {0, 1, 1, 0};
  return out;
}

/// A loss that LAP maps of all depths take part in, twice.
Var<Cpu> loss(const Batch<Cpu>& data, const Var<Cpu>& logits, const Run<Cpu>& run) {
  const auto sum = CrossEntropy{} + LapSupervision{} + LapConcordance{};
  return sum(Step<Cpu>{data, logits, run, 1}).total;
}

template <class Net>
auto bits(const Net& net) {
  std::map<std::string, std::vector<std::byte>> out;
  for (const auto& [name, entry] : weights_of(leaves(net)).tensors) out[name] = entry.bytes;
  return out;
}

}  // namespace

TEST_CASE("trained weights, statistics and losses have the bits of training without") {
  std::map<std::string, std::vector<std::byte>> after[2];
  std::vector<float> losses[2];
  for (const bool on : {false, true}) {
    WithLap net{Seed{1}};
    auto optimizer = make_optimizer(Adam{{.lr = 1e-3}}, net);
    const Batch<Cpu> data = batch();
    for (int step = 0; step < 3; ++step) {
      Run<Cpu> run;
      run.training = true;
      run.checkpoint = on;
      const Var<Cpu> value = loss(data, run(net, Var<Cpu>(data.images)), run);
      losses[on].push_back(value.item());
      optimizer.step(grad<Cpu>({value}, optimizer.variables()), 1);
      run.commit();
    }
    CHECK(at<"layer3.0.bn1">(net).num_batches_tracked.value()(0) == 3);  // and not once more for the second pass
    after[on] = bits(net);
  }
  CHECK(losses[1] == losses[0]);
  CHECK(after[1] == after[0]);
}

TEST_CASE("what a pass leaves is the same") {
  const WithLap net{Seed{1}};
  Run<Cpu> plain, run;
  plain.training = run.training = run.checkpoint = true;
  const Var<Cpu> x = leaf(batch().images), expected = plain(net, x), found = run(net, x);
  CHECK(same_bits(found.value(), expected.value()));
  CHECK(run.checkpoint);
  CHECK(run.has_parts());
  REQUIRE(run.laps.size() == plain.laps.size());
  for (std::size_t l = 0; l < run.laps.size(); ++l) {
    CHECK(same_bits(run.laps[l].logits.value(), plain.laps[l].logits.value()));
    CHECK(same_bits(run.laps[l].discriminative.value(), plain.laps[l].discriminative.value()));
    const Shape& s = run.laps[l].logits.shape();
    CHECK(run.grid(s[1], s[2]).rows.first == plain.grid(s[1], s[2]).rows.first);
    CHECK(run.grid(s[1], s[2]).rows.step == plain.grid(s[1], s[2]).rows.step);
  }
  const auto score = [](const Run<Cpu>& r, const Var<Cpu>& y) { return sum(square(y)) + mean(r.laps[1].logits); };
  CHECK(same_bits(grad(score(run, found), x).value(), grad(score(plain, expected), x).value()));
}

TEST_CASE("a tapped pass keeps everything, and gives what it always gives") {
  const WithLap net{Seed{1}};
  Run<Cpu> plain, run;
  run.checkpoint = true;
  const auto tap = plain.tap(at<"layer3.0.conv1">(net)), same = run.tap(at<"layer3.0.conv1">(net));
  const Var<Cpu> x = batch().images, expected = plain(net, x), found = run(net, x);
  CHECK(same_bits(grad(sum(found), run.tapped(same)).value(), grad(sum(expected), plain.tapped(tap)).value()));
}

TEST_CASE("how the output depends on a map inside is not on the tape, and that is said") {
  const WithLap net{Seed{1}};
  Run<Cpu> run;
  run.training = run.checkpoint = true;
  const Var<Cpu> y = run(net, Var<Cpu>(batch().images));
  CHECK(message_of([&] { (void)grad(sum(y), run.laps[0].logits); }) ==
        "grad: input 0 was computed inside a 'checkpoint', and so was what depends on it");
}

TEST_CASE("an error in a part has its path, and the pass may go on") {
  WithLap net{Seed{1}};
  Run<Cpu> run;
  run.checkpoint = true;
  at<"layer2.0.conv1">(net).weight.bind(leaf(Tensor<Cpu>(Shape{16, 3, 3, 5}, 0.f)));
  CHECK(message_of([&] {
          (void)run(net, Var<Cpu>(batch().images));
        }).starts_with("conv2d at layer2.0.conv1: input has 8 channels, expected 5"));
  CHECK(run.checkpoint);
}

TEST_CASE("a training step of ResNet-18 needs less memory") {
  const models::ResNet18<Cpu, 1, 2> net{Seed{1}};
  const Batch<Cpu> data = batch(64);
  const auto peak = [&](bool on) {
    MemoryPool& pool = MemoryPool::instance();
    const Index before = pool.use().live;
    pool.reset_peak();
    Run<Cpu> run;
    run.training = true;
    run.checkpoint = on;
    const Var<Cpu> y = run(net, Var<Cpu>(data.images));
    std::vector<Var<Cpu>> variables;
    for (const auto& leaf : leaves(net))
      if (leaf.parameter != nullptr) variables.push_back(*leaf.parameter);
    const auto gradients = grad<Cpu>({sum(square(y))}, variables);
    Index of_parameters = 0;
    for (const auto& g : gradients) of_parameters += 4 * g.size();
    return static_cast<double>(pool.use().peak - before - of_parameters);
  };
  const double plain = peak(false), again = peak(true);
  MESSAGE("ResNet-18, batch 4, 64 x 64, beside parameters and their gradients: ", plain / 1e6, " MB, with checkpoint ",
          again / 1e6, " MB");
  CHECK(again < .8 * plain);
}
