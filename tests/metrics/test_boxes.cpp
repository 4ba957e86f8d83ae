// Annotations captured and truncated IoU, by hand.
#include "limn/metrics/boxes.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace limn;
using namespace limn::metrics;
using doctest::Approx;

namespace {

const Map none(std::array<std::size_t, 2>{2, 4}, 0.f);
const Map left{{1, 1, 0, 0}, {1, 1, 0, 0}};
const Map right{{0, 0, 0, 1}, {0, 0, 0, 1}};
const Map ranking{{1, 8, 3, 7}, {5, 2, 6, 4}};

}  // namespace

TEST_CASE("an annotation is captured if half of it is inside") {
  CHECK(captured(Map{{1, 1, 1, 0}, {0, 0, 1, 0}}, {left, right}) == .5);  // 2 of 4, 0 of 2
  CHECK(captured(Map{{1, 0, 0, 1}, {0, 0, 0, 0}}, {left, right}) == .5);  // 1 of 4, 1 of 2
  CHECK(captured(left, {left}) == 1);
  CHECK(captured(none, {left, right}) == 0);
  CHECK(captured(left, {left, none}) == 1);  // an empty one is none
  CHECK(std::isnan(captured(left, {none})));
  CHECK(std::isnan(captured(left, {})));
}

TEST_CASE("truncated IoU asks for the better half of each annotation") {
  // Of `left` (1 8 / 5 2) the better half is 8 and 5, of `right` (7 / 4) it is 7: three pixels are wanted, three (1, 2,
  // 4) are left out, and two (3, 6) are outside.
  CHECK(truncated_iou(Map{{0, 1, 0, 1}, {1, 0, 0, 0}}, ranking, {left, right}) == 1);
  CHECK(truncated_iou(Map{{1, 1, 0, 1}, {1, 1, 0, 1}}, ranking, {left, right}) == 1);  // all of both
  CHECK(truncated_iou(Map{{0, 1, 1, 0}, {0, 1, 1, 0}}, ranking, {left, right}) == Approx(1. / (3 + 2)));
  CHECK(truncated_iou(none, ranking, {left, right}) == 0);
  CHECK(truncated_iou(Map(none.shape(), 1.f), ranking, {left, right}) == Approx(3. / 5));
  // Of three pixels the better two; of equals the first.
  const Map three{{1, 1, 1, 0}, {0, 0, 0, 0}}, ties{{4, 4, 4, 0}, {9, 9, 9, 9}};
  CHECK(truncated_iou(Map{{1, 1, 0, 0}, {0, 0, 0, 0}}, ties, {three}) == 1);
  CHECK(truncated_iou(Map{{0, 1, 1, 0}, {0, 0, 0, 0}}, ties, {three}) == .5);
  // What is the better half of one annotation is wanted, though it is the worse half of another.
  CHECK(truncated_iou(Map{{0, 1, 0, 0}, {1, 0, 0, 0}}, ranking, {left, Map{{1, 1, 0, 0}, {0, 0, 0, 0}}}) == 1);
  CHECK(truncated_iou(Map{{0, 1, 0, 0}, {1, 0, 0, 0}}, ranking, {left, Map{{1, 0, 0, 0}, {0, 1, 0, 0}}}) ==
        Approx(2. / 3));
  CHECK(truncated_iou(left, Map(none.shape(), -1e9f) + ranking * 0.f - ranking * 1e3f, {left}) == 1);  // far below 0
  CHECK(std::isnan(truncated_iou(left, ranking, {none})));
  CHECK(std::isnan(truncated_iou(left, Map(none.shape(), 2.f), {left})));
}

TEST_CASE("maps of other sizes are refused") {
  const Map small(std::array<std::size_t, 2>{1, 4}, 1.f);
  CHECK_THROWS_WITH_AS((void)captured(small, {left}), "localisation: the map is 1 x 4, its mask 2 x 4", ShapeError);
  CHECK_THROWS_WITH_AS((void)truncated_iou(left, small, {left}), "localisation: the map is 1 x 4, its mask 2 x 4",
                       ShapeError);
}
