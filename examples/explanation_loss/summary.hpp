// What the studies of explanation losses say, in tables and figures.
#pragma once

#include <vector>

#include "common/options.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/report/page.hpp"

namespace example {

/// Tables of all scores, the trade-off of alignment against accuracy, and tests against cross-entropy alone. The tables
/// are also written to summary.csv and tests.csv beside the report and printed as Markdown.
limn::report::Page summary(const limn::Study& study, const RunOptions& options);

/// Cross-entropy alone, and of every design the group with the largest strength.
std::vector<limn::StudyGroup> strongest(const std::vector<limn::StudyGroup>& groups);

}  // namespace example
