// What the studies of active learning try.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "common/options.hpp"
#include "limn/evaluate/study.hpp"

namespace example {

/// How the next pictures are chosen. lambda: the share of entropy in "eg_al"; nothing to the others.
struct Setup {
  std::string strategy = "random";
  float lambda = 0;
  limn::Index seed = 1;

  [[nodiscard]] limn::StudySettings settings() const {
    return {{"strategy", strategy}, {"lambda", limn::text(lambda)}, {"seed", limn::text(seed)}};
  }
};

/// How many labels are asked for, and when: a quarter of the pool in the end; with --full the paper's own numbers, for
/// which --pictures must be 820 or more.
struct Budget {
  limn::Index start, rounds, per_round;

  Budget(const RunOptions& options, limn::Index pool)
      : start(options.full ? 150 : std::max<limn::Index>(pool / 12, 2)),
        rounds(options.full ? 7 : 4),
        per_round(options.full ? 60 : std::max<limn::Index>(pool / 24, 1)) {}
};

/// All ways to choose, under the same conditions; or the paper's acquisition with every lambda, beside chance. With two
/// classes entropy, margin and least confidence ask for the same pictures, so the latter two are for more classes and
/// for --full. Networks with prototypes have no dropout for BALD; of a committee of them none is tried.
inline std::vector<Setup> grid(const RunOptions& options, limn::Index classes) {
  std::vector<Setup> out{{}};
  if (options.study == "lambda") {
    for (int tenths = 0; tenths <= 10; ++tenths)
      out.push_back({.strategy = "eg_al", .lambda = static_cast<float>(tenths) / 10});
    return out;
  }
  std::vector<std::string> names{"entropy", "core_set", "badge", "misalignment"};
  if (options.study == "strategies") names.insert(names.begin() + 1, {"bald", "disagreement"});
  if (options.full || classes > 2) names.insert(names.begin() + 1, {"margin", "least_confidence"});
  for (const std::string& name : names) out.push_back({.strategy = name});
  out.push_back({.strategy = "eg_al", .lambda = .3f});
  return out;
}

}  // namespace example
