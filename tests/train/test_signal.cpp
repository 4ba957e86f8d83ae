// A data set of signals is one of pictures of one row: train::fit and evaluate take it.
#include <doctest/doctest.h>

#include "limn/evaluate/evaluate.hpp"
#include "limn/explain/lap/lap.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/lap.hpp"
#include "limn/loss/lap_expert.hpp"
#include "limn/nn/sequential.hpp"
#include "limn/nn/signal.hpp"
#include "limn/train/fit.hpp"

using namespace limn;

namespace {

/// Class 1 has a bump of five elements, marked in its mask.
data::Dataset signals(Index count, const std::string& name) {
  std::vector<data::Sample> samples;
  for (Index i = 0; i < count; ++i) {
    Random random(Seed{5}, name, i);
    data::Sample sample;
    sample.id = text(name, i);
    sample.label = i % 2;
    sample.image = xt::xtensor<float, 3>::from_shape({1, 40, 1});
    sample.mask.emplace(std::array<std::size_t, 2>{1, 40}, 0.f);
    const Index from = 1 + random.below(34);
    for (Index x = 0; x < 40; ++x) {
      const bool bump = sample.label == 1 && x >= from && x < from + 5;
      sample.image(0, x, 0) = static_cast<float>(.3 + .1 * random.normal() + (bump ? .5 : 0.));
      (*sample.mask)(0, x) = bump ? 1.f : 0.f;
    }
    samples.push_back(std::move(sample));
  }
  return {std::move(samples), {"flat", "bump"}};
}

}  // namespace

TEST_CASE("signals with masks: trained, scored, localised") {
  Sequential<Conv1d<Cpu, 1, 8, 5, 1, 2, false>, BatchNorm1d<Cpu, 8>, Relu<Cpu>,
             LapPool1d<Cpu, 8, lap::binary(), 3, 2, 1>, Conv1d<Cpu, 8, 16, 3, 1, 1, false>, BatchNorm1d<Cpu, 16>,
             Relu<Cpu>, LapPool1d<Cpu, 16, lap::binary(), 0>, Flatten<Cpu>, Linear<Cpu, 16, 2>>
      net;
  initialise(net, Seed{1});
  const auto loss = CrossEntropy{} + 2.f * LapExpertSupervision{{.min_active = .1f, .max_active = .3f}};
  (void)train::fit(net, loss, Adam{{.lr = 1e-2}}, signals(200, "train"), signals(40, "val"),
                   {.epochs = 6, .batch = 20, .quiet = true});
  const auto scores =
      evaluate(net, signals(60, "test"), metrics::Classification{}, metrics::Localisation{explain::Lap{}});
  MESSAGE("accuracy ", scores.classification.accuracy, ", IoU ", scores.localisation[0].iou_threshold);
  CHECK(scores.classification.accuracy > .95);
  CHECK(scores.localisation[0].iou_threshold > .5);
}
