// Saliency precision and annotation coverage against hand calculation.
#include "limn/metrics/saliency.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "../nn/helpers.hpp"

using namespace limn;
using namespace limn::metrics;
using testing::message_of;

namespace {

const Map map{{2, 3, 4, 7}, {5, 6, 8, 5}};
const Map mask{{0, 0, 1, 1}, {0, 0, 1, 0}};
const Map none(std::array<std::size_t, 2>{2, 4}, 0.f), flat(std::array<std::size_t, 2>{2, 4}, 3.f);

}  // namespace

TEST_CASE("precision by hand") {
  // Half of 8 pixels: 8, 7, 6 and the first of the two fives. Two of them are inside.
  CHECK(top_saliency_precision(map, mask) == doctest::Approx(2. / 4));
  CHECK(top_saliency_precision(map, mask, .25f) == 1);                       // 8 and 7
  CHECK(top_saliency_precision(map, mask, .3f) == doctest::Approx(2. / 3));  // ceil(2.4) pixels
  CHECK(top_saliency_precision(map, mask, 1) == doctest::Approx(3. / 8));    // the mask's share of the picture
  // Less 2, the smallest: 0 1 2 5 3 4 6 3, sum 24; inside 2 + 5 + 6.
  CHECK(all_saliency_precision(map, mask) == doctest::Approx(13. / 24));
  Map moved = map;
  for (float& v : moved) v = 10 * v - 400;
  CHECK(all_saliency_precision(moved, mask) == doctest::Approx(13. / 24));
  for (const Map& undefined : {flat, none}) {
    CHECK(std::isnan(top_saliency_precision(undefined, mask)));
    CHECK(std::isnan(all_saliency_precision(undefined, mask)));
  }
  CHECK(std::isnan(top_saliency_precision(map, none)));
  CHECK(std::isnan(all_saliency_precision(map, none)));
}

TEST_CASE("what hangs together is one annotation, corners included") {
  const Map two{{1, 1, 0, 0, 1}, {0, 0, 1, 0, 1}, {0, 0, 0, 0, 0}, {1, 0, 0, 0, 1}};
  const auto parts = components(two);
  REQUIRE(parts.size() == 4);
  CHECK(parts[0] == Map{{1, 1, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}});
  CHECK(parts[1] == Map{{0, 0, 0, 0, 1}, {0, 0, 0, 0, 1}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}});
  CHECK(mask_size(parts[2]) == 1);
  CHECK(parts[3](3, 4) == 1);
  CHECK(components(none).empty());
}

TEST_CASE("coverage by hand") {
  const Map first{{1, 1, 0, 0}, {0, 0, 0, 0}}, second{{0, 0, 0, 1}, {0, 0, 0, 1}}, third{{0, 0, 0, 0}, {1, 1, 0, 0}};
  // Salient: 8, 7, 6 and the five in the first column. The first box has none of them, the second one of two, the third
  // both.
  CHECK(annotation_coverage(map, {first, second, third}) == doctest::Approx(2. / 3));
  CHECK(annotation_coverage(map, {first, second, third}, {.tau = .5}) == doctest::Approx(2. / 3));
  CHECK(annotation_coverage(map, {first, second, third}, {.tau = .51}) == doctest::Approx(1. / 3));
  CHECK(annotation_coverage(map, {first, second, third}, {.share = .25f, .tau = .51}) == 0);
  CHECK(annotation_coverage(map, {first, none}) == 0);  // an empty one is no annotation
  CHECK(std::isnan(annotation_coverage(map, {none})));
  CHECK(std::isnan(annotation_coverage(map, {})));
  CHECK(std::isnan(annotation_coverage(flat, {first})));
}

TEST_CASE("a study: means, deviations, what is undefined and why") {
  SaliencyStudy study("mine");
  const auto one = study.add(map, mask);  // the mask hangs together
  CHECK(one[0] == .5);
  CHECK(one[2] == 1);
  const Map left{{1, 1, 0, 0}, {0, 0, 0, 0}};
  CHECK(study.add(map, left)[0] == 0);
  (void)study.add(map, none);
  (void)study.add(flat, mask);
  const Map right{{0, 0, 0, 1}, {0, 0, 0, 1}};
  CHECK(study.add(map, mask, {left, right})[2] == .5);  // boxes that were given stand for the components
  const SaliencyScores s = study.scores();
  CHECK(s.explainer == "mine");
  CHECK(s.images == 5);
  CHECK(s.top_precision == doctest::Approx(1. / 3));
  CHECK(s.top_precision_std == doctest::Approx(std::sqrt(1. / 12)));
  CHECK(s.all_precision == doctest::Approx((13. / 24 + 1. / 24 + 13. / 24) / 3));
  CHECK(s.coverage == doctest::Approx(.5));
  CHECK(s.mask_area == doctest::Approx((3. / 8 * 3 + 2. / 8) / 4));
  CHECK(s.undefined == 2);
  CHECK(s.reasons == std::vector<std::string>{"1 of 5 pictures: the mask is empty",
                                              "1 of 5 pictures: the map is the same everywhere"});
  CHECK(std::isnan(SaliencyStudy("empty").scores().coverage));
}

TEST_CASE("what does not fit is refused") {
  CHECK(message_of([] { (void)top_saliency_precision(map, mask, 0); }) ==
        "top saliency precision: share must be above 0 and at most 1, got 0");
  CHECK(message_of([] { (void)annotation_coverage(map, {mask}, {.tau = 0}); }) ==
        "annotation coverage: share and tau must be above 0 and at most 1, got 0.5 and 0");
  CHECK(message_of([] {
          (void)annotation_coverage(map, {Map(std::array<std::size_t, 2>{2, 2}, 1.f)});
        }).starts_with("localisation: the map is 2 x 4, its mask 2 x 2"));
}
