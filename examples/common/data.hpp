// The data of the examples: a question with two answers, from a folder of pictures or generated.
#pragma once

#include "common/options.hpp"
#include "limn/data/dataset.hpp"

namespace example {

/// Class 0 is "nothing found", class 1 the finding. Without a folder: phantoms. In a folder: "No Finding" against every
/// other label, or "benign" against "malignant", or the only two labels there are, sorted by name; anything else is
/// refused with the labels that were found.
limn::data::Dataset two_classes(const RunOptions& options);

}  // namespace example
