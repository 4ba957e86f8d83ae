// What the studies of active learning ask about, and what they are tested on.
#pragma once

#include <algorithm>
#include <filesystem>
#include <limn/limn.hpp>
#include <utility>
#include <vector>

#include "active_learning/grid.hpp"
#include "limn/active/pool.hpp"

namespace example {

struct Sets {
  limn::data::Dataset known, test;  // all labels of the pool, for the oracle; pictures that are never learned from
  limn::active::Pool pool;          // what networks and acquisitions see
  Budget budget;
};

inline Sets sets_of(const limn::data::Dataset& all, const RunOptions& options) {
  const auto [known, none, test] = all.split({.fractions = {.7, 0, .3}, .seed = options.seed});
  return {known, test, limn::active::Pool(known), {options, known.size()}};
}

/// What was labelled in the run of this folder when the pictures of this round were chosen, and what was left:
/// positions in the pool.
inline std::pair<std::vector<limn::Index>, std::vector<limn::Index>> before_round(const std::filesystem::path& folder,
                                                                                  limn::Index round,
                                                                                  const limn::active::Pool& pool) {
  const limn::io::Csv picks = limn::io::Csv::read(folder / "samples.csv");
  std::vector<limn::Index> labelled, left;
  for (limn::Index row = 0; row < picks.size(); ++row)
    if (picks.number(row, "round") < static_cast<double>(round)) labelled.push_back(pool.find(picks.at(row, "id")));
  for (limn::Index i = 0; i < pool.size(); ++i)
    if (std::find(labelled.begin(), labelled.end(), i) == labelled.end()) left.push_back(i);
  return {labelled, left};
}

}  // namespace example
