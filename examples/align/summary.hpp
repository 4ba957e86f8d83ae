// What the studies of ALIGN say, in tables.
#pragma once

#include "common/options.hpp"
#include "common/output.hpp"
#include "limn/evaluate/study.hpp"

namespace example {

/// Means of every method, method by domain, and tests of ALIGN against each other method.
Output summary(const limn::Study& study, const RunOptions& options);

}  // namespace example
