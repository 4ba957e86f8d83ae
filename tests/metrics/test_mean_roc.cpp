// Vertical averaging of ROC curves, by hand.
#include "limn/metrics/mean_roc.hpp"

#include <doctest/doctest.h>

using namespace limn;
using namespace limn::metrics;

TEST_CASE("the mean of ROC curves at equally spaced rates") {
  const std::vector<RocPoint> steps{{0, 0}, {0, .5}, {.5, .5}, {.5, 1}, {1, 1}}, coin{{0, 0}, {1, 1}};
  const MeanRoc mean = mean_roc({steps, coin, {}}, 5);
  CHECK(mean.false_positive_rate == std::vector<double>{0, .25, .5, .75, 1});
  CHECK(mean.mean == std::vector<double>{.25, .375, .75, .875, 1});  // where a curve rises straight up: its upper end
  CHECK(mean.std[0] == doctest::Approx(.5 / std::sqrt(2.)));
  CHECK(mean.std[2] == doctest::Approx(.5 / std::sqrt(2.)));
  CHECK(mean.std[4] == 0);
  CHECK(std::isnan(mean_roc({coin}, 3).std[1]));
  CHECK(mean_roc({{}, {}}).mean.empty());
  CHECK(mean_roc({}).mean.empty());
  CHECK_THROWS_WITH_AS((void)mean_roc({coin}, 1), "mean_roc: expected at least 2 places, got 1", OptionError);
}

TEST_CASE("curves of classification() can be averaged") {
  const xt::xtensor<float, 2> p{{.9f, .1f}, {.4f, .6f}, {.6f, .4f}, {.2f, .8f}};
  const auto scores = classification(p, {0, 0, 1, 1});
  // Scores .1 and .6 of class 0, .4 and .8 of class 1: (0, 0), (0, .5), (.5, .5), (.5, 1), (1, 1).
  CHECK(mean_roc({scores.roc}, 3).mean == std::vector<double>{.5, 1, 1});
}
