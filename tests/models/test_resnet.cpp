// ResNet: torchvision's names and numbers, shapes by hand, parts by address, what pool::Lap changes.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/models/resnet.hpp"
#include "recorded/torchvision_resnet18.hpp"

using namespace limn;
using testing::random_tensor;

namespace {

using Big = models::ResNet18<Cpu, 3, 1000>;
using Explained = models::ResNet18<Cpu, 1, 2, pool::Lap>;

// 224: conv1 (224 + 6 - 7) / 2 + 1 = 112, maxpool (112 + 2 - 3) / 2 + 1 = 56, then halves.
template <class Net>
constexpr bool stages_fit() {
  constexpr Dims stem = shape_of<decltype(Net::maxpool)>(shape_of<decltype(Net::conv1)>({224, 224, Net::in_channels}));
  constexpr Dims one = shape_of<decltype(Net::layer1)>(stem), two = shape_of<decltype(Net::layer2)>(one),
                 three = shape_of<decltype(Net::layer3)>(two), four = shape_of<decltype(Net::layer4)>(three),
                 pooled = shape_of<decltype(Net::avgpool)>(four);
  return stem == Dims{56, 56, 64} && one == Dims{56, 56, 64} && two == Dims{28, 28, 128} &&
         three == Dims{14, 14, 256} && four == Dims{7, 7, 512} && pooled == Dims{1, 1, 512};
}
static_assert(stages_fit<Big>() && stages_fit<Explained>());
static_assert(shapes<Big>(Input{224, 224, 3}) == std::array{Dims{1, 1, 1000}});
static_assert(shapes<Explained>(Input{224, 224, 1}) == std::array{Dims{1, 1, 2}});
static_assert(shapes<decltype(Big::layer2)>(Input{55, 41, 64}) == std::array{Dims{28, 21, 128}, Dims{28, 21, 128}});
static_assert(shape_of<models::ResNetSmall<Cpu, 2, 5>>({64, 48, 2}) == Dims{1, 1, 5});

constexpr Index numel_without_counters() {
  Index sum = 0;
  for (const auto& [name, numel] : recorded::resnet18) sum += numel;
  return sum;
}

}  // namespace

TEST_CASE("ResNet-18 has torchvision's names, sizes and order") {
  const Big net{Seed{1}};
  const auto found = leaves(net);
  REQUIRE(found.size() == std::size(recorded::resnet18));
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].path == recorded::resnet18[i].first);
    const Index size = found[i].parameter ? found[i].parameter->size()
                       : found[i].buffer  ? found[i].buffer->value().size()
                                          : found[i].counter->value().size();
    CHECK(size == recorded::resnet18[i].second);
  }
  CHECK(parameter_count(net) == 11689512);  // as torchvision documents it
  static_assert(parameter_count<models::ResNet18<Cpu, 3, 1000>>() == 11689512);
  // 9,600 running means and variances and 20 counters are not trained.
  CHECK(numel_without_counters() == 11689512 + 9600 + 20);
}

TEST_CASE("with LAP-Pools the same parameters are there, and those of the LAPs") {
  const models::ResNet18<Cpu, 1, 2> plain{Seed{1}};
  const Explained net{Seed{1}};
  std::vector<std::string> only;
  const auto with = leaves(net), without = leaves(plain);
  std::size_t i = 0;
  for (const auto& leaf : with) {
    if (i < without.size() && leaf.path == without[i].path) {
      // the same seed and the same path give the same numbers
      if (leaf.parameter) CHECK(testing::same_bits(leaf.parameter->value(), without[i].parameter->value()));
      ++i;
    } else {
      only.push_back(leaf.path);
    }
  }
  CHECK(i == without.size());
  REQUIRE(only.size() == 4 * 9);
  CHECK(only[0] == "layer2.0.lap.head.hidden.weight");
  CHECK(only[8] == "layer2.0.lap.alpha");
  CHECK(only[9] == "layer3.0.lap.head.hidden.weight");
  CHECK(only[35] == "avgpool.alpha");
  // Hidden layers of an eighth of the channels, twice (head and twin), and alpha, for 64, 128, 256 and 512 channels.
  Index more = 0;
  for (const Index c : {64, 128, 256, 512}) more += 2 * (c * (c / 8) + c / 8 + c / 8 + 1) + 1;
  CHECK(parameter_count(net) == parameter_count(plain) + more);
}

TEST_CASE("any named part has an address") {
  const Big net{Seed{1}};
  const auto& part = at<"layer4.1.conv2">(net);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(part)>, Conv2d<Cpu, 512, 512, 3, 1, 1, false>>);
  CHECK(&part == &at<"1">(net.layer4).conv2);
  CHECK(&at<"layer2.0.downsample.1">(net) == &at<"1">(at<"0">(net.layer2).downsample));
  CHECK(&at<"fc.bias">(net) == &net.fc.bias);
}

TEST_CASE("shapes at run time are those of the compiler, for images of any size") {
  const models::ResNetSmall<Cpu, 2, 5, pool::Lap> net{Seed{1}};
  using Net = std::remove_const_t<decltype(net)>;
  for (const auto& [h, w] : {std::pair<Index, Index>{32, 32}, {45, 70}}) {
    Run<Cpu> run;
    const auto one = run.tap(net.layer1), two = run.tap(net.layer2), four = run.tap(net.layer4);
    CHECK(run(net, Var<Cpu>(random_tensor<Cpu>({2, h, w, 2}, "x"))).shape() == Shape{2, 5});
    const Dims d = shape_of<decltype(Net::maxpool)>(shape_of<decltype(Net::conv1)>({h, w, 2}));
    const Dims d2 = shape_of<decltype(Net::layer2)>(d),
               d4 = shape_of<decltype(Net::layer4)>(shape_of<decltype(Net::layer3)>(d2));
    CHECK(run.tapped(one).shape() == Shape{2, d.height, d.width, 8});
    CHECK(run.tapped(two).shape() == Shape{2, d2.height, d2.width, 16});
    CHECK(run.tapped(four).shape() == Shape{2, d4.height, d4.width, 64});
    REQUIRE(run.laps.size() == 4);
    CHECK(run.laps[0].logits.shape() == Shape{2, d.height, d.width, 5});  // one clue per class, at the block's input
    CHECK(run.laps[3].logits.shape() == Shape{2, d4.height, d4.width, 5});
  }
}

TEST_CASE("in evaluation a picture's answer does not depend on its batch") {
  const models::ResNetSmall<Cpu, 1, 3, pool::Lap> net{Seed{1}};
  const Tensor<Cpu> x = random_tensor<Cpu>({3, 32, 32, 1}, "x");
  Run<Cpu> all;
  const Tensor<Cpu> y = all(net, Var<Cpu>(x)).value();
  for (Index i = 0; i < 3; ++i) {
    Run<Cpu> one;
    // Not the same bits: the matrix products sum in another order for another number of rows.
    CHECK(testing::difference(one(net, Var<Cpu>(testing::picture(x, i))).value(), testing::picture(y, i)) < 1e-5);
  }
}
