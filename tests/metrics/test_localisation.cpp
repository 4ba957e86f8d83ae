// Localisation measures against hand calculation, the learned threshold against scikit-learn (oracle.py).
#include <doctest/doctest.h>

#include <cmath>

#include "limn/core/random.hpp"
#include "limn/metrics/localisation_study.hpp"
#include "recorded/oracle.hpp"

using namespace limn;
using namespace limn::metrics;

namespace {

const Map none(std::array<std::size_t, 2>{2, 4}, 0.f);
const Map map{{0, 1, 2, 5}, {3, 4, 6, 3}};
const Map mask{{0, 0, 1, 1}, {0, 0, 1, 0}};

std::vector<float> values(const Map& m) { return {m.data(), m.data() + m.size()}; }

}  // namespace

TEST_CASE("binarisations by hand") {
  // Sum 24, mean 3; squared differences 9 + 4 + 1 + 4 + 0 + 1 + 9 + 0 = 28; std = sqrt(3.5) = 1.87; limit 4.87.
  CHECK(values(mean_plus_std(map)) == std::vector<float>{0, 0, 0, 1, 0, 0, 1, 0});
  CHECK(values(top_k(map, 3)) == std::vector<float>{0, 0, 0, 1, 0, 1, 1, 0});
  // 3 stands at positions 4 and 7: the first wins.
  CHECK(values(top_k(map, 4)) == std::vector<float>{0, 0, 0, 1, 1, 1, 1, 0});
  CHECK(values(top_k(map, 0)) == values(none));
  CHECK(values(fixed_threshold(map, 3)) == std::vector<float>{0, 0, 0, 1, 0, 1, 1, 0});
  CHECK(values(mean_plus_std(Map(map.shape(), .7f))) == values(none));
}

TEST_CASE("IoU, mass, rank and pointing by hand") {
  CHECK(iou(top_k(map, 3), mask) == doctest::Approx(2.0 / 4));
  CHECK(iou(mask, mask) == 1.0);
  CHECK(iou(none, mask) == 0.0);
  CHECK(relevance_mass_accuracy(map, mask) == doctest::Approx(13.0 / 24));
  CHECK(relevance_rank_accuracy(map, mask) == doctest::Approx(2.0 / 3));
  CHECK(pointing_game(map, mask) == 1.0);
  // Negative values carry no mass, but are ranked.
  const Map drawn{{-5, -1, 2, -3}, {6, -2, -4, -6}};
  CHECK(relevance_mass_accuracy(drawn, mask) == doctest::Approx(2.0 / 8));
  CHECK(relevance_rank_accuracy(drawn, mask) == doctest::Approx(1.0 / 3));
  CHECK(pointing_game(drawn, mask) == 0.0);
}

TEST_CASE("empty masks and maps without a ranking are undefined, never 0 or 1") {
  CHECK(std::isnan(iou(map, none)));
  CHECK(std::isnan(relevance_mass_accuracy(map, none)));
  CHECK(std::isnan(relevance_rank_accuracy(map, none)));
  CHECK(std::isnan(pointing_game(map, none)));
  CHECK(std::isnan(relevance_mass_accuracy(none, mask)));
  const Map flat(map.shape(), 2.f);
  CHECK(std::isnan(relevance_rank_accuracy(flat, mask)));
  CHECK(std::isnan(pointing_game(flat, mask)));
  CHECK(relevance_mass_accuracy(flat, mask) == doctest::Approx(3.0 / 8));
}

TEST_CASE("bad maps are refused with what is wrong") {
  CHECK_THROWS_WITH_AS((void)iou(Map(std::array<std::size_t, 2>{3, 4}, 1.f), mask),
                       "localisation: the map is 3 x 4, its mask 2 x 4", ShapeError);
  Map broken = map;
  broken(1, 1) = NAN;
  CHECK_THROWS_WITH_AS((void)relevance_mass_accuracy(broken, mask), "localisation: the map holds nan at pixel 5",
                       Error);
  CHECK_THROWS_WITH_AS((void)pointing_game(map, map), "localisation: expected a mask of 0 and 1, got 2 at pixel 2",
                       Error);
  CHECK_THROWS_WITH_AS((void)top_k(map, 9), "top k: expected 0 to 8 pixels, got 9", OptionError);
  CHECK_THROWS_WITH_AS((void)max_normalised(none), "max normalisation: the map has no positive value", Error);
}

TEST_CASE("the learned threshold is scikit-learn's balanced ridge classifier") {
  LearnedThreshold learned;
  CHECK_FALSE(learned.fitted());
  CHECK_THROWS_WITH_AS((void)learned.slope(), doctest::Contains("learned threshold: it has seen no map"), Error);
  std::vector<Map> maps, masks;
  for (std::size_t i = 0; i < 3; ++i) {
    maps.emplace_back(std::array<std::size_t, 2>{5, 6});
    masks.emplace_back(std::array<std::size_t, 2>{5, 6});
    std::copy_n(oracle::ridge_maps.begin() + static_cast<Index>(30 * i), 30, maps[i].data());
    std::copy_n(oracle::ridge_masks.begin() + static_cast<Index>(30 * i), 30, masks[i].data());
    learned.add(maps[i], masks[i]);
  }
  learned.add(Map(maps[0].shape(), 0.f), masks[0]);  // nothing to teach
  learned.add(maps[0], Map(maps[0].shape(), 0.f));
  CHECK(learned.slope() == doctest::Approx(oracle::ridge_fit[0]).epsilon(1e-6));
  CHECK(learned.intercept() == doctest::Approx(oracle::ridge_fit[1]).epsilon(1e-6));
  CHECK(learned.threshold() == doctest::Approx(-oracle::ridge_fit[1] / oracle::ridge_fit[0]).epsilon(1e-6));
  for (std::size_t i = 0; i < 3; ++i) {
    const Map binary = learned(maps[i]);
    for (std::size_t k = 0; k < 30; ++k) CHECK((binary.data()[k] > 0) == (oracle::ridge_predicted[30 * i + k] > 0));
  }
}

TEST_CASE("maps that were higher outside the masks give a classifier that says so") {
  LearnedThreshold learned;
  learned.add(map, Map{{1, 1, 1, 0}, {0, 0, 0, 0}});  // inside 0, 1, 2; outside 5, 3, 4, 6, 3 (of 6)
  CHECK(learned.slope() < 0);
  CHECK(learned.threshold() == doctest::Approx((1.0 + 21.0 / 5) / 2 / 6));
  CHECK(values(learned(map)) == std::vector<float>{1, 1, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("a study's means are over the pictures on which a measure is defined") {
  LearnedThreshold learned;
  learned.add(map, mask);  // inside 2, 5, 6; outside 0, 1, 3, 4, 3: threshold (13/3 + 11/5) / 2 = 3.27 of 6
  LocalisationStudy study("Grad-CAM", {.probability = false, .learned = learned});
  const Map corner{{0, 0, 0, 0}, {1, 0, 0, 0}};
  const Map half{{0, 2, 0, 0}, {8, 0, 0, 0}};
  study.add(map, mask);     // shares of 6 above .5: 5, 4, 6: IoU 2/4
  study.add(half, corner);  // only the 8: IoU 1
  study.add(none, mask);    // marks nothing
  study.add(map, none);     // nothing to be found
  study.add(Map(map.shape(), 3.f), mask);
  const LocalisationScores s = study.scores();
  CHECK(s.explainer == "Grad-CAM");
  CHECK(s.images == 5);
  CHECK(s.undefined == 3);
  CHECK(s.reasons == std::vector<std::string>{"1 of 5 pictures: the mask is empty",
                                              "1 of 5 pictures: the map has no positive value",
                                              "1 of 5 pictures: the map is the same everywhere"});
  CHECK(s.iou_threshold == doctest::Approx((2.0 / 4 + 1 + 0 + 3.0 / 8) / 4));
  CHECK(s.iou_mean_std == doctest::Approx((2.0 / 3 + 1) / 2));
  CHECK(s.iou_top_k == doctest::Approx((2.0 / 4 + 1) / 2));
  CHECK(s.iou_top_k_std == doctest::Approx(0.5 / std::sqrt(2.0)));
  CHECK(s.iou_learned == doctest::Approx((2.0 / 4 + 1 + 3.0 / 8) / 3));
  CHECK(s.rma == doctest::Approx((13.0 / 24 + 0.8 + 3.0 / 8) / 3));
  CHECK(s.rra == doctest::Approx((2.0 / 3 + 1) / 2));
  CHECK(s.pointing == 1.0);
  CHECK(s.mask_area == doctest::Approx((3.0 / 8 * 3 + 1.0 / 8) / 4));
}

TEST_CASE("a study of probabilities takes the threshold as it is; bad options are refused") {
  LocalisationStudy study("LAP", {.threshold = 3.0 / 8});
  study.add(Map{{0, 0, .4f, .4f}, {.3f, 0, .3f, 0}}, mask);
  CHECK(study.scores().iou_threshold == doctest::Approx(2.0 / 3));
  CHECK(std::isnan(study.scores().iou_learned));
  CHECK_THROWS_WITH_AS(LocalisationStudy("x", {.threshold = 1}),
                       "localisation study: expected a threshold in [0, 1), got 1", OptionError);
  CHECK_THROWS_WITH_AS(LocalisationStudy("x", {.learned = LearnedThreshold{}}),
                       "localisation study: the learned threshold has seen no validation mask", OptionError);
}

TEST_CASE("random maps score the mask's area: the baseline that the report states") {
  LocalisationStudy study("random");
  for (std::uint64_t picture = 0; picture < 400; ++picture) {
    Random random(Seed{5}, picture);
    Map noise(std::array<std::size_t, 2>{16, 16}), box(noise.shape(), 0.f);
    for (float& v : noise.storage()) v = static_cast<float>(random.uniform());
    const Index size = 3 + random.below(8), top = random.below(17 - size), left = random.below(17 - size);
    for (Index y = top; y < top + size; ++y)
      for (Index x = left; x < left + size; ++x) box(y, x) = 1;
    study.add(noise, box);
  }
  const LocalisationScores s = study.scores();
  CHECK(s.rma == doctest::Approx(s.mask_area).epsilon(.02));
  CHECK(s.rra == doctest::Approx(s.mask_area).epsilon(.04));
  CHECK(s.undefined == 0);
}
