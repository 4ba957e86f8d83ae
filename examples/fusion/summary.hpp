// What the study of fusion says, in tables and figures.
#pragma once

#include "common/options.hpp"
#include "common/output.hpp"
#include "limn/evaluate/study.hpp"

namespace example {

/// The paper's Tables 4 to 6, ROC curves and violins. `models`: a row of classification scores for every model and run,
/// with roc.csv in its folder; `maps`: for every model, map and run, with pictures.csv and degradation.csv.
Output summary(const limn::Study& models, const limn::Study& maps);

}  // namespace example
