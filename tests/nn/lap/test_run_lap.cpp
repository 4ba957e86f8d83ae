// A pass through a network with LAPs: the maps it leaves, the path of errors, several threads.
#include <doctest/doctest.h>

#include <thread>

#include "../helpers.hpp"
#include "limn/models/resnet.hpp"

using namespace limn;
using testing::message_of, testing::random_tensor, testing::same_bits;

namespace {

using WithLap = models::ResNetSmall<Cpu, 1, 2, pool::Lap>;

Tensor<Cpu> images() { return random_tensor<Cpu>({2, 32, 32, 1}, "images"); }

}  // namespace

TEST_CASE("the path of an error leads through parts that a block calls by itself") {
  WithLap net{Seed{1}};
  at<"layer3.0.lap.head.out">(net).weight.bind(Tensor<Cpu>(Shape{1, 7}, 0.f));
  Run<Cpu> run;
  CHECK(message_of([&] { (void)run(net, Var<Cpu>(images())); }).starts_with("linear at layer3.0.lap.head.out: input"));
}

TEST_CASE("one network in two threads gives the bits that it gives alone") {
  const WithLap net{Seed{1}};
  struct Result {
    Tensor<Cpu> logits, map, gradient;
  };
  const auto pass = [&net](const std::string& key) {
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> x = leaf(random_tensor<Cpu>({3, 32, 32, 1}, key));
    const Var<Cpu> y = run(net, x);
    return Result{y.value(), run.laps.front().logits.value(),
                  grad<Cpu>(sum(square(y)), at<"layer2.0.conv1">(net).weight).value()};
  };
  const Result alone[2] = {pass("one"), pass("two")};
  REQUIRE(!same_bits(alone[0].logits, alone[1].logits));
  for (int round = 0; round < 3; ++round) {
    Result both[2];
    std::thread other([&] { both[1] = pass("two"); });
    both[0] = pass("one");
    other.join();
    for (int i = 0; i < 2; ++i) {
      CHECK(same_bits(both[i].logits, alone[i].logits));
      CHECK(same_bits(both[i].map, alone[i].map));
      CHECK(same_bits(both[i].gradient, alone[i].gradient));
    }
  }
}

TEST_CASE("a pass leaves the maps of its LAPs, the twin scorer's in training only") {
  const WithLap net{Seed{1}};
  for (const bool training : {true, false}) {
    Run<Cpu> run;
    run.training = training;
    (void)run(net, Var<Cpu>(images()));
    REQUIRE(run.laps.size() == 4);  // the inputs of layer2, layer3, layer4, and the final pool: 32 / 4, 8, 16, 32
    const Index sizes[] = {8, 4, 2, 1};
    for (std::size_t l = 0; l < 4; ++l) {
      const Shape shape{2, sizes[l], sizes[l], 1};
      CHECK(run.laps[l].logits.shape() == shape);
      CHECK(run.laps[l].discriminative.empty() == !training);
      if (training) CHECK(run.laps[l].discriminative.shape() == shape);
      CHECK(run.laps[l].clues.side(0, 1) == 1);
    }
  }
}
