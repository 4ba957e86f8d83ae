// LAPs as predictors of their own: readings of a pass, scores by hand, and a network that learns from clue sizes.
#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "limn/data/phantom/phantom.hpp"
#include "limn/evaluate/stand_alone.hpp"
#include "limn/loss/classification.hpp"
#include "limn/models/resnet.hpp"
#include "limn/nn/attach.hpp"
#include "limn/train/fit.hpp"

using namespace limn;

namespace {

LapReadings made(std::vector<Index> labels, std::vector<Index> predicted, xt::xtensor<float, 2> largest,
                 std::vector<int> sides, std::size_t classes) {
  LapReadings out;
  for (std::size_t i = 0; i < labels.size(); ++i) out.ids.push_back(text(i));
  for (std::size_t k = 0; k < classes; ++k) out.class_names.push_back(text("class ", k));
  out.labels = std::move(labels);
  out.predicted = std::move(predicted);
  out.clues = static_cast<Index>(largest.shape()[1]);
  out.largest = {largest};
  out.sizes = {std::move(largest)};
  out.sides = std::move(sides);
  return out;
}

}  // namespace

TEST_CASE("one clue, by hand: present where any element exceeds a half") {
  // Found: .9, .6, .51; not found: .5 (not above), .1, 0. Truth 1 1 0 1 0 0: hits .9 .6, false .51, missed .5:
  // F1 = 4 / (4 + 2), accuracy 4 / 6. The network said 1 1 1 0 0 0: three hits and nothing wrong.
  const LapReadings readings =
      made({1, 1, 0, 1, 0, 0}, {1, 1, 1, 0, 0, 0}, {{.9f}, {.6f}, {.51f}, {.5f}, {.1f}, {0.f}}, {-1, 1}, 2);
  const auto scores = stand_alone(readings);
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].predictivity.f1 == doctest::Approx(4. / 6));
  CHECK(scores[0].predictivity.accuracy == doctest::Approx(4. / 6));
  CHECK(scores[0].compatibility.f1 == 1);
  CHECK(scores[0].compatibility.accuracy == 1);
  CHECK(stand_alone(readings, .05f)[0].predictivity.f1 == doctest::Approx(6. / 8));
}

TEST_CASE("several clues: the mean of their F1, classes on neither side left out, undefined ones too") {
  // Clue 0: for class 0, against 1, says nothing of 2. Found in pictures 0 and 1: one hit, one false: F1 2 / 3; picture
  // 2 does not count. Clue 1: for class 2 against 1: found nowhere, missed once: 0. Clue 2: for class 3: never there,
  // never found.
  const LapReadings readings = made({0, 1, 2}, {0, 0, 0}, {{.9f, 0, 0}, {.9f, 0, 0}, {.9f, 0, 0}},
                                    {1, -1, 0, -1, 0, -1, 1, 0, -1, -1, -1, 1}, 4);
  const auto scores = stand_alone(readings);
  CHECK(scores[0].predictivity.f1 == doctest::Approx((2. / 3 + 0) / 2));
  CHECK(scores[0].predictivity.accuracy == doctest::Approx((1. + 1 + 3) / (2 + 2 + 3)));
  CHECK(scores[0].compatibility.f1 == 1);  // clues 1 and 2 are undefined
}

TEST_CASE("top-k accuracy by hand, ties by position") {
  const xt::xtensor<float, 2> scores{{.1f, .6f, .3f}, {.4f, .4f, .2f}, {.2f, .2f, .6f}};
  CHECK(metrics::top_k_accuracy(scores, {1, 1, 0}, 1) == doctest::Approx(1. / 3));
  CHECK(metrics::top_k_accuracy(scores, {1, 1, 0}, 2) == 1);
  CHECK(metrics::top_k_accuracy(scores, {0, 2, 1}, 2) == 0);
  CHECK(metrics::top_k_accuracy(scores, {0, 2, 1}, 5) == 1);
  CHECK(testing::message_of([&] {
          (void)metrics::top_k_accuracy(scores, {1, 1, 3}, 1);
        }) == "top-k accuracy: label 3 of row 2 is outside 0 to 2");
}

TEST_CASE("readings of a network are the maxima and sums of its maps") {
  const auto set = data::phantoms({.count = 37, .size = 32});  // more than one batch
  models::ResNetSmall<Cpu, 1, 2, pool::Lap> net{Seed{3}};
  for (const auto& leaf : leaves(net))
    if (leaf.path.ends_with("head.out.weight"))
      leaf.parameter->value() = testing::random_tensor<Cpu>(leaf.parameter->shape(), leaf.path);
  const LapReadings readings = read_laps(net, set);
  REQUIRE(readings.largest.size() == 4);
  CHECK(readings.clues == 1);
  CHECK(readings.table().side(0, 0) == -1);
  auto stream = data::Loader(set, {.batch = 37}).epoch(0);
  const Batch<Cpu> batch = to_batch<Cpu>(*stream.next());
  CHECK(readings.labels == batch.labels);
  Run<Cpu> run;
  CHECK(readings.predicted == predicted_classes(probabilities(net, batch.images, run)));
  for (std::size_t l = 0; l < 4; ++l) {
    const Tensor<Cpu>& logits = run.laps[l].logits.value();
    const Index size = logits.size() / 37;
    for (Index i = 0; i < 37; ++i) {
      double sum = 0, most = 0;
      for (Index e = 0; e < size; ++e) {
        const double p = 1 / (1 + std::exp(-static_cast<double>(logits.data()[i * size + e])));
        sum += p;
        most = std::max(most, p);
      }
      CHECK(readings.sizes[l](static_cast<std::size_t>(i), 0) == doctest::Approx(sum).epsilon(1e-4));
      CHECK(readings.largest[l](static_cast<std::size_t>(i), 0) == doctest::Approx(most).epsilon(1e-4));
    }
  }
  const models::ResNetSmall<Cpu, 1, 2> plain{Seed{3}};
  CHECK(testing::message_of([&] { (void)read_laps(plain, set); }) ==
        "read_laps: the network has no LAP (use pool::Lap or lap::attach)");
}

TEST_CASE("two layers learn classes from sizes that no single clue gives away") {
  // Class 0: clue 0 is the larger one; class 1: clue 1 is; class 2: both are small. The network's answer is the truth
  // but for class 2, which it takes for 0.
  const auto data = [](const std::string& key, std::size_t count) {
    std::vector<Index> labels, predicted;
    auto sizes = xt::xtensor<float, 2>::from_shape({count, 2});
    Random random(Seed{4}, key);
    for (std::size_t i = 0; i < count; ++i) {
      const auto label = static_cast<Index>(i % 3);
      const double base = label == 2 ? 2 : 10 + 10 * random.uniform();
      sizes(i, 0) = static_cast<float>(base + (label == 0 ? 5 : 0) + random.uniform());
      sizes(i, 1) = static_cast<float>(base + (label == 1 ? 5 : 0) + random.uniform());
      labels.push_back(label);
      predicted.push_back(label == 2 ? 0 : label);
    }
    return made(std::move(labels), std::move(predicted), std::move(sizes), {1, -1, -1, -1, 1, -1}, 3);
  };
  const LapReadings seen = data("train", 240), test = data("test", 90);
  ClueSizeNet<Cpu, 2, 3> net;
  initialise(net, Seed{7});
  (void)train::fit(net, CrossEntropy{}, Adam{{.lr = 1e-2}}, clue_sizes(seen, 0), clue_sizes(data("val", 60), 0),
                   {.epochs = 30, .quiet = true});
  const auto scores = clue_size_scores(net, test, 0);
  CHECK(scores.predictivity.top1 > .97);
  CHECK(scores.predictivity.f1 > .97);
  CHECK(scores.predictivity.top5 == 1);
  CHECK(scores.compatibility.top1 == doctest::Approx(2. / 3).epsilon(.05));
  CHECK(testing::message_of([&] { (void)clue_sizes(test, 1); }) == "clue_sizes: LAP 1, but there are 1");
}
