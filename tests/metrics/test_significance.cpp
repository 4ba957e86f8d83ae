// Tests of significance against scipy (significance.py), effect sizes and Holm's correction by hand.
#include "limn/metrics/significance.hpp"

#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "recorded/recorded_significance.hpp"

using namespace limn;
using namespace limn::metrics;
using Values = std::vector<double>;
using testing::message_of;

namespace {
void check_t(const TestResult& found, const Values& expected) {
  CHECK(found.statistic == doctest::Approx(expected[0]).epsilon(1e-10));
  CHECK(found.p == doctest::Approx(expected[1]).epsilon(1e-9));
  CHECK(found.degrees == doctest::Approx(expected[2]).epsilon(1e-10));
}
void check_w(const WilcoxonResult& found, const Values& expected, bool exact) {
  CHECK(found.statistic == expected[0]);
  CHECK(found.p == doctest::Approx(expected[1]).epsilon(1e-9));
  CHECK(found.exact == exact);
}
}  // namespace

TEST_CASE("t-tests are scipy's") {
  check_t(paired_t_test(recorded::a, recorded::b), recorded::paired_t);
  check_t(t_test(recorded::a, recorded::c, true), recorded::student_t);
  check_t(t_test(recorded::a, recorded::c), recorded::welch_t);
  for (std::size_t i = 0; i < recorded::t_values.size(); ++i)
    CHECK(student_t_p(recorded::t_values[i], recorded::t_degrees[i]) ==
          doctest::Approx(recorded::t_p[i]).epsilon(1e-9).scale(0));
  CHECK(student_t_p(1, 1) == doctest::Approx(.5));  // Cauchy: a quarter on each side
  CHECK(std::isnan(paired_t_test(Values{1, 2}, Values{0, 1}).p));
  CHECK(std::isnan(paired_t_test(Values{1}, Values{0}).p));
  CHECK(std::isnan(t_test(Values{1, 1}, Values{2, 2}).p));
  CHECK(std::isnan(t_test(Values{1}, Values{2, 3}).p));
}

TEST_CASE("Wilcoxon's test is scipy's: exact, with ties and zeros, and for many pairs") {
  check_w(wilcoxon(recorded::a, recorded::b), recorded::wilcoxon_exact, true);
  check_w(wilcoxon(recorded::five, Values(5, 0.)), recorded::wilcoxon_five, true);
  Values many_x, many_y;
  for (int i = 0; i < 3; ++i) {
    many_x.insert(many_x.end(), recorded::coarse_x.begin(), recorded::coarse_x.end());
    many_y.insert(many_y.end(), recorded::coarse_y.begin(), recorded::coarse_y.end());
  }
  check_w(wilcoxon(many_x, many_y), recorded::wilcoxon_ties, false);
  check_w(wilcoxon(recorded::big, recorded::other), recorded::wilcoxon_many, false);
  CHECK(wilcoxon(many_x, many_y).pairs < 120);
  const Values few_x(recorded::coarse_x.begin(), recorded::coarse_x.begin() + 12);
  const Values few_y(recorded::coarse_y.begin(), recorded::coarse_y.begin() + 12);
  check_w(wilcoxon(few_x, few_y), recorded::wilcoxon_few_ties, true);
  // Five pairs that agree: 2 of 32 ways, equal differences or not.
  CHECK(wilcoxon(Values{1, 1, 1, 2, 2}, Values(5, 0.)).p == doctest::Approx(2. / 32));
  // By hand: differences 1, -2, 3; ranks 1, 2, 3; positive 4, negative 2. Of 8 ways 3 give a sum up to 2, on each side.
  const auto w = wilcoxon(Values{1, 0, 3}, Values{0, 2, 0});
  CHECK(w.statistic == 2);
  CHECK(w.p == doctest::Approx(6. / 8));
  CHECK(w.rank_biserial == doctest::Approx(2. / 6));
  CHECK(wilcoxon(Values{0, 2, 0}, Values{1, 0, 3}).rank_biserial == doctest::Approx(-2. / 6));
  CHECK(wilcoxon(Values{1, 2, 3}, Values{0, 0, 0}).rank_biserial == 1);
  CHECK(std::isnan(wilcoxon(Values{1, 2}, Values{1, 2}).p));
  CHECK(std::isnan(wilcoxon({}, {}).p));
}

TEST_CASE("effect sizes by hand") {
  // Differences 1, 2, 3: mean 2, deviation 1.
  CHECK(cohens_d_paired(Values{2, 4, 6}, Values{1, 2, 3}) == doctest::Approx(2));
  // Variances 1 and 4 pooled over 2 + 2 degrees: 2.5.
  CHECK(cohens_d(Values{1, 2, 3}, Values{2, 4, 6}) == doctest::Approx(-2 / std::sqrt(2.5)));
  CHECK(std::isnan(cohens_d(Values{1, 1}, Values{1, 1})));
  CHECK(std::isnan(cohens_d_paired(Values{2, 3}, Values{1, 2})));
}

TEST_CASE("Holm's correction by hand") {
  // Sorted .01 .02 .03 .04: times 4, 3, 2, 1, never falling.
  const auto corrected = holm(Values{.04, .01, undefined_value, .03, .02});
  const Values expected{.06, .04, 0, .06, .06};
  for (const std::size_t i : {0, 1, 3, 4}) CHECK(corrected[i] == doctest::Approx(expected[i]));
  CHECK(std::isnan(corrected[2]));
  CHECK(holm(Values{.6, .9}) == Values{1, 1});
  CHECK(holm({}).empty());
  CHECK(message_of([] { (void)holm(Values{1.5}); }) == "holm: p-value 0 is 1.5");
}

TEST_CASE("bootstrap intervals: scipy's, up to chance, and the same for a seed") {
  const auto mean = bootstrap_interval(recorded::a, {.resamples = 20000, .seed = Seed{3}});
  CHECK(mean[0] == doctest::Approx(recorded::bootstrap_mean[0]).epsilon(1e-3));
  CHECK(mean[1] == doctest::Approx(recorded::bootstrap_mean[1]).epsilon(1e-3));
  const auto median = [](std::span<const double> values) {
    Values sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    return (sorted[sorted.size() / 2] + sorted[(sorted.size() - 1) / 2]) / 2;
  };
  const auto interval = bootstrap_interval(recorded::big, median, {.level = .9, .seed = Seed{3}});
  for (const std::size_t i : {0, 1}) CHECK(std::abs(interval[i] - recorded::bootstrap_median_90[i]) < .02);
  CHECK(bootstrap_interval(recorded::a) == bootstrap_interval(recorded::a));
  CHECK(bootstrap_interval(recorded::a) != bootstrap_interval(recorded::a, {.seed = Seed{1}}));
  CHECK(bootstrap_interval(Values{2, 2, 2}) == std::array{2., 2.});
  CHECK(std::isnan(bootstrap_interval(Values{})[0]));
}

TEST_CASE("bad values are refused") {
  CHECK(message_of([] { (void)wilcoxon(Values{1, 2}, Values{1}); }) == "wilcoxon: pairs of 2 and 1 values");
  CHECK(message_of([] { (void)paired_t_test(Values{1, NAN}, Values{1, 2}); }) == "paired t-test: value 1 is nan");
  CHECK(message_of([] { (void)t_test(Values{1, 2}, Values{INFINITY, 2}); }) == "t-test: value 0 is inf");
  CHECK(message_of([] { (void)bootstrap_interval(Values{1}, {.level = 1}); }).starts_with("bootstrap: expected 1"));
}
