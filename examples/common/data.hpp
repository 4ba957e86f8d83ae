// The data of the examples, from a folder of pictures or generated.
#pragma once

#include "common/options.hpp"
#include "limn/data/dataset.hpp"

namespace example {

/// Pictures with all labels of the folder, sorted by name, unless two_classes() has a better idea of them.
limn::data::Dataset labelled(const RunOptions& options);

/// Class 0 is "nothing found", class 1 the finding. Without a folder: phantoms. In a folder: "No Finding" against every
/// other label, or "benign" against "malignant", or the only two labels there are, sorted by name; anything else is
/// refused with the labels that were found.
limn::data::Dataset two_classes(const RunOptions& options);

}  // namespace example
