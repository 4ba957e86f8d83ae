// Two conditions compared: the mean of what was measured with its interval, and whether a difference is more than
// chance, for one pair of conditions or for many at once.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "limn/metrics/significance.hpp"

namespace limn::metrics {

/// The t below which a share `p` (above 0, below 1) of Student's distribution lies; NaN for no degrees of freedom.
[[nodiscard, gnu::cold]] inline double student_t_quantile(double p, double degrees) {
  require<OptionError>(p > 0 && p < 1, "student_t_quantile: p must lie between 0 and 1, got ", p);
  if (!(degrees > 0)) return undefined_value;
  if (p < .5) return -student_t_quantile(1 - p, degrees);
  double low = 0, high = 1;
  while (student_t_p(high, degrees) > 2 * (1 - p)) high *= 2;
  for (int i = 0; i < 100 && low < high; ++i) {
    const double middle = (low + high) / 2;
    (student_t_p(middle, degrees) > 2 * (1 - p) ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// What several measurements of one thing come to. NaN among them is left out and counted.
struct Summary {
  double mean = undefined_value;
  double std = undefined_value;  ///< of the sample (n - 1)
  /// 95%, of the mean, by Student's t; NaN for fewer than two values.
  std::array<double, 2> interval{undefined_value, undefined_value};
  Index count = 0, undefined = 0;
};

[[nodiscard, gnu::cold]] inline Summary summary(std::span<const double> values) {
  const Running moments = detail::moments_of(values);
  Summary out{.mean = moments.mean(),
              .std = moments.std(),
              .interval = {undefined_value, undefined_value},
              .count = moments.count(),
              .undefined = moments.undefined()};
  if (out.count > 1) {
    const double n = static_cast<double>(out.count), half = student_t_quantile(.975, n - 1) * out.std / std::sqrt(n);
    out.interval = {out.mean - half, out.mean + half};
  }
  return out;
}

/// Paired values of two conditions: by how much they differ, by which tests, how large in units of their spread.
struct Comparison {
  std::string name;
  Summary difference;  ///< of a - b; `undefined`: pairs that were left out because a value is NaN
  double t_p = undefined_value, wilcoxon_p = undefined_value;            ///< two-sided
  double t_p_holm = undefined_value, wilcoxon_p_holm = undefined_value;  ///< among many: correct_for_many()
  double effect = undefined_value;                                       ///< Cohen's d of the differences (d_z)
  double rank_biserial = undefined_value;                                ///< -1 to 1
};

/// Throws ShapeError where there is no pair for every value.
[[nodiscard, gnu::cold]] inline Comparison compare(std::string name, std::span<const double> a,
                                                   std::span<const double> b) {
  require<ShapeError>(a.size() == b.size(), "compare ", name, ": pairs of ", a.size(), " and ", b.size(), " values");
  std::vector<double> differences, x, y;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(a[i] - b[i]);
    if (std::isnan(differences.back())) continue;
    x.push_back(a[i]);
    y.push_back(b[i]);
  }
  Comparison out{.name = std::move(name), .difference = summary(differences)};
  const WilcoxonResult ranks = wilcoxon(x, y);
  out.wilcoxon_p = ranks.p;
  out.rank_biserial = ranks.rank_biserial;
  out.t_p = paired_t_test(x, y).p;
  out.effect = cohens_d_paired(x, y);
  return out;
}

/// Fills in the p-values that hold for all these comparisons together (Holm), each test by itself.
[[gnu::cold]] inline void correct_for_many(std::vector<Comparison>& comparisons) {
  const auto correct = [&](double Comparison::*from, double Comparison::*to) {
    std::vector<double> p;
    for (const Comparison& c : comparisons) p.push_back(c.*from);
    p = holm(p);
    for (std::size_t i = 0; i < p.size(); ++i) comparisons[i].*to = p[i];
  };
  correct(&Comparison::t_p, &Comparison::t_p_holm);
  correct(&Comparison::wilcoxon_p, &Comparison::wilcoxon_p_holm);
}

}  // namespace limn::metrics
