// What the studies of LAP say, in tables.
#pragma once

#include "common/options.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/report/page.hpp"

namespace example {

/// `networks`: how well each classifies. `maps`: what each explainer of each gives. The tables of the study are also
/// printed as Markdown and written to summary.csv beside the report, one below the other.
limn::report::Page summary(const limn::Study& networks, const limn::Study& maps, const RunOptions& options);

}  // namespace example
