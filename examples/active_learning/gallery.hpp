// Pictures with the scores for which they are chosen, and where the network looked that scored them.
#pragma once

#include <limn/limn.hpp>
#include <vector>

#include "limn/active/acquire.hpp"
#include "limn/evaluate/side_by_side.hpp"

namespace example {

/// These pictures of the set, with the map of the class that the network predicts and all their scores.
template <class Net, class Explainer>
limn::report::Gallery seen(const Net& net, const Explainer& explainer, const limn::data::Dataset& set,
                           const std::vector<limn::Index>& positions, const limn::acquire::Scores& scores) {
  using namespace limn;
  report::Gallery out;
  for (const Index i : positions) {
    const auto at = static_cast<std::size_t>(i);
    report::Gallery one = pictures_of(set, {i});
    std::string name = "score " + report::fixed(scores.total[at], 3);
    for (const auto& [term, values] : scores.terms) name += text(", ", term, " ", report::fixed(values[at], 3));
    Run<backend_of<Net>> run;
    const auto p = probabilities(net, batch_of_one<backend_of<Net>>(set[i].image), run);
    add_maps(one, name, net, explainer, set.class_names(), predicted_classes(p).front());
    append(out.pictures, one.pictures);
  }
  return out;
}

}  // namespace example
