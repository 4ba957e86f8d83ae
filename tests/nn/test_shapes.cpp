// Shapes of images on their way through layers, by the compiler and at run time, worked out by hand.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "limn/nn/lap.hpp"
#include "limn/nn/sequential.hpp"
#include "squeeze_excite.hpp"

using namespace limn;

namespace {

using Net = Sequential<Conv2d<Cpu, 1, 8, 7, 2, 3>, BatchNorm2d<Cpu, 8>, Relu<Cpu>, MaxPool2d<Cpu, 3, 2, 1>,
                       testing::SqueezeExcite<Cpu, 8, 4>, LapPool<Cpu, 8, lap::binary(), 2, 2>, GlobalAverage<Cpu>,
                       Linear<Cpu, 8, 5>>;
static_assert(shapes<Net>(Input{224, 224, 1}) == std::array{Dims{112, 112, 8}, Dims{112, 112, 8}, Dims{112, 112, 8},
                                                            Dims{56, 56, 8}, Dims{56, 56, 8}, Dims{28, 28, 8},
                                                            Dims{1, 1, 8}, Dims{1, 1, 5}});
// Odd sizes: (33 + 6 - 7) / 2 + 1 = 17, (17 + 2 - 3) / 2 + 1 = 9, (9 - 2) / 2 + 1 = 4; width 20: 10, 5, 2.
static_assert(shapes<Net>(Input{33, 20, 1})[5] == Dims{4, 2, 8});
static_assert(shape_of<Net>(Input{33, 20, 1}) == Dims{1, 1, 5});
static_assert(Net::in_channels == 1 && Net::out_channels == 5);

static_assert(shape_of<LapPool<Cpu, 4, lap::binary(), 0>>({9, 7, 4}) == Dims{1, 1, 4});
static_assert(shape_of<LapHead<Cpu, 4, 3>>({9, 7, 4}) == Dims{9, 7, 3});
static_assert(shape_of<Flatten<Cpu>>({3, 2, 4}) == Dims{1, 1, 24});
static_assert(shapes<Linear<Cpu, 8, 5>>(Input{1, 1, 8}) == std::array{Dims{1, 1, 5}});

// After Flatten the channels depend on the image, so nothing is said about them before its size is known.
using Flat = Sequential<Conv2d<Cpu, 1, 2, 3>, Flatten<Cpu>, Linear<Cpu, 2 * 3 * 2, 4>>;
static_assert(shapes<Flat>(Input{5, 4, 1}).back() == Dims{1, 1, 4});

}  // namespace

TEST_CASE("shapes are what the layers really give") {
  Net net;
  initialise(net, Seed{1});
  Run<Cpu> run;
  std::vector<std::size_t> taps;
  [&]<class... F>(const Fields<F...>& fields) {
    (taps.push_back(run.tap(net.*static_cast<const F&>(fields).pointer)), ...);
  }(Net::fields);
  (void)run(net, Var<Cpu>(testing::random_tensor<Cpu>({2, 33, 20, 1}, "x")));
  const auto expected = shapes<Net>(Input{33, 20, 1});
  for (std::size_t i = 0; i < taps.size(); ++i)
    CHECK(run.tapped(taps[i]).shape() == Shape{2, expected[i].height, expected[i].width, expected[i].channels});
}

TEST_CASE("what does not fit is refused at run time by the same code, with the layer's position") {
  CHECK(testing::message_of([] {
          (void)shapes<Flat>(Input{6, 4, 1});
        }) == "layer 2: input 1 x 1 x 16, expected 12 channels");
  CHECK(testing::message_of([] {
          (void)shapes<Net>(Input{64, 64, 3});
        }) == "layer 0: input 64 x 64 x 3, expected 1 channels");
  // Too small for the kernel: nothing is left.
  CHECK_THROWS_AS((void)shapes<Flat>(Input{2, 4, 1}), ShapeError);
}
