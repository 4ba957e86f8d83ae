// Running moments, ranks, intervals and DeLong's variance against hand calculation.
#include <doctest/doctest.h>

#include <cmath>

#include "limn/core/random.hpp"
#include "limn/metrics/statistics.hpp"

using namespace limn;
using namespace limn::metrics;

TEST_CASE("running mean and sample deviation leave NaN out and count it") {
  Running r;
  CHECK(std::isnan(r.mean()));
  r.add(4);
  CHECK(r.mean() == 4.0);
  CHECK(std::isnan(r.std()));
  for (double v : {7.0, 13.0, 16.0}) r.add(v);
  r.add(undefined_value);
  CHECK(r.mean() == doctest::Approx(10));
  CHECK(r.std() == doctest::Approx(std::sqrt(30.0)));  // (36 + 9 + 9 + 36) / 3
  CHECK(r.count() == 4);
  CHECK(r.undefined() == 1);
}

TEST_CASE("equal values share the mean of their ranks") {
  const std::vector<double> values{3, 1, 3, 2, 3};
  CHECK(midranks(values) == std::vector<double>{4, 1, 4, 2, 4});
}

TEST_CASE("AUC and DeLong's variance by hand") {
  // Positives 3, 2; negatives 2, 1, 0. Of six pairs five are won and one is tied: 5.5 / 6.
  // Shares won by the positives: 1, 5/6 (variance 1/72); by the negatives: 3/4, 1, 1 (variance 1/48).
  const Auc a = auc(std::vector<double>{3, 2}, std::vector<double>{2, 1, 0});
  CHECK(a.value == doctest::Approx(5.5 / 6));
  CHECK(a.variance == doctest::Approx(1.0 / 72 / 2 + 1.0 / 48 / 3));
  CHECK(std::isnan(auc(std::vector<double>{}, std::vector<double>{1}).value));
  CHECK(std::isnan(auc(std::vector<double>{2}, std::vector<double>{1, 0}).variance));
}

TEST_CASE("AUC and variance equal their definition over all pairs, for random scores with ties") {
  for (std::uint64_t trial = 0; trial < 50; ++trial) {
    Random random(Seed{11}, trial);
    std::vector<double> p(static_cast<std::size_t>(2 + random.below(20))),
        n(static_cast<std::size_t>(2 + random.below(20)));
    for (double& v : p) v = static_cast<double>(random.below(8) + 1);
    for (double& v : n) v = static_cast<double>(random.below(8));
    std::vector<Running> won_by_positive(p.size()), won_by_negative(n.size());
    for (std::size_t i = 0; i < p.size(); ++i)
      for (std::size_t j = 0; j < n.size(); ++j) {
        const double win = p[i] > n[j] ? 1 : p[i] == n[j] ? 0.5 : 0;
        won_by_positive[i].add(win);
        won_by_negative[j].add(win);
      }
    Running a, b;
    for (const Running& r : won_by_positive) a.add(r.mean());
    for (const Running& r : won_by_negative) b.add(r.mean());
    const Auc result = auc(p, n);
    CHECK(result.value == doctest::Approx(a.mean()));
    CHECK(result.variance == doctest::Approx(a.std() * a.std() / static_cast<double>(p.size()) +
                                             b.std() * b.std() / static_cast<double>(n.size())));
  }
}

TEST_CASE("Wilson's interval stays inside [0, 1] and is undefined for no trials") {
  // 0 of 10: the upper end is z^2 / (n + z^2).
  const double z2 = 3.8414588206941236;
  CHECK(wilson_interval(0, 10)[0] == 0.0);
  CHECK(wilson_interval(0, 10)[1] == doctest::Approx(z2 / (10 + z2)));
  CHECK(wilson_interval(10, 10)[1] == doctest::Approx(1));
  CHECK(wilson_interval(10, 10)[1] <= 1);
  CHECK(std::isnan(wilson_interval(0, 0)[0]));
}
