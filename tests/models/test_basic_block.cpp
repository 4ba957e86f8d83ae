// The blocks of ResNet in all their forms: gradients, and what it computes when its LAP is put in by hand.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/models/resnet.hpp"
#include "limn/nn/check_layer.hpp"

using namespace limn;
using D = CpuDouble;

namespace {

/// The seed is one for which no ReLU and no window's best element changes sides within a step of the differences: a
/// block has hundreds of units, so some seeds meet a kink, where differences mean nothing.
template <class L>
void passes(bool training, Seed seed = {1}) {
  const auto result = check_layer<L>({6, 6, L::in_channels}, training, {.seed = seed, .most = 12});
  CAPTURE(result.where);
  CHECK(result.error < 1e-6);
}

template <int In, int Out, int Stride, class Pool>
using Block = models::BasicBlock<D, In, Out, Stride, 2, Pool>;
template <int In, int Width, int Stride, class Pool>
using Bottleneck = models::Bottleneck<D, In, Width, Stride, 2, Pool>;

}  // namespace

TEST_CASE("a block that keeps its shape") {
  passes<Block<3, 3, 1, pool::Strided>>(true);
  passes<Block<3, 3, 1, pool::Strided>>(false);
}

TEST_CASE("a block that widens") { passes<Block<2, 3, 1, pool::Strided>>(true); }

TEST_CASE("a block with a stride") {
  passes<Block<2, 3, 2, pool::Strided>>(true);
  passes<Block<2, 3, 2, pool::Strided>>(false);
}

TEST_CASE("a block that pools by its LAP") {
  passes<Block<4, 3, 2, pool::Lap>>(true, {2});
  passes<Block<4, 3, 2, pool::Lap>>(false, {2});
}

TEST_CASE("only a strided block has a LAP, and only one that changes its shape has a shortcut") {
  using Plain = Block<3, 3, 1, pool::Lap>;
  static_assert(!Plain::pooled && !Plain::projects);
  static_assert(Block<3, 3, 2, pool::Lap>::pooled && Block<3, 3, 2, pool::Lap>::projects);
  static_assert(!Block<3, 3, 2, pool::Strided>::pooled && Block<2, 3, 1, pool::Lap>::projects);
}

TEST_CASE("one LAP pools the convolution and the shortcut") {
  Block<4, 3, 2, pool::Lap> block;
  initialise(block, Seed{3});
  const Var<D> x = testing::random_tensor<D>({2, 6, 6, 4}, "x");
  Run<D> run, parts;
  const Tensor<D> y = run(block, x).value();
  REQUIRE(run.laps.size() == 1);
  // Convolution with stride one, then a pool; the shortcut's 1x1 convolution before its pool, as the paper replaces a
  // strided convolution. The block does it the other way round, which is cheaper.
  const Var<D> q = sigmoid(run.laps[0].logits);
  const auto pool = [&](const Var<D>& v) {
    return lap_pool_composed(v, q, block.lap.alpha, Window::square(3, 2, 1), 1e-3);
  };
  const auto& project = at<"0">(block.downsample);
  const auto& norm = at<"1">(block.downsample);
  const Var<D> left =
      parts(block.bn2,
            parts(block.conv2, relu(parts(block.bn1, pool(conv2d(x, block.conv1.weight, Window::square(3, 1, 1)))))));
  const Var<D> right = parts(norm, pool(parts(project, x)));
  CHECK(testing::difference(y, relu(left + right).value()) < 1e-5);
}

TEST_CASE("bottlenecks: shapes, and gradients with and without a stride, a shortcut, a LAP") {
  static_assert(Bottleneck<8, 2, 1, pool::Strided>::shape({7, 6, 8}) == Dims{7, 6, 8});
  static_assert(Bottleneck<3, 2, 2, pool::Strided>::shape({7, 6, 3}) == Dims{4, 3, 8});
  static_assert(!Bottleneck<8, 2, 1, pool::Lap>::pooled && !Bottleneck<8, 2, 1, pool::Lap>::projects);
  passes<Bottleneck<8, 2, 1, pool::Strided>>(true);
  passes<Bottleneck<3, 2, 1, pool::Strided>>(false);
  passes<Bottleneck<3, 2, 2, pool::Strided>>(true);
  passes<Bottleneck<4, 2, 2, pool::Lap>>(true);
  passes<Bottleneck<4, 2, 2, pool::Lap>>(false);
}

TEST_CASE("the LAP of a bottleneck pools its 3x3 convolution and the shortcut") {
  Bottleneck<4, 3, 2, pool::Lap> block;
  initialise(block, Seed{3});
  const Var<D> x = testing::random_tensor<D>({2, 6, 6, 4}, "x");
  Run<D> run, parts;
  const Tensor<D> y = run(block, x).value();
  REQUIRE(run.laps.size() == 1);
  CHECK(run.laps[0].logits.shape() == Shape{2, 6, 6, 1});  // of the block's input
  const Var<D> q = sigmoid(run.laps[0].logits);
  const auto pool = [&](const Var<D>& v) {
    return lap_pool_composed(v, q, block.lap.alpha, Window::square(3, 2, 1), 1e-3);
  };
  const Var<D> narrow = relu(parts(block.bn1, parts(block.conv1, x)));
  const Var<D> middle = relu(parts(block.bn2, pool(conv2d(narrow, block.conv2.weight, Window::square(3, 1, 1)))));
  const Var<D> left = parts(block.bn3, parts(block.conv3, middle));
  const Var<D> right = parts(at<"1">(block.downsample), pool(parts(at<"0">(block.downsample), x)));
  CHECK(testing::difference(y, relu(left + right).value()) < 1e-5);
}
