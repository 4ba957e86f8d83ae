// gallery(net, data, 12): pictures with what the network said and where it looked, for the report.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/core/order.hpp"
#include "limn/evaluate/predict.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/explain/lap/lap.hpp"
#include "limn/report/types.hpp"

namespace limn {

namespace detail {

/// Which pictures to show: up to a quarter that the network got wrong (the most certain first), then pictures of each
/// class in turn, in the order of the data set.
[[gnu::cold]] inline std::vector<Index> choose_pictures(const data::Dataset& set, const std::vector<Index>& predicted,
                                                        const std::vector<float>& certainty, Index count) {
  std::vector<Index> chosen;
  std::vector<std::size_t> wrong;
  std::vector<std::vector<Index>> right(static_cast<std::size_t>(set.classes()));
  for (Index i = 0; i < set.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    predicted[at] == set[i].label ? right[static_cast<std::size_t>(set[i].label)].push_back(i) : wrong.push_back(at);
  }
  stable_order(wrong, [&](std::size_t a, std::size_t b) { return certainty[a] > certainty[b]; });
  wrong.resize(std::min<std::size_t>(wrong.size(), static_cast<std::size_t>(count / 4)));
  // Diseased classes first: that is where there is something to see. They also get the odd place.
  std::vector<std::size_t> shown(right.size(), 0);
  for (std::size_t left = static_cast<std::size_t>(count) - wrong.size(), before = left + 1; left < before;) {
    before = left;
    for (std::size_t c = right.size(); c-- > 0 && left > 0;)
      if (shown[c] < right[c].size()) ++shown[c], --left;
  }
  for (std::size_t c = right.size(); c-- > 0;) append(chosen, std::span(right[c]).first(shown[c]));
  append(chosen, wrong);
  return chosen;
}

/// The class itself if a clue speaks for it, else the last class that has one.
[[gnu::cold]] inline Index explainable_class(const ClueTable& clues, Index of_class) {
  Index best = of_class;
  for (Index c = 0; c < clues.classes && !explain::Lap::speaks_for(clues, of_class); ++c)
    if (explain::Lap::speaks_for(clues, c)) best = c;
  return best;
}

}  // namespace detail

/// Explained pictures: the network's own LAP maps where it has any, and Grad-CAM at layer4 where it has that layer.
/// The class that is explained is the predicted one, or, where no clue speaks for it, the last class that has one.
template <class Net>
[[nodiscard, gnu::cold]] report::Gallery gallery(const Net& net, const data::Dataset& set, Index count) {
  using B = backend_of<Net>;
  std::vector<Index> predicted;
  std::vector<float> certainty;
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    Run<B> run;
    const Tensor<B> p = probabilities(net, to_batch<B>(std::move(*host)).images, run);
    const auto classes = predicted_classes(p);
    for (std::size_t i = 0; i < classes.size(); ++i)
      certainty.push_back(static_cast<float>(p(static_cast<Index>(i), classes[i])));
    append(predicted, classes);
  }
  report::Gallery out;
  for (Index i : detail::choose_pictures(set, predicted, certainty, std::min(count, set.size()))) {
    const data::Sample& sample = set[i];
    const Index said = predicted[static_cast<std::size_t>(i)];
    report::Picture picture{.id = sample.id,
                            .truth = set.class_names()[static_cast<std::size_t>(sample.label)],
                            .predicted = set.class_names()[static_cast<std::size_t>(said)],
                            .probability = certainty[static_cast<std::size_t>(i)],
                            .image = sample.image,
                            .mask = sample.mask};
    const auto over = [&](const explain::Map& map, const std::optional<Grid>& grid) {
      return explain::over_picture(map, grid, static_cast<Index>(sample.image.shape()[0]),
                                   static_cast<Index>(sample.image.shape()[1]));
    };
    const Tensor<B> image = batch_of_one<B>(sample.image);
    Run<B> run;
    (void)probabilities(net, image, run);
    Index shown = said;
    if (!run.laps.empty()) {
      shown = detail::explainable_class(run.laps.front().clues, said);
      const auto e = explain::Lap{}(run, std::span<const Index>(&shown, 1)).front();
      for (const auto& part : e.parts) picture.maps.push_back({part.name, over(part.map, part.grid), true});
      picture.maps.push_back({"LAP, all depths", over(e.map, e.grid), true});
    }
    if constexpr (reaches<Net, "layer4">) {
      const auto e = explain::GradCam<"layer4">{}(net, image, std::span<const Index>(&shown, 1)).front();
      picture.maps.push_back({explain::GradCam<"layer4">::name, over(e.map, e.grid), false});
    }
    out.pictures.push_back(std::move(picture));
  }
  return out;
}

}  // namespace limn
