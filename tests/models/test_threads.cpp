// Training steps with any number of threads, and several at once: the same bits.
#include <doctest/doctest.h>

#include <map>
#include <thread>

#include "../nn/helpers.hpp"
#include "limn/models/resnet.hpp"
#include "limn/models/weights.hpp"
#include "limn/optim/optimizer.hpp"

using namespace limn;
using testing::random_tensor;

namespace {

using Net = models::ResNetSmall<Cpu, 1, 2, pool::Lap>;

/// The weights after two steps from `seed`.
std::map<std::string, std::vector<std::byte>> trained(int seed) {
  Net net{Seed{static_cast<std::uint64_t>(seed)}};
  auto optimizer = make_optimizer(Adam{{.lr = 1e-3}}, net);
  for (int step = 0; step < 2; ++step) {
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> y = run(net, Var<Cpu>(random_tensor<Cpu>({4, 40, 40, 1}, text("images", seed, step))));
    optimizer.step(grad<Cpu>({sum(square(y)) + mean(square(run.laps.front().logits))}, optimizer.variables()), 1);
    run.commit();
  }
  std::map<std::string, std::vector<std::byte>> out;
  for (auto& [name, entry] : weights_of(leaves(net)).tensors) out[name] = entry.bytes;
  return out;
}

}  // namespace

TEST_CASE("two networks trained at once in two threads get the bits of one after the other") {
  set_threads(1);
  const auto first = trained(1), second = trained(2);
  REQUIRE(first != second);
  for (const int count : {1, 2, 4, 8}) {
    set_threads(count);
    CHECK(trained(1) == first);
    std::remove_const_t<decltype(first)> together[2];
    std::thread other([&] {
      const ThreadLimit limit(3);
      together[1] = trained(2);
    });
    together[0] = trained(1);
    other.join();
    CHECK(together[0] == first);
    CHECK(together[1] == second);
  }
  set_threads(0);
}
