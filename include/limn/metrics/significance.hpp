// Is a difference more than chance: t-tests, Wilcoxon's signed-rank test, effect sizes, Holm's correction for many
// comparisons, bootstrap intervals. All tests are two-sided. NaN in the data is refused: leave such pairs out first and
// say how many. What cannot be computed is NaN.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/core/function_ref.hpp"
#include "limn/core/random.hpp"
#include "limn/metrics/statistics.hpp"

namespace limn::metrics {

namespace detail {

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8,
/// evaluated by Lentz's method).
[[gnu::cold]] inline double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  constexpr double tiny = 1e-300;
  const auto away = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m <= 10000; ++m) {
    double change = 1;
    const double k = m;
    const std::array<double, 2> terms{k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)),
                                      -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))};
    for (const double term : terms) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      change = c * d;
      value *= change;
    }
    if (std::abs(change - 1) < 1e-15) break;
  }
  return std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) / a *
         value;
}

[[gnu::cold]] inline void check_values(const char* what, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    require(std::isfinite(values[i]), what, ": value ", i, " is ", values[i]);
}

[[gnu::cold]] inline std::vector<double> differences(const char* what, std::span<const double> a,
                                                     std::span<const double> b) {
  require<ShapeError>(a.size() == b.size(), what, ": pairs of ", a.size(), " and ", b.size(), " values");
  check_values(what, a);
  check_values(what, b);
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = a[i] - b[i];
  return out;
}

[[gnu::cold]] inline Running moments_of(std::span<const double> values) {
  Running out;
  for (const double v : values) out.add(v);
  return out;
}

}  // namespace detail

/// The chance of a t at least so far from 0, on either side, with so many degrees of freedom.
[[nodiscard]] inline double student_t_p(double t, double degrees) {
  if (std::isnan(t) || !(degrees > 0)) return undefined_value;
  return std::isinf(t) ? 0 : detail::incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

struct TestResult {
  double statistic = undefined_value;
  double p = undefined_value;        ///< two-sided
  double degrees = undefined_value;  ///< of freedom, for t
};

/// Student's t-test of paired values; NaN where all differences are equal or there is one pair.
[[nodiscard, gnu::cold]] inline TestResult paired_t_test(std::span<const double> a, std::span<const double> b) {
  const Running d = detail::moments_of(detail::differences("paired t-test", a, b));
  if (d.count() < 2 || d.std() == 0) return {};
  const double n = static_cast<double>(d.count()), t = d.mean() / (d.std() / std::sqrt(n));
  return {t, student_t_p(t, n - 1), n - 1};
}

/// The t-test of two samples; by default Welch's, which does not take their variances for equal.
[[nodiscard, gnu::cold]] inline TestResult t_test(std::span<const double> a, std::span<const double> b,
                                                  bool equal_variances = false) {
  detail::check_values("t-test", a);
  detail::check_values("t-test", b);
  const Running x = detail::moments_of(a), y = detail::moments_of(b);
  const double n = static_cast<double>(x.count()), m = static_cast<double>(y.count());
  if (n < 2 || m < 2 || (x.std() == 0 && y.std() == 0)) return {};
  const double u = x.std() * x.std(), v = y.std() * y.std();
  double degrees = n + m - 2, error = 0;
  if (equal_variances) {
    error = ((n - 1) * u + (m - 1) * v) / degrees * (1 / n + 1 / m);
  } else {
    error = u / n + v / m;
    degrees = error * error / (u * u / (n * n * (n - 1)) + v * v / (m * m * (m - 1)));
  }
  const double t = (x.mean() - y.mean()) / std::sqrt(error);
  return {t, student_t_p(t, degrees), degrees};
}

/// Wilcoxon's signed-rank test of paired values (1945); pairs without a difference are left out. Up to 50 pairs p is
/// exact, with ties too (scipy approximates it then): with five pairs it cannot be below 1/16. For more it is the
/// normal approximation with the correction for ties and without that for continuity, as scipy's. The statistic is the
/// smaller sum of ranks.
struct WilcoxonResult {
  double statistic = undefined_value, p = undefined_value;
  double rank_biserial =
      undefined_value;  ///< (sum of positive ranks - of negative ones) / of all: -1 to 1 (Kerby 2014)
  bool exact = false;
  Index pairs = 0;  ///< that differ
};
[[nodiscard, gnu::cold]] inline WilcoxonResult wilcoxon(std::span<const double> a, std::span<const double> b) {
  std::vector<double> d = detail::differences("wilcoxon", a, b);
  std::erase(d, 0.0);
  WilcoxonResult out;
  out.pairs = static_cast<Index>(d.size());
  if (d.empty()) return out;
  std::vector<double> sizes(d.size());
  std::transform(d.begin(), d.end(), sizes.begin(), [](double v) { return std::abs(v); });
  const std::vector<double> ranks = midranks(sizes);
  const double n = static_cast<double>(d.size()), all = n * (n + 1) / 2;
  double positive = 0, ties = 0;  // ties: sum of t^3 - t, t = how many share a rank
  for (std::size_t i = 0; i < d.size(); ++i) {
    if (d[i] > 0) positive += ranks[i];
    const auto same = static_cast<double>(std::count(ranks.begin(), ranks.end(), ranks[i]));
    ties += same * same - 1;
  }
  out.statistic = std::min(positive, all - positive);
  out.rank_biserial = (2 * positive - all) / all;
  out.exact = d.size() <= 50;
  if (out.exact) {  // in how many of the 2^n ways to give signs the sum is so small, for both sides
    const auto twice = [](double rank) { return static_cast<std::size_t>(std::lround(2 * rank)); };  // ties have halves
    std::vector<double> ways(twice(all) + 1, 0.0);
    ways[0] = 1;
    for (const double rank : ranks)
      for (std::size_t sum = ways.size(); sum-- > twice(rank);) ways[sum] += ways[sum - twice(rank)];
    double below = 0;
    for (std::size_t sum = 0; sum <= twice(out.statistic); ++sum) below += ways[sum];
    out.p = std::min(1.0, 2 * below / std::exp2(n));
  } else {
    const double variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;
    out.p = std::erfc(std::abs(positive - all / 2) / std::sqrt(2 * variance));
  }
  return out;
}

/// Cohen's d of paired values: the mean difference in standard deviations of the differences (d_z).
[[nodiscard, gnu::cold]] inline double cohens_d_paired(std::span<const double> a, std::span<const double> b) {
  const Running d = detail::moments_of(detail::differences("cohens_d_paired", a, b));
  return d.count() < 2 || d.std() == 0 ? undefined_value : d.mean() / d.std();
}

/// Cohen's d of two samples: the difference of the means in pooled standard deviations.
[[nodiscard, gnu::cold]] inline double cohens_d(std::span<const double> a, std::span<const double> b) {
  detail::check_values("cohens_d", a);
  detail::check_values("cohens_d", b);
  const Running x = detail::moments_of(a), y = detail::moments_of(b);
  if (x.count() < 2 || y.count() < 2) return undefined_value;
  const double n = static_cast<double>(x.count()), m = static_cast<double>(y.count());
  const double pooled = std::sqrt(((n - 1) * x.std() * x.std() + (m - 1) * y.std() * y.std()) / (n + m - 2));
  return pooled == 0 ? undefined_value : (x.mean() - y.mean()) / pooled;
}

/// Holm's correction (1979): p-values that hold for all comparisons together, in the order given. NaN stays NaN and is
/// no comparison.
[[nodiscard, gnu::cold]] inline std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    require(std::isnan(p[i]) || (p[i] >= 0 && p[i] <= 1), "holm: p-value ", i, " is ", p[i]);
    if (!std::isnan(p[i])) order.push_back(i);
  }
  stable_order(order, [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> out(p.begin(), p.end());
  double least = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    least = std::max(least, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    out[order[k]] = least;
  }
  return out;
}

struct BootstrapOptions {
  Index resamples = 10000;
  double level = 0.95;
  Seed seed = {};
};

/// The percentile interval of a statistic of values (Efron 1979): resampled with repetition, the same for a seed. NaN
/// for no values.
[[nodiscard, gnu::cold]] inline std::array<double, 2> bootstrap_interval(
    std::span<const double> values, const FunctionRef<double(std::span<const double>)>& statistic,
    const BootstrapOptions& options = {}) {
  require<OptionError>(options.resamples >= 1 && options.level > 0 && options.level < 1,
                       "bootstrap: expected 1 resample or more and a level between 0 and 1, got ", options.resamples,
                       " and ", options.level);
  detail::check_values("bootstrap", values);
  if (values.empty()) return {undefined_value, undefined_value};
  std::vector<double> found, drawn(values.size());
  for (Index r = 0; r < options.resamples; ++r) {
    Random random(options.seed, "bootstrap", r);
    for (double& v : drawn) v = values[static_cast<std::size_t>(random.below(static_cast<Index>(values.size())))];
    found.push_back(statistic(drawn));
  }
  std::sort(found.begin(), found.end());
  const auto quantile = [&](double q) {  // linear between order statistics, as numpy
    const double at = q * static_cast<double>(found.size() - 1), low = std::floor(at);
    const auto i = static_cast<std::size_t>(low);
    return i + 1 < found.size() ? found[i] + (at - low) * (found[i + 1] - found[i]) : found[i];
  };
  return {quantile((1 - options.level) / 2), quantile((1 + options.level) / 2)};
}
/// Of the mean.
[[nodiscard, gnu::cold]] inline std::array<double, 2> bootstrap_interval(std::span<const double> values,
                                                                         const BootstrapOptions& options = {}) {
  return bootstrap_interval(
      values, [](std::span<const double> drawn) { return detail::moments_of(drawn).mean(); }, options);
}

}  // namespace limn::metrics
