// The area under a learning curve, by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "../nn/helpers.hpp"
#include "limn/metrics/learning_curve.hpp"

using namespace limn;
using testing::message_of;

TEST_CASE("the area under a learning curve") {
  const std::vector<double> labels{10, 20, 40}, accuracy{.5, .7, .9};
  // (10 x .6 + 20 x .8) / 30
  CHECK(metrics::area_under_curve(labels, accuracy) == doctest::Approx(22. / 30));
  const std::vector<double> undefined{.5, NAN, .9}, falling{10, 20, 20};
  CHECK(std::isnan(metrics::area_under_curve(labels, undefined)));
  CHECK(message_of([&] { (void)metrics::area_under_curve(falling, accuracy); }) ==
        "area under a curve: x must rise, got 20 and then 20");
  CHECK(message_of([&] {
          (void)metrics::area_under_curve({labels.data(), 1}, {accuracy.data(), 1});
        }).starts_with("area under a curve: 1 and 1 numbers"));
}
