// What the studies of ALIGN say, in tables.
#pragma once

#include "common/options.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/report/page.hpp"

namespace example {

/// Means of every method, method by domain, and tests of ALIGN against each other method. The tables are also written
/// to summary.csv and tests.csv beside the report and printed as Markdown.
limn::report::Page summary(const limn::Study& study, const RunOptions& options);

}  // namespace example
