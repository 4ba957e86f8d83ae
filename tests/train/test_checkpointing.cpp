// Training with parts computed again in the backward pass: the same bits, and a refusal where there are no parts.
#include "limn/nn/sequential.hpp"
#include "tiny.hpp"

using namespace tiny;

namespace {

struct InParts {
  static constexpr int in_channels = 1, out_channels = 2;
  Sequential<Block, Conv2d<Cpu, 4, 4, 3, 1, 1>, BatchNorm2d<Cpu, 4>, Relu<Cpu>> body;
  Linear<Cpu, 4, 2> fc;
  static constexpr auto fields = Fields{field<"body">(&InParts::body), field<"fc">(&InParts::fc)};
  explicit InParts(Seed seed = Seed{1}) { initialise(*this, seed); }
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(fc, flatten(global_average(run(body, x)))); }
};

/// The mean of what a layer gives, squared.
struct Watching {
  static constexpr const char* name = "watching";
  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<"body">(net);
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return mean(square(step.run.watched("body")));
  }
};

}  // namespace

TEST_CASE("a run with checkpoint ends with the bits of one without, losses included") {
  const auto train = pictures(24, "t"), val = pictures(12, "v");
  InParts nets[2];
  std::vector<std::vector<double>> losses;
  for (const bool on : {false, true}) {
    const train::Fit fit =
        train::fit(nets[on], CrossEntropy{}, Adam{{.lr = .01f}}, train, val,
                   {.epochs = 3, .batch = 8, .checkpoint = on, .restore_best = false, .quiet = true});
    losses.emplace_back();
    for (const auto& row : fit.history.rows) losses.back().insert(losses.back().end(), {row[1], row[2]});
  }
  CHECK(losses[1] == losses[0]);
  const auto left = weights_of(leaves(nets[0])).tensors, right = weights_of(leaves(nets[1])).tensors;
  REQUIRE(left.size() == right.size());
  for (const auto& [name, entry] : left) {
    CAPTURE(name);
    CHECK(entry.bytes == right.at(name).bytes);
  }
}

TEST_CASE("a network without parts cannot be trained so") {
  Net net;
  const auto data = pictures(8, "t");
  CHECK_THROWS_WITH_AS((void)train::fit(net, CrossEntropy{}, Adam{}, data, data, {.checkpoint = true, .quiet = true}),
                       "fit: checkpoint: the network has no Sequential and calls nothing by run.part or run.section",
                       OptionError);
}

TEST_CASE("a loss that watches a layer keeps everything, so recomputation is refused") {
  InParts net;
  const auto data = pictures(8, "t");
  CHECK_THROWS_WITH_AS(
      (void)train::fit(net, CrossEntropy{} + Watching{}, Adam{}, data, data, {.checkpoint = true, .quiet = true}),
      "fit: checkpoint: the loss watches layers or the pictures, and such a pass keeps everything", OptionError);
}
