// The study with people: how well a network's maps agree with what each of them marked, how well they agree with the
// reference, and what they said of the maps.
#pragma once

#include <vector>

#include "common/options.hpp"
#include "common/output.hpp"
#include "limn/data/annotators.hpp"
#include "limn/explain/explanation.hpp"

namespace example {

/// Those of the folder --annotations. Without one, three that are made up from the reference by moving, enlarging and
/// shrinking it, and are named so.
std::vector<limn::data::Annotator> annotators_of(const RunOptions& options, const limn::data::Dataset& set);

/// The pictures of the set that have a reference and that all of them marked.
limn::data::Dataset marked_by_all(const limn::data::Dataset& set, const std::vector<limn::data::Annotator>& people);

/// The paper's Tables 7 and 8, and the pictures; `maps`: one for each picture of the set, of its size. Answers of
/// satisfaction.csv and trust.csv in the folder of the annotations, as bars.
Output compare(const limn::data::Dataset& set, const std::vector<limn::explain::Map>& maps,
               const std::vector<limn::data::Annotator>& people, const RunOptions& options);

}  // namespace example
