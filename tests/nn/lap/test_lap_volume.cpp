// Layers for volumes and signals: a volume of one slice and a signal are pictures, the limits of LAP-Pool, derivatives,
// shapes, where maps lie, files.
#include <doctest/doctest.h>

#include "../helpers.hpp"
#include "limn/models/weights.hpp"
#include "limn/nn/attach.hpp"
#include "limn/nn/check_layer.hpp"
#include "limn/nn/sequential.hpp"
#include "limn/nn/signal.hpp"
#include "limn/nn/volume.hpp"

using namespace limn;
using testing::difference, testing::message_of, testing::random_tensor, testing::same_bits;
using D = CpuDouble;

namespace {

/// Scores in [0, 1], all different.
Tensor<D> scores(const Shape& shape) {
  Tensor<D> q(shape);
  for (Index i = 0; i < q.size(); ++i)
    q.data()[i] = static_cast<double>(i * 37 % q.size()) / static_cast<double>(q.size());
  return q;
}

Var<D> alpha_of(double value) { return leaf(Tensor<D>(Shape{1}, value)); }

template <class L>
void passes(const Dims& input, bool training = true) {
  const auto result = check_layer<L>(input, training);
  CAPTURE(result.where);
  CHECK(result.error < 1e-6);
}

using VolumeNet =
    Sequential<Conv3d<D, 1, 4, 3, 1, 1>, BatchNorm3d<D, 4>, Relu<D>, LapPool3d<D, 4, lap::binary(), 3, 2, 1>,
               Conv3d<D, 4, 8, 3, 1, 1>, LapPool3d<D, 8, lap::binary(), 0>, Flatten<D>, Linear<D, 8, 2>>;
using SignalNet =
    Sequential<Conv1d<D, 2, 4, 5, 1, 2>, BatchNorm1d<D, 4>, Relu<D>, LapPool1d<D, 4, lap::binary(), 3, 2, 1>,
               Conv1d<D, 4, 8, 3, 2>, LapPool1d<D, 8, lap::binary(), 0>, Flatten<D>, Linear<D, 8, 2>>;
static_assert(shapes<VolumeNet>(Input{.height = 9, .width = 6, .channels = 1, .depth = 5}) ==
              std::array{Dims{9, 6, 4, 5}, Dims{9, 6, 4, 5}, Dims{9, 6, 4, 5}, Dims{5, 3, 4, 3}, Dims{5, 3, 8, 3},
                         Dims{1, 1, 8}, Dims{1, 1, 8}, Dims{1, 1, 2}});
static_assert(shapes<SignalNet>(Input{1, 20, 2})[3] == Dims{1, 10, 4} &&
              shape_of<SignalNet>(Input{1, 20, 2}) == Dims{1, 1, 2});
static_assert(shape_of<Flatten<D>>({3, 2, 4, 5}) == Dims{1, 1, 120});

struct OneConv {
  Conv3d<Cpu, 2, 3, 2> conv;
  static constexpr auto fields = Fields{field<"conv">(&OneConv::conv)};
};

}  // namespace

TEST_CASE("LAP-Pool of a volume of one slice has the bits of LAP-Pool of the picture") {
  const Shape picture{2, 5, 6, 3}, volume{2, 1, 5, 6, 3};
  for (const Window& win : {Window::square(3, 2, 1), Window::square(2, 2), Window{5, 6}, Window{3, 2, 1, 2, 1, 0}}) {
    const Tensor<D> numbers = random_tensor<D>(picture, "x"), all = scores({2, 5, 6, 1});
    const Var<D> x = leaf(numbers), q = leaf(all), v = leaf(numbers.reshape(volume)),
                 r = leaf(all.reshape({2, 1, 5, 6, 1}));
    const Var<D> a = alpha_of(1.7), b = alpha_of(1.7);
    const Var<D> flat = lap_pool(x, q, a, win), boxed = lap_pool3d(v, r, b, {win});
    const Shape out = flat.shape();
    REQUIRE(boxed.shape() == Shape{out[0], 1, out[1], out[2], out[3]});
    CHECK(same_bits(flat.value(), boxed.value().reshape(out)));
    const Tensor<D> up = random_tensor<D>(out, "up");
    const auto d = grad<D>({flat}, {x, q, a}, {.upstream = {up}});
    const auto e = grad<D>({boxed}, {v, r, b}, {.upstream = {up.reshape(boxed.shape())}});
    // Gradients sum over channels, in an order that the compiler chooses for each kernel and processor.
    for (std::size_t i = 0; i < 3; ++i) CHECK(difference(e[i].value().reshape(d[i].shape()), d[i].value()) < 1e-14);
  }
}

TEST_CASE("alpha = 0 is the mean of the elements inside the volume, a large alpha takes the best one") {
  const Tensor<D> x = random_tensor<D>({2, 4, 3, 5, 2}, "x"), q = scores({2, 4, 3, 5, 1});
  const Window3d win{{3, 2, 1, 2, 1, 1}, 3, 2, 1};
  const Tensor<D> mean = lap_pool3d(Var<D>(x), Var<D>(q), alpha_of(0), win).value(),
                  best = lap_pool3d(Var<D>(x), Var<D>(q), alpha_of(1e6), win, 1e-9).value();
  REQUIRE(mean.shape() == Shape{2, 2, 3, 3, 2});
  for (Index n = 0; n < 2; ++n)
    for (Index oz = 0; oz < 2; ++oz)
      for (Index oy = 0; oy < 3; ++oy)
        for (Index ox = 0; ox < 3; ++ox)
          for (Index c = 0; c < 2; ++c) {
            double sum = 0, count = 0, highest = -1, chosen = 0;
            for (Index z = 0; z < 4; ++z)
              for (Index y = 0; y < 3; ++y)
                for (Index i = 0; i < 5; ++i) {
                  if (z < 2 * oz - 1 || z > 2 * oz + 1 || y < oy - 1 || y > oy + 1 || i < 2 * ox - 1 || i > 2 * ox)
                    continue;
                  sum += x(n, z, y, i, c);
                  ++count;
                  if (q(n, z, y, i, 0) > highest) {
                    highest = q(n, z, y, i, 0);
                    chosen = x(n, z, y, i, c);
                  }
                }
            CHECK(mean(n, oz, oy, ox, c) == doctest::Approx(sum / count));
            CHECK(best(n, oz, oy, ox, c) == doctest::Approx(chosen).epsilon(1e-6));
          }
}

TEST_CASE("layers of volumes and signals, first and second order") {
  passes<Conv3d<D, 2, 3, 3, 2, 1>>({3, 4, 2, 3});
  passes<Conv3d<D, 2, 2, 2, 1, 0, false>>({3, 2, 2, 2});
  passes<LapPool3d<D, 4, lap::one_vs_others<3>(), 2, 2>>({2, 4, 4, 2});
  passes<LapPool3d<D, 4, lap::binary(), 3, 2, 1>>({3, 2, 4, 3}, false);
  passes<LapPool3d<D, 4, lap::binary(), 0, 1, 0, lap::Aggregate::maximum>>({2, 3, 4, 2});
  passes<LapPool3d<D, 4, lap::one_vs_others<3>(), 0, 1, 0, lap::Aggregate::learned>>({2, 3, 4, 2});
  passes<Conv1d<D, 2, 3, 3, 2, 1>>({1, 7, 2});
  passes<LapPool1d<D, 4, lap::one_vs_others<3>(), 3, 2, 1>>({1, 7, 4});
  passes<LapPool1d<D, 4, lap::binary(), 0>>({1, 7, 4});
}

TEST_CASE("a volume's pass leaves maps with a depth, and where they lie") {
  VolumeNet net;
  initialise(net, Seed{1});
  Run<D> run;
  run.training = true;
  const Var<D> y = run(net, Var<D>(random_tensor<D>({2, 5, 9, 6, 1}, "volumes")));
  CHECK(y.shape() == Shape{2, 2});
  REQUIRE(run.laps.size() == 2);
  CHECK(run.laps[0].logits.shape() == Shape{2, 5, 9, 6, 1});
  CHECK(run.laps[1].logits.shape() == Shape{2, 3, 5, 3, 1});
  CHECK(run.laps[1].discriminative.shape() == Shape{2, 3, 5, 3, 1});
  CHECK(run.laps[0].window == Window3d::cube(3, 2, 1));
  CHECK(run.laps[1].window == Window3d{{5, 3}, 3});
  const Grid deep = run.grid(run.laps[1].logits.shape());
  for (const GridAxis& axis : {deep.slices, deep.rows, deep.columns}) {
    CHECK(axis.first == 0);
    CHECK(axis.step == 2);
  }
}

TEST_CASE("a volume that rises along its depth, averaged box by box and read on its grid, rises as before") {
  Tensor<D> ramp(Shape{1, 31, 4, 4, 1});
  for (Index i = 0; i < ramp.size(); ++i) ramp.data()[i] = static_cast<double>(i / 16);
  const Var<D> equal = Tensor<D>(ramp.shape(), 1.);
  for (const Window3d& win : {Window3d{{}, 3, 2, 1}, Window3d{{}, 2, 2}, Window3d{{}, 5, 3, 1}}) {
    const Var<D> pooled = lap_pool3d(Var<D>(ramp), equal, alpha_of(1), win);
    Run<D> run;
    run.pooled(Var<D>(ramp), win);
    const Tensor<D> back = resize3d(pooled, 31, 4, 4, run.grid(pooled.shape()), run.grid(ramp.shape())).value();
    for (Index z = 8; z < 22; ++z) CHECK(back(0, z, 2, 1, 0) == doctest::Approx(static_cast<double>(z)));
  }
}

TEST_CASE("a signal is a picture of one row, and its maps are") {
  SignalNet net;
  initialise(net, Seed{2});
  const Tensor<D> signals = random_tensor<D>({3, 20, 2}, "signals");
  Run<D> run, as_rows;
  const Tensor<D> y = run(net, Var<D>(signals)).value();
  CHECK(same_bits(y, as_rows(net, Var<D>(signals.reshape({3, 1, 20, 2}))).value()));
  REQUIRE(run.laps.size() == 2);
  CHECK(run.laps[0].logits.shape() == Shape{3, 1, 20, 1});
  CHECK(run.laps[1].logits.shape() == Shape{3, 1, 4, 1});
  CHECK(run.laps[0].window == Window3d{{1, 3, 1, 2, 0, 1}});
  CHECK(run.grid(1, 4).columns.first == 2);  // windows of 3, stride 2, without padding, over elements 2 apart
  CHECK(run.grid(1, 4).columns.step == 4);
  CHECK(run.grid(1, 4).rows.step == 1);

  // The convolution is that of a picture of one row, whose kernel has zeros above and below.
  Conv1d<D, 2, 3, 3, 2, 1> conv;
  initialise(conv, Seed{4});
  Conv2d<D, 2, 3, 3, 2, 1> square;
  for (Index k = 0; k < 3; ++k)
    for (Index i = 0; i < 3; ++i)
      for (Index c = 0; c < 2; ++c) square.weight.value()(k, 1, i, c) = conv.weight.value()(k, 0, i, c);
  Run<D> again;
  const Tensor<D> row = again(square, Var<D>(signals.reshape({3, 1, 20, 2}))).value();
  CHECK(difference(again(conv, Var<D>(signals)).value(), row.reshape({3, 10, 3})) < 1e-12);
}

TEST_CASE("LAPs beside a trained network of volumes") {
  Sequential<Conv3d<D, 1, 4, 3, 1, 1>, Relu<D>, Conv3d<D, 4, 8, 3, 2, 1>, Relu<D>, LapPool3d<D, 8, lap::binary(), 0>,
             Flatten<D>, Linear<D, 8, 2>>
      net;
  initialise(net, Seed{3});
  const auto laps = lap::attach<"0", "2">(net, lap::binary());
  const Var<D> x = random_tensor<D>({2, 4, 6, 5, 1}, "volumes");
  Run<D> run, plain;
  CHECK(same_bits(run(laps, x).value(), plain(net, x).value()));
  REQUIRE(run.laps.size() == 2);
  CHECK(run.laps[0].logits.shape() == Shape{2, 4, 6, 5, 1});
  CHECK(run.laps[1].logits.shape() == Shape{2, 2, 3, 3, 1});
  CHECK(run.laps[0].window == Window3d::cube(3, 2, 1));
}

TEST_CASE("the weight of Conv3d is torch's in files: (out, in, depth, height, width)") {
  OneConv net;
  std::vector<float> expected;
  for (Index o = 0; o < 3; ++o)
    for (Index c = 0; c < 2; ++c)
      for (Index i = 0; i < 8; ++i) {
        expected.push_back(static_cast<float>(100 * o + 10 * c + i));
        net.conv.weight.value()(o, i / 4, i / 2 % 2, i % 2, c) = expected.back();
      }
  const io::TensorFile file = weights_of(leaves(net));
  CHECK(file.at("conv.weight").shape == std::vector<Index>{3, 2, 2, 2, 2});
  CHECK(io::values<float>(file.at("conv.weight")) == expected);
  OneConv other;
  CHECK(put_weights(leaves(other), file, "file").complete());
  CHECK(same_bits(other.conv.weight.value(), net.conv.weight.value()));
}

TEST_CASE("initial weights are as those of Conv2d: variance 2 / (out * kernel elements), bias 0") {
  Conv3d<Cpu, 32, 32, 3> volume;
  Conv1d<Cpu, 64, 64, 3> signal;
  initialise(volume, Seed{1});
  initialise(signal, Seed{1});
  const auto variance = [](const Tensor<Cpu>& t) {
    double squares = 0;
    for (const float v : t.span()) squares += static_cast<double>(v) * static_cast<double>(v);
    return squares / static_cast<double>(t.size());
  };
  CHECK(variance(volume.weight.value()) * 32 * 27 / 2 == doctest::Approx(1).epsilon(0.04));  // 27,648 draws
  CHECK(variance(signal.weight.value()) * 64 * 3 / 2 == doctest::Approx(1).epsilon(0.06));   // 12,288 draws
  CHECK(variance(volume.bias.value()) + variance(signal.bias.value()) == 0);
}

TEST_CASE("what is neither a volume nor a signal is refused") {
  Run<D> run;
  const Var<D> picture = Tensor<D>(Shape{1, 4, 4, 4}, 0.);
  CHECK(message_of([&] { (void)run(Conv3d<D, 4, 2, 3>{}, picture); }).starts_with("conv3d: expected a volume"));
  CHECK(message_of([&] {
          (void)run(LapPool3d<D, 4, lap::binary(), 2>{}, picture);
        }).starts_with("lap_pool3d: expected a volume (n, d, h, w, c), got (1, 4, 4, 4)"));
  CHECK(message_of([&] {
          (void)run(LapPool3d<D, 4, lap::binary(), 0>{}, picture);
        }).starts_with("lap_pool3d: expected a volume (n, d, h, w, c), got (1, 4, 4, 4)"));
  CHECK(message_of([&] {
          (void)run(Conv1d<D, 4, 2, 3>{}, picture);
        }).starts_with("Conv1d: expected a signal (n, l, c) or (n, 1, l, c), got (1, 4, 4, 4)"));
  CHECK(message_of([&] {
          (void)run(LapPool1d<D, 4, lap::binary(), 2>{}, picture);
        }).starts_with("LapPool1d: expected a signal"));
  const Var<D> x = Tensor<D>(Shape{1, 2, 2, 2, 1}, 0.);
  CHECK_THROWS_WITH_AS((void)lap_pool3d(x, x, alpha_of(1), Window3d::cube(2), 0.),
                       "lap_pool3d: eps must be positive, got 0", OptionError);
}
