// Galleries that show what several networks see in the same pictures.
//   report::Gallery gallery = pictures_of(test, {0, 7, 12});
//   add_maps(gallery, "with the loss", net, explain::GradCam<"layer4">{}, test.class_names(), 1);
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "limn/evaluate/predict.hpp"
#include "limn/explain/explanation.hpp"
#include "limn/report/text.hpp"
#include "limn/report/types.hpp"

namespace limn {

/// The pictures at these positions, without a word of any network.
[[nodiscard, gnu::cold]] inline report::Gallery pictures_of(const data::Dataset& set,
                                                            const std::vector<Index>& positions) {
  report::Gallery out;
  for (const Index i : positions)
    out.pictures.push_back({.id = set[i].id,
                            .truth = set.class_names()[static_cast<std::size_t>(set[i].label)],
                            .image = set[i].image,
                            .mask = set[i].mask});
  return out;
}

/// The first `count` positions of each class, the last class first: that is where there is something to see.
[[nodiscard, gnu::cold]] inline std::vector<Index> some_of_each(const data::Dataset& set, Index count) {
  std::vector<Index> out;
  for (Index label = set.classes(); label-- > 0;) {
    Index left = count;
    for (Index i = 0; i < set.size() && left > 0; ++i)
      if (set[i].label == label) out.push_back(i), --left;
  }
  return out;
}

/// Adds to every picture the map that the explainer gives for class `of_class` (-1: for the one that is there), under
/// "NAME: what the network says".
template <class Net, class Explainer>
[[gnu::cold]] void add_maps(report::Gallery& gallery, const std::string& name, const Net& net,
                            const Explainer& explainer, const std::vector<std::string>& class_names, Index of_class) {
  using B = backend_of<Net>;
  for (report::Picture& picture : gallery.pictures) {
    const Tensor<B> image = batch_of_one<B>(picture.image);
    Run<B> run;
    const Tensor<B> p = probabilities(net, image, run);
    const Index said = predicted_classes(p).front();
    const Index there = std::find(class_names.begin(), class_names.end(), picture.truth) - class_names.begin();
    const Index explained = of_class < 0 ? there : of_class;
    const auto e = explainer(net, image, std::span<const Index>(&explained, 1)).front();
    picture.maps.push_back({text(name, ": ", class_names[static_cast<std::size_t>(said)], " ",
                                 report::percent(static_cast<double>(p(0, said)), 0)),
                            explain::over_picture(e.map, e.grid, image.dim(1), image.dim(2)), Explainer::probability});
  }
}

/// The map that the explainer gives for each picture of the set and its label, over the picture.
template <class Net, class Explainer>
[[nodiscard, gnu::cold]] std::vector<explain::Map> maps_over(const Net& net, const data::Dataset& set,
                                                             const Explainer& explainer) {
  std::vector<explain::Map> out;
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    const auto batch = to_batch<backend_of<Net>>(std::move(*host));
    for (const explain::Explanation& e : explainer(net, batch.images, std::span<const Index>(batch.labels)))
      out.push_back(explain::over_picture(e.map, e.grid, set.height(), set.width()));
  }
  return out;
}

}  // namespace limn
