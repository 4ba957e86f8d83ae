// BagNet: sizes as published, and that an element of its map has seen its patch and nothing else.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/models/bagnet.hpp"
#include "limn/nn/check_layer.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

using Bag33 = models::BagNet33<Cpu, 3, 1000>;
// 224: 222 after the 3x3 convolution, then (222 - 3) / 2 + 1 = 110, 54, 26, and 24 without a stride.
static_assert(Bag33::map_shape({224, 224, 3}) == Dims{24, 24, 2048});
static_assert(shape_of<decltype(Bag33::layer1)>({222, 222, 64}) == Dims{110, 110, 256});
static_assert(shape_of<decltype(Bag33::layer3)>({54, 54, 512}) == Dims{26, 26, 1024});
static_assert(models::BagNet17<Cpu, 3, 2>::map_shape({224, 224, 3}) == Dims{26, 26, 2048});
static_assert(models::BagNet9<Cpu, 3, 2>::map_shape({224, 224, 3}) == Dims{27, 27, 2048});
static_assert(Bag33::receptive_field == 33 && models::BagNet17<Cpu, 3, 2>::receptive_field == 17 &&
              models::BagNet9<Cpu, 3, 2>::receptive_field == 9);

/// Rows and columns of the picture that an element of the map depends on, by the gradient.
template <int Large>
std::array<Index, 4> seen(Index row, Index column) {
  // One channel-wise narrow network: every pixel of a patch has a path to the element, and random weights do not
  // cancel.
  const models::BagNet<D, 1, 2, Large, 2, models::Blocks{2, 1, 1, 1}> net{Seed{3}};
  const Var<D> x = leaf(testing::random_tensor<D>({1, 80, 72, 1}, "picture"));
  Run<D> run;
  run.training = false;
  const Var<D> map = net.features(x, run);
  const Var<D> element = sum(slice(slice(map, 1, row, 1), 2, column, 1));
  const Tensor<D> g = grad(element, x).value();
  std::array<Index, 4> box{80, -1, 72, -1};
  for (Index i = 0; i < 80; ++i)
    for (Index j = 0; j < 72; ++j)
      if (g(0, i, j, 0) != 0) {
        box[0] = std::min(box[0], i), box[1] = std::max(box[1], i);
        box[2] = std::min(box[2], j), box[3] = std::max(box[3], j);
      }
  return box;
}

}  // namespace

TEST_CASE("an element of the map has seen 33, 17, 9 pixels across, at its place") {
  // An element is 8 pixels from the next, and the first one's patch begins at the border.
  CHECK(seen<4>(2, 1) == std::array<Index, 4>{16, 16 + 32, 8, 8 + 32});
  CHECK(seen<3>(3, 2) == std::array<Index, 4>{24, 24 + 16, 16, 16 + 16});
  CHECK(seen<2>(4, 5) == std::array<Index, 4>{32, 32 + 8, 40, 40 + 8});
}

TEST_CASE("maps are laid over the picture where the patches are") {
  const models::BagNet<Cpu, 1, 2, 4, 2, 1> net{Seed{3}};
  Run<Cpu> run;
  const auto tap = run.tap(net.layer4);
  (void)run(net, Var<Cpu>(testing::random_tensor<Cpu>({1, 80, 72, 1}, "picture")));
  // The middle of the first patch of 33 is pixel 16.
  CHECK(run.grid_of(tap).rows.first == 16);
  CHECK(run.grid_of(tap).rows.step == 8);
  CHECK(run.grid_of(tap).columns.first == 16);
}

TEST_CASE("a logit is the mean of what the patches say") {
  const models::BagNet<D, 1, 3, 3, 2, 1> net{Seed{3}};
  const Var<D> x = testing::random_tensor<D>({2, 48, 64, 1}, "picture");
  Run<D> run, parts;
  const Var<D> patches = parts(net.fc, net.features(x, parts));  // (n, h, w, classes)
  CHECK(testing::difference(run(net, x).value(), reshape(mean(patches, {1, 2}), {2, 3}).value()) < 1e-12);
}

TEST_CASE("gradients of a block, cropped and not") {
  const auto passes = []<class L>(std::type_identity<L>, bool training) {
    const auto result = check_layer<L>({7, 6, L::in_channels}, training, {.seed = {1}, .most = 12});
    CAPTURE(result.where);
    CHECK(result.error < 1e-6);
  };
  passes(std::type_identity<models::BagBlock<D, 3, 2, 3, 2>>{}, true);
  passes(std::type_identity<models::BagBlock<D, 3, 2, 3, 2>>{}, false);
  passes(std::type_identity<models::BagBlock<D, 8, 2, 3, 1>>{}, true);
  passes(std::type_identity<models::BagBlock<D, 8, 2, 1, 1>>{}, true);
}
