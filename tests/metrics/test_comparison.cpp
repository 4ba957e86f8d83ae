// Summaries and comparisons: quantiles from closed forms and printed tables, the rest by hand.
#include "limn/metrics/comparison.hpp"

#include <doctest/doctest.h>

#include "../nn/helpers.hpp"

using namespace limn;
using namespace limn::metrics;
using Values = std::vector<double>;
using doctest::Approx;

TEST_CASE("quantiles of Student's t: closed forms for 1 and 2 degrees of freedom, printed tables for more") {
  CHECK(student_t_quantile(.975, 1) == Approx(std::tan(.475 * 3.14159265358979)).epsilon(1e-9));
  CHECK(student_t_quantile(.975, 2) == Approx(.95 * std::sqrt(2 / (4 * .975 * .025))).epsilon(1e-9));
  CHECK(student_t_quantile(.975, 4) == Approx(2.776).epsilon(1e-3 / 2.776 / 2));
  CHECK(student_t_quantile(.975, 9) == Approx(2.262).epsilon(1e-3 / 2.262 / 2));
  CHECK(student_t_quantile(.95, 29) == Approx(1.699).epsilon(1e-3 / 1.699 / 2));
  CHECK(student_t_quantile(.025, 4) == -student_t_quantile(.975, 4));
  CHECK(student_t_quantile(.5, 4) == Approx(0).epsilon(1e-9));
  CHECK(std::isnan(student_t_quantile(.975, 0)));
  CHECK(testing::message_of([] { (void)student_t_quantile(1, 3); }) ==
        "student_t_quantile: p must lie between 0 and 1, got 1");
}

TEST_CASE("a summary: mean, deviation and the interval of the mean") {
  const Summary s = summary(Values{1, 2, undefined_value, 3});
  CHECK(s.mean == Approx(2));
  CHECK(s.std == Approx(1));
  CHECK(s.count == 3);
  CHECK(s.undefined == 1);
  // 2 +- 4.302653 / sqrt(3)
  CHECK(s.interval[0] == Approx(2 - 2.484138).epsilon(1e-6));
  CHECK(s.interval[1] == Approx(2 + 2.484138).epsilon(1e-6));
  const Summary one = summary(Values{5});
  CHECK(one.mean == 5);
  CHECK(std::isnan(one.interval[0]));
  CHECK(std::isnan(summary(Values{}).mean));
}

TEST_CASE("a comparison leaves out pairs without a value and gives both tests") {
  const Comparison c = compare("x", Values{3, 5, undefined_value, 8, 4}, Values{1, 2, 3, 4, undefined_value});
  CHECK(c.name == "x");
  CHECK(c.difference.count == 3);
  CHECK(c.difference.undefined == 2);
  CHECK(c.difference.mean == Approx(3));  // 2, 3, 4
  CHECK(c.effect == Approx(3));           // deviation 1
  CHECK(c.wilcoxon_p == Approx(.25));     // 2 of the 8 ways to give signs
  CHECK(c.rank_biserial == Approx(1));
  // t = 3 sqrt(3), 2 degrees: p = 1 - t / sqrt(t^2 + 2)
  CHECK(c.t_p == Approx(1 - std::sqrt(27.) / std::sqrt(29.)).epsilon(1e-9));
  CHECK(std::isnan(c.t_p_holm));
  CHECK(testing::message_of([] { (void)compare("y", Values{1}, Values{}); }) == "compare y: pairs of 1 and 0 values");
}

TEST_CASE("many comparisons are corrected together, each test by itself") {
  std::vector<Comparison> all(3);
  all[0].t_p = .01, all[1].t_p = .04, all[2].t_p = .03;
  all[0].wilcoxon_p = .5, all[2].wilcoxon_p = .02;  // the second one could not be computed
  correct_for_many(all);
  CHECK(all[0].t_p_holm == Approx(.03));
  CHECK(all[1].t_p_holm == Approx(.06));
  CHECK(all[2].t_p_holm == Approx(.06));
  CHECK(all[0].wilcoxon_p_holm == Approx(.5));
  CHECK(std::isnan(all[1].wilcoxon_p_holm));
  CHECK(all[2].wilcoxon_p_holm == Approx(.04));
}
