// What the studies of active learning say, in tables.
#pragma once

#include <string>

#include "common/options.hpp"
#include "common/output.hpp"
#include "limn/active/state.hpp"
#include "limn/evaluate/study.hpp"

namespace example {

/// All that a run measured, as the values of a study: "accuracy" and the others at the end, "accuracy_area" under their
/// learning curves, "accuracy_at_50" with 50 labels.
limn::StudyValues values_of(const limn::active::History& history);

/// Learning curves, their areas, tests against chance, and the ways to fail that the paper counts.
Output summary(const limn::Study& study, const RunOptions& options);

/// The first run of a strategy with this lambda.
const limn::StudyRun& run_of(const limn::Study& study, const std::string& strategy, const std::string& lambda);

}  // namespace example
