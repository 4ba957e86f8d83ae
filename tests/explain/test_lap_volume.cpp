// The explanation of volumes: Algorithm 1 with a depth against that of pictures, from a pass; and small networks of
// volumes and of signals that learn, from labels alone, where a ball or a bump is.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/explain/lap/lap_volume.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/lap.hpp"
#include "limn/nn/sequential.hpp"
#include "limn/nn/signal.hpp"
#include "limn/nn/volume.hpp"
#include "limn/optim/optimizer.hpp"

using namespace limn;
using explain::Map, explain::Volume;
using testing::message_of, testing::random_tensor;

namespace {

Volume random_volume(std::size_t d, std::size_t h, std::size_t w, const std::string& key) {
  Volume out(std::array<std::size_t, 3>{d, h, w});
  Random random(Seed{9}, key);
  for (float& v : out) v = static_cast<float>(random.uniform());
  return out;
}

/// A volume of which one axis (0: depth, 1: height, 2: width) has a single element, as a picture.
Map without(const Volume& volume, std::size_t axis) {
  std::array<std::size_t, 2> shape{};
  for (std::size_t a = 0, i = 0; a < 3; ++a)
    if (a != axis) shape[i++] = volume.shape()[a];
  Map out(shape);
  std::copy(volume.begin(), volume.end(), out.begin());
  return out;
}

/// A batch of maps (n, ..., 1) with noise, and in every second one of them a bright ball.
struct Scanned {
  Tensor<Cpu> values;
  std::vector<Index> labels;
  std::vector<std::array<Index, 3>> centres;
};
Scanned scanned(Index n, Index d, Index h, Index w, const std::string& key) {
  Scanned out{Tensor<Cpu>(Shape{n, d, h, w, 1}), {}, {}};
  Random random(Seed{5}, key);
  for (auto& v : out.values.span()) v = 0.3f * static_cast<float>(random.normal());
  const auto place = [&](Index extent) { return extent == 1 ? 0 : 2 + random.below(extent - 4); };
  for (Index i = 0; i < n; ++i) {
    out.labels.push_back(i % 2);
    const std::array<Index, 3> c{place(d), place(h), place(w)};
    out.centres.push_back(c);
    for (Index z = 0; z < d && i % 2 == 1; ++z)
      for (Index y = 0; y < h; ++y)
        for (Index x = 0; x < w; ++x)
          if ((z - c[0]) * (z - c[0]) + (y - c[1]) * (y - c[1]) + (x - c[2]) * (x - c[2]) <= 4)
            out.values(i, z, y, x, 0) += 1.5f;
  }
  return out;
}

/// Trains on `steps` batches; `shape` is what the network takes of (n, d, h, w, 1).
template <class Net, class Loss>
void teach(Net& net, const Loss& loss, int steps, Index d, Index h, Index w, const Shape& shape) {
  auto optimizer = make_optimizer(Adam{{.lr = 1e-2}}, net);
  for (int step = 0; step < steps; ++step) {
    const Scanned data = scanned(shape[0], d, h, w, text("training", step));
    const Batch<Cpu> batch{data.values.reshape(shape), data.labels, {}, {}};
    Run<Cpu> run;
    run.training = true;
    const Var<Cpu> logits = run(net, Var<Cpu>(batch.images));
    const double progress = static_cast<double>(step) / steps;
    const auto value = loss(Step<Cpu>{batch, logits, run, progress});
    optimizer.step(grad<Cpu>({value.total}, optimizer.variables()));
    run.commit();
  }
}

Index correct(const Tensor<Cpu>& logits, const std::vector<Index>& labels) {
  Index out = 0;
  for (Index i = 0; i < logits.dim(0); ++i)
    out += (logits(i, 1) > logits(i, 0)) == (labels[static_cast<std::size_t>(i)] == 1);
  return out;
}

const auto taught =
    CrossEntropy{} + 2.f * LapSupervision{{.min_active = .02f, .max_active = .15f, .warm_up = .2f}} + LapConcordance{};

}  // namespace

TEST_CASE("Algorithm 1 on volumes that lie in a plane is Algorithm 1 on pictures") {
  const auto plane = [](std::size_t a, std::size_t b, std::size_t axis, const std::string& key) {
    return axis == 0   ? random_volume(1, a, b, key)
           : axis == 1 ? random_volume(a, 1, b, key)
                       : random_volume(a, b, 1, key);
  };
  for (const std::size_t axis : {0u, 1u, 2u})
    for (const bool by_windows : {false, true}) {
      std::vector<Volume> volumes;
      std::vector<Map> maps;
      for (const auto& [a, b] : {std::pair<std::size_t, std::size_t>{9, 14}, {5, 7}, {3, 4}}) {
        volumes.push_back(plane(a, b, axis, text("plane", a, axis)));
        maps.push_back(without(volumes.back(), axis));
      }
      std::vector<Window3d> boxes;
      std::vector<Window> windows;
      if (by_windows) {
        const Window w = Window::square(3, 2, 1);
        windows.assign(2, w);
        const Window3d put[] = {{w}, {{1, 3, 1, 2, 0, 1}, 3, 2, 1}, {{3, 1, 2, 1, 1, 0}, 3, 2, 1}};
        boxes.assign(2, put[axis]);
      }
      const Map expected = explain::integrate(maps, windows);
      const Map found = without(explain::integrate_volumes(volumes, boxes), axis);
      CHECK(std::equal(expected.begin(), expected.end(), found.begin(), found.end()));
    }
  CHECK(message_of([] {
          (void)explain::integrate_volumes({random_volume(2, 4, 4, "a"), random_volume(3, 4, 4, "b")});
        }) == "integrate: a shallower map of 2 x 4 x 4 after a deeper one of 3 x 4 x 4");
}

TEST_CASE("by hand: a box decides along the depth too") {
  Volume deep(std::array<std::size_t, 3>{1, 1, 1}, .9f), fine(std::array<std::size_t, 3>{2, 2, 1});
  const float values[] = {.1f, .7f, 1.f, .2f}, expected[] = {.08f, .9f, .9f, .16f};
  std::copy(std::begin(values), std::end(values), fine.begin());
  const Volume joined = explain::integrate_volumes({fine, deep});
  for (std::size_t i = 0; i < 4; ++i) CHECK(joined.data()[i] == doctest::Approx(expected[i]));
}

TEST_CASE("from made-up LAPs: the mean over the clues that speak for the class; the background has no map") {
  static constexpr ClueSystem<2, 3> clues{{1, -1, -1, 1, 1, -1}};
  const auto logit = [](float p) { return std::log(p / (1 - p)); };
  Tensor<Cpu> logits(Shape{3, 2, 1, 1, 2});
  const float p[] = {.2f, .6f, .8f, .4f, .3f, .9f, .5f, .1f, .3f, .9f, .5f, .1f};
  for (Index i = 0; i < logits.size(); ++i) logits.data()[i] = logit(p[i]);
  Run<Cpu> run;
  run.laps.push_back({Var<Cpu>(logits), {}, clues.table()});
  const std::vector<Index> of{0, 1, 2}, wrong{0, 1, 3};
  const auto e = explain::LapVolume{}(run, std::span<const Index>(of));
  REQUIRE(e[0].map.shape() == std::array<std::size_t, 3>{2, 1, 1});
  CHECK(e[0].map(0, 0, 0) == doctest::Approx(.4));
  CHECK(e[0].map(1, 0, 0) == doctest::Approx(.6));
  CHECK(e[1].map(0, 0, 0) == doctest::Approx(.9));
  CHECK(e[2].map.size() == 0);
  CHECK(message_of([&] { (void)explain::LapVolume{}(run, std::span<const Index>(wrong)); }) ==
        "explain::LapVolume: class 3, expected 0 to 2");
  CHECK(message_of([&] { (void)explain::LapVolume{}(run, std::span(of).first(2)); }) ==
        "explain::LapVolume: 2 classes for maps (3, 2, 1, 1, 2)");
  CHECK(message_of([&] { (void)explain::LapVolume{}(Relu<Cpu>{}, logits, std::span<const Index>(of)); }) ==
        "explain::LapVolume: the network has no LAP (use LapPool3d)");
  Run<Cpu> flat;
  flat.laps.push_back({Var<Cpu>(logits.reshape({3, 2, 1, 2})), {}, clues.table()});
  CHECK(message_of([&] { (void)explain::LapVolume{}(flat, std::span<const Index>(of)); }) ==
        "explain::LapVolume: maps of shape (3, 2, 1, 2), expected those of volumes (for pictures: explain::Lap)");
  CHECK(message_of([&] { (void)explain::Lap{}(run, std::span<const Index>(of)); }) ==
        "explain::Lap: maps of shape (3, 2, 1, 1, 2), expected those of pictures (for volumes: explain::LapVolume)");
}

TEST_CASE("a network of volumes learns from labels where the ball is") {
  Sequential<Conv3d<Cpu, 1, 8, 3, 1, 1, false>, BatchNorm3d<Cpu, 8>, Relu<Cpu>, LapPool3d<Cpu, 8, lap::binary(), 2, 2>,
             Conv3d<Cpu, 8, 16, 3, 1, 1, false>, BatchNorm3d<Cpu, 16>, Relu<Cpu>, LapPool3d<Cpu, 16, lap::binary(), 0>,
             Flatten<Cpu>, Linear<Cpu, 16, 2>>
      net;
  initialise(net, Seed{1});
  teach(net, taught, 50, 10, 12, 14, {8, 10, 12, 14, 1});

  const Scanned test = scanned(32, 10, 12, 14, "test");
  Run<Cpu> run;
  const Tensor<Cpu> logits = run(net, Var<Cpu>(test.values)).value();
  MESSAGE("volumes: ", correct(logits, test.labels), " of 32 right");
  CHECK(correct(logits, test.labels) >= 31);
  const std::vector<Index> of(32, 1);
  const auto all = explain::LapVolume{}(run, std::span<const Index>(of));
  Index hits = 0;
  double inside = 0, outside = 0, empty = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    REQUIRE(all[i].map.shape() == std::array<std::size_t, 3>{10, 12, 14});
    REQUIRE(all[i].parts[1].shape() == std::array<std::size_t, 3>{5, 6, 7});
    double most = -1;
    bool hit = false;
    for (std::size_t z = 0; z < 10; ++z)
      for (std::size_t y = 0; y < 12; ++y)
        for (std::size_t x = 0; x < 14; ++x) {
          const auto& c = test.centres[i];
          const Index a = static_cast<Index>(z) - c[0], b = static_cast<Index>(y) - c[1],
                      g = static_cast<Index>(x) - c[2];
          const Index distance = a * a + b * b + g * g;
          const double p = static_cast<double>(all[i].map(z, y, x)),
                       rank = static_cast<double>(all[i].ranking(z, y, x));
          if (test.labels[i] == 0) {
            empty += p / (16. * 1680);
          } else if (distance <= 1) {
            inside += p / (16. * 7);
          } else if (distance > 16) {
            outside += p / (16. * 1680);  // no less than the mean
          }
          if (rank > most) {
            most = rank;
            hit = distance <= 4;
          }
        }
    hits += hit && test.labels[i] == 1;
  }
  MESSAGE("volumes: ", hits, " of 16 balls hit; map inside ", inside, ", outside ", outside, ", without a ball ",
          empty);
  CHECK(hits >= 15);
  CHECK(inside > .5);
  CHECK(outside < .1);
  CHECK(empty < .1);
}

TEST_CASE("a network of signals learns from labels where the bump is") {
  Sequential<Conv1d<Cpu, 1, 8, 5, 1, 2, false>, BatchNorm1d<Cpu, 8>, Relu<Cpu>,
             LapPool1d<Cpu, 8, lap::binary(), 3, 2, 1>, Conv1d<Cpu, 8, 16, 3, 1, 1, false>, BatchNorm1d<Cpu, 16>,
             Relu<Cpu>, LapPool1d<Cpu, 16, lap::binary(), 0>, Flatten<Cpu>, Linear<Cpu, 16, 2>>
      net;
  initialise(net, Seed{1});
  teach(net, taught, 60, 1, 1, 80, {16, 80, 1});

  const Scanned test = scanned(64, 1, 1, 80, "test");
  Run<Cpu> run;
  const Tensor<Cpu> logits = run(net, Var<Cpu>(test.values.reshape({64, 80, 1}))).value();
  MESSAGE("signals: ", correct(logits, test.labels), " of 64 right");
  CHECK(correct(logits, test.labels) >= 61);
  const std::vector<Index> of(64, 1);
  const auto all = explain::Lap{}(run, std::span<const Index>(of));
  Index hits = 0;
  for (std::size_t i = 1; i < 64; i += 2) {
    REQUIRE(all[i].map.shape() == std::array<std::size_t, 2>{1, 80});
    const auto most = std::max_element(all[i].ranking->begin(), all[i].ranking->end()) - all[i].ranking->begin();
    hits += std::abs(most - test.centres[i][2]) <= 2;
  }
  MESSAGE("signals: ", hits, " of 32 bumps hit");
  CHECK(hits >= 29);
}
