"""Writes recorded_significance.hpp beside this file: values, and what scipy makes of them.

    pip install scipy==1.17.1 numpy==2.4.6
    python3 tests/metrics/recorded/significance.py
"""
import pathlib

import numpy as np
import scipy
from scipy import stats

out = []


def put(name, values):
    flat = ", ".join(repr(float(v)) for v in np.ravel(values))
    out.append(f"inline const std::vector<double> {name}{{{flat}}};")


rng = np.random.default_rng(8)
a = np.round(rng.normal(0.80, 0.05, 12), 4)
b = np.round(a - rng.normal(0.02, 0.04, 12), 4)
c = np.round(rng.normal(0.72, 0.09, 9), 4)
put("a", a)
put("b", b)
put("c", c)
assert len(set(np.abs(np.round(a - b, 4)))) == 12
paired, student, welch = stats.ttest_rel(a, b), stats.ttest_ind(a, c), stats.ttest_ind(a, c, equal_var=False)
put("paired_t", [paired.statistic, paired.pvalue, paired.df])
put("student_t", [student.statistic, student.pvalue, student.df])
put("welch_t", [welch.statistic, welch.pvalue, welch.df])
put("t_values", [0.0, 0.3, -1.0, 2.5, 12.0, 40.0])
put("t_degrees", [1.0, 4.0, 2.5, 11.0, 300.0, 3.0])
put("t_p", [2 * stats.t.sf(abs(t), d) for t, d in zip([0.0, 0.3, -1.0, 2.5, 12.0, 40.0], [1, 4, 2.5, 11, 300, 3])])

exact = stats.wilcoxon(a, b, method="exact")
put("wilcoxon_exact", [exact.statistic, exact.pvalue])
five = np.array([0.31, 0.62, 0.13, 0.44, 0.25])  # five seeds: p cannot be below 2 / 32
put("five", five)
put("wilcoxon_five", [stats.wilcoxon(five, method="exact").statistic, stats.wilcoxon(five, method="exact").pvalue])
# Values on a coarse grid, exact in binary: ties and pairs without a difference.
x, y = rng.integers(0, 12, 40) / 8, rng.integers(0, 10, 40) / 8
put("coarse_x", x)
put("coarse_y", y)
# With ties the exact p is that of all ways to give signs.
few = stats.wilcoxon(x[:12], y[:12], method=stats.PermutationMethod(n_resamples=np.inf))
put("wilcoxon_few_ties", [few.statistic, few.pvalue])
x, y = np.tile(x, 3), np.tile(y, 3)  # too many pairs for an exact p
tied = stats.wilcoxon(x, y, method="asymptotic", correction=False)
put("wilcoxon_ties", [tied.statistic, tied.pvalue])
big, other = rng.normal(0, 1, 80), rng.normal(0.3, 1, 80)
put("big", big)
put("other", other)
many = stats.wilcoxon(big, other, method="asymptotic", correction=False)
put("wilcoxon_many", [many.statistic, many.pvalue])

# Two-sided percentile intervals of the mean, with so many resamples that chance is in the fourth digit.
interval = stats.bootstrap((a,), np.mean, n_resamples=200000, method="percentile", rng=1).confidence_interval
put("bootstrap_mean", [interval.low, interval.high])
interval = stats.bootstrap((big,), np.median, n_resamples=50000, confidence_level=0.9, method="percentile",
                           rng=1).confidence_interval
put("bootstrap_median_90", [interval.low, interval.high])

head = ["// Written by significance.py: numbers of scipy %s, numpy %s." % (scipy.__version__, np.__version__),
        "#pragma once", "", "#include <vector>", "", "// clang-format off", "namespace recorded {", ""]
text = "\n".join(head + out + ["", "}  // namespace recorded", "// clang-format on", ""])
pathlib.Path(__file__).with_name("recorded_significance.hpp").write_text(text)
