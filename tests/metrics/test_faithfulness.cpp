// Faithfulness without a network: units and ranks, areas, which perturbed pictures are asked about, and what hand-made
// answers come to.
#include "limn/metrics/faithfulness.hpp"

#include <doctest/doctest.h>

#include "../evaluate/recorded_faithfulness.hpp"
#include "../nn/helpers.hpp"

using namespace limn;
using namespace limn::metrics;
using doctest::Approx;
using testing::message_of;

namespace {

using Counts = std::vector<Index>;

/// The picture's values by the names of the measures.
double value(const FaithfulnessPlan& plan, const PictureFaithfulness& picture, const std::string& name) {
  for (std::size_t k = 0; k < plan.measures().size(); ++k)
    if (plan.measures()[k] == name) return picture.values.at(k);
  FAIL("no measure ", name);
  return 0;
}

}  // namespace

TEST_CASE("units: pixels, and squares that are cut off at the edges") {
  CHECK(patches(2, 2).of == Counts{0, 1, 2, 3});
  const Units squares = patches(3, 5, 2);
  CHECK(squares.count == 6);
  CHECK(squares.of == Counts{0, 0, 1, 1, 2, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5});
  CHECK(message_of([] { (void)patches(2, 2, 0); }) == "faithfulness: patches of 0 pixels, expected 1 or more");
}

TEST_CASE("ranks: the highest first, among equals the first in reading order, units by their mean") {
  CHECK(ranks_of(Map{{1, 5}, {5, 7}}, patches(2, 2)) == Counts{3, 1, 2, 0});
  // Means of the squares: 2, 3 (one column of two), 2 (one row of two), 9.
  CHECK(ranks_of(Map{{1, 3, 4}, {0, 4, 2}, {3, 1, 9}}, patches(3, 3, 2)) == Counts{2, 2, 1, 2, 2, 1, 3, 3, 0});
  CHECK(message_of([] {
          (void)ranks_of(Map{{1, NAN}}, patches(1, 2));
        }) == "faithfulness: the map holds nan at pixel 1");
  CHECK(message_of([] {
          (void)ranks_of(Map{{1, 2}}, patches(2, 2));
        }) == "faithfulness: a map of 2 pixels, but units of 4");
}

TEST_CASE("areas by hand") {
  CHECK(area(std::vector<double>{0, .1, .5}, std::vector<double>{1, .5, 0}) == Approx(.075 + .1));
  CHECK(area(std::vector<double>{1, .5, 0}) == Approx(.5));
  CHECK(area(std::vector<double>{1, 0, 0}) == Approx(.25));
  CHECK(std::isnan(area(std::vector<double>{1})));
  CHECK(std::isnan(area(std::vector<double>{0}, std::vector<double>{1})));
  CHECK(message_of([] {
          (void)area(std::vector<double>{0, 0}, std::vector<double>{1, 1});
        }) == "area: position 1 is 0 after 0, expected to rise");
  CHECK(message_of([] {
          (void)area(std::vector<double>{0}, std::vector<double>{1, 1});
        }) == "area: 1 positions, but 2 values");
}

TEST_CASE("log-spaced counts are numpy's, but where numpy falls short of a whole number by rounding") {
  CHECK(log_spaced(25, 15) == testing::log_spaced_25);
  CHECK(log_spaced(100, 15) == testing::log_spaced_100);
  CHECK(log_spaced(1024, 15) == testing::log_spaced_1024);
  CHECK(log_spaced(64, 7) == Counts{1, 2, 4, 8, 16, 32, 64});
  CHECK(log_spaced(50176, 15).at(7) == 224);  // the root of 224 x 224; numpy: 223
  CHECK(log_spaced(9, 1) == Counts{1});
}

TEST_CASE("every perturbed picture is asked about once") {
  const FaithfulnessPlan plan({.keep = {.25, 1}, .points = 3, .shares = {.75}, .step = 3}, 4);
  // None; LIF 3 (a quarter stays), MIF 1, LIF 1, MIF 2, LIF 2, all, MIF 3; insertion from LIF 4 and by LIF 1.
  CHECK(plan.variants().size() == 10);
  CHECK(plan.variants().front().count == 0);
  for (std::size_t a = 0; a < plan.variants().size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const Perturbed &x = plan.variants()[a], &y = plan.variants()[b];
      CHECK((x.count != y.count || x.most_first != y.most_first || x.insertion != y.insertion));
    }
  CHECK(plan.measures() == std::vector<std::string>{"keep 25%", "keep 100%", "SRG", "LIF area", "MIF area",
                                                    "SRG of probability", "sufficiency", "comprehensiveness",
                                                    "insertion", "deletion"});
  CHECK(FaithfulnessPlan({.keep = {}, .points = 0, .shares = {}}, 4).measures().empty());
  const FaithfulnessPlan align(preset::align(), 100);
  CHECK(align.measures() == std::vector<std::string>{"sufficiency", "comprehensiveness"});
  CHECK(align.variants().size() == 11);  // the picture, and five shares that go or stay
}

TEST_CASE("measures of hand-made answers") {
  // Four pixels, ranks 1 0 3 2. An answer's probability falls by .4 with the most important pixel, by .3, .2, .1 with
  // the others; it agrees from .5 on.
  const FaithfulnessPlan plan({.keep = {.25, .5, .75}, .points = 4, .shares = {.25, .5}, .step = 1}, 4);
  const std::array<double, 4> worth{.4, .3, .2, .1};
  std::vector<Answer> answers;
  for (const Perturbed& variant : plan.variants()) {
    double p = 0;
    for (std::size_t rank = 0; rank < 4; ++rank)
      if (!variant.takes(static_cast<Index>(rank), 4)) p += worth[rank];
    answers.push_back({p >= .5 ? 1. : 0., p});
  }
  PictureFaithfulness picture;
  plan.measure({1, 0, 3, 2}, answers, picture);
  const auto of = [&](const char* name) { return value(plan, picture, name); };
  CHECK(of("keep 25%") == 0);
  CHECK(of("keep 50%") == 1);
  CHECK(of("keep 75%") == 1);
  // log_spaced(4, 4) is 1, 1.59, 2.52, 4: counts 0 1 2 4. MIF p: 1 .6 .3 0; LIF p: 1 .9 .7 0.
  CHECK(picture.taken.mif == std::vector<double>{0, .25, .5, 1});
  CHECK(picture.probability.lif.at(2) == Approx(.7));
  CHECK(of("MIF area") == Approx(.25 + .125));
  CHECK(of("LIF area") == Approx(.5 + .25));
  CHECK(of("SRG") == Approx(.375));
  CHECK(of("SRG of probability") == Approx((.2375 + .2 + .175) - (.2 + .1125 + .075)));
  CHECK(of("sufficiency") == Approx((.6 + .3) / 2));
  CHECK(of("comprehensiveness") == Approx((.4 + .7) / 2));
  CHECK(of("insertion") == Approx((.4 + .7 + .9 + .5) / 4));
  CHECK(of("deletion") == Approx((.5 + .6 + .3 + .1) / 4));
  CHECK(message_of([&] {
          plan.measure({1, 0, 3, 2}, {}, picture);
        }) == text("faithfulness: 0 answers to ", answers.size(), " pictures"));
}

TEST_CASE("SRG over shares that stay goes no further; units of unequal size count by their pixels") {
  const FaithfulnessPlan xray(
      [] {
        auto options = preset::lap_xray();
        options.keep = {};
        return options;
      }(),
      1000);
  Counts taken;
  for (const Perturbed& variant : xray.variants())
    if (variant.most_first) taken.push_back(variant.count);
  std::sort(taken.begin(), taken.end());
  // 500 to 990 of 1000 stay. Comprehensiveness takes 10, 50, 100, 200, 500.
  CHECK(taken == Counts{0, 10, 25, 50, 75, 100, 200, 300, 400, 500});

  const FaithfulnessPlan plan({.keep = {}, .retention = {.5}, .shares = {}}, 2);  // a square of 2 x 2 and a row of 2
  PictureFaithfulness picture;
  plan.measure(ranks_of(Map{{1, 1}, {1, 1}, {2, 2}}, patches(3, 2, 2)), {{1, 1}, {1, 1}, {1, 1}}, picture);
  CHECK(picture.taken.mif == std::vector<double>{0, 2. / 6});
  CHECK(picture.taken.lif == std::vector<double>{0, 4. / 6});
}

TEST_CASE("options that cannot be done are refused") {
  const auto refusal = [](const FaithfulnessOptions& options) {
    return message_of([&] { (void)FaithfulnessPlan(options, 4); });
  };
  CHECK(refusal({.keep = {0}}) == "faithfulness: keep holds 0, expected shares above 0 and at most 1");
  CHECK(refusal({.retention = {1}}) == "faithfulness: retention holds 1, expected shares above 0 and below 1");
  CHECK(refusal({.shares = {NAN}}) == "faithfulness: shares holds nan, expected shares above 0 and at most 1");
  CHECK(refusal({.retention = {.99}}) == "faithfulness: nothing of 4 units is taken away for SRG");
  CHECK(refusal({.batch = 0}) ==
        "faithfulness: points 15, degradation 0, step 0, top 1, batch 0: expected none below 0, the last two not 0");
}

TEST_CASE("means over the pictures, with the reasons where nothing is defined") {
  FaithfulnessPictures all{.explainer = "x", .measures = {"SRG", "keep 50%"}};
  all.pictures.push_back({.id = "a", .values = {.5, 1}, .taken = {{0, 1}, {0, 1}}, .agrees = {{1, 1}, {1, 0}}});
  all.pictures.push_back({.id = "b", .reason = "flat", .values = {NAN, NAN}});
  all.pictures.push_back({.id = "c", .values = {.25, 0}, .taken = {{0, 1}, {0, 1}}, .agrees = {{1, 0}, {1, 0}}});
  all.pictures.push_back({.id = "d", .reason = "flat", .values = {NAN, NAN}});
  const FaithfulnessScores scores = all.scores();
  CHECK(scores.images == 4);
  CHECK(scores.undefined == 2);
  CHECK(scores["SRG"] == Approx(.375));
  CHECK(scores.std[0] == Approx(.25 / std::sqrt(2)));
  CHECK(scores["keep 50%"] == Approx(.5));
  CHECK(scores.reasons == std::vector<std::string>{"2 of 4 pictures: flat"});
  CHECK(scores.taken == std::vector<double>{0, 1});
  CHECK(scores.agrees.lif == std::vector<double>{1, .5});
  CHECK(scores.agrees.mif == std::vector<double>{1, 0});
  all.pictures.push_back(
      {.id = "e", .values = {0, 0}, .taken = {{0, .5, 1}, {0, .5, 1}}, .agrees = {{1, 0, 0}, {1, 1, 0}}});
  CHECK(all.scores().taken.empty());  // no mean of curves with other points
  CHECK(all.scores().agrees.lif.empty());
  CHECK(all.scores()["SRG"] == Approx(.25));
  CHECK(message_of([&] { (void)scores["deletion"]; }) == "faithfulness: \"deletion\" was not measured");
  CHECK(message_of([&] { (void)all.column("deletion"); }) == "faithfulness: \"deletion\" was not measured");
}
