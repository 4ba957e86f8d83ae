// LAPs as predictors of their own (Distinguishing Clues, appendix D.5): what each LAP would answer without the rest of
// the network, compared with the truth (predictivity) and with the network's answer (compatibility).
//   const auto readings = read_laps(net, test);
//   for (const auto& lap : stand_alone(readings)) std::printf("%.3f %.3f\n", lap.predictivity.f1,
//   lap.compatibility.f1);
// With many classes a network of two layers learns from the sizes of the clues:
//   ClueSizeNet<Cpu, clues, classes> sizes;
//   initialise(sizes, Seed{7});
//   train::fit(sizes, CrossEntropy{}, Adam{}, clue_sizes(read_laps(net, train), 0), clue_sizes(read_laps(net, val),
//   0)); const auto scores = clue_size_scores(sizes, readings, 0);
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/evaluate/predict.hpp"
#include "limn/metrics/classification.hpp"
#include "limn/metrics/top_k.hpp"
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"

namespace limn {

/// What the LAPs of a network say of pictures, in their order.
struct LapReadings {
  std::vector<std::string> ids, class_names;
  std::vector<Index> labels, predicted;  ///< the truth, and the network's answer
  std::vector<xt::xtensor<float, 2>> largest,
      sizes;               ///< per LAP (pictures, clues): over a map, the maximum and the sum
  std::vector<int> sides;  ///< of clues by classes, as in ClueTable
  Index clues = 0;

  [[nodiscard]] ClueTable table() const { return {sides.data(), clues, static_cast<Index>(class_names.size())}; }
};

/// One pass over the pictures, in evaluation mode.
template <class Net>
[[nodiscard, gnu::cold]] LapReadings read_laps(const Net& net, const data::Dataset& set) {
  using B = backend_of<Net>;
  require(!set.empty(), "read_laps: the data set is empty");
  LapReadings out;
  out.class_names = set.class_names();
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  PackedWeights<B> packed;
  while (auto host = stream.next()) {
    for (const Index at : host->positions) out.ids.push_back(set[at].id);
    const Batch<B> batch = to_batch<B>(std::move(*host));
    Run<B> run;
    run.packed = &packed;
    const std::vector<Index> predicted = predicted_classes(probabilities(net, batch.images, run));
    require(!run.laps.empty(), "read_laps: the network has no LAP (use pool::Lap or lap::attach)");
    if (out.labels.empty()) {
      const ClueTable& clues = run.laps.front().clues;
      require<ShapeError>(clues.classes == set.classes(), "read_laps: clues for ", clues.classes, " classes, but ",
                          set.classes(), " in the data");
      out.clues = clues.clues;
      for (Index m = 0; m < clues.clues; ++m)
        for (Index y = 0; y < clues.classes; ++y) out.sides.push_back(clues.side(m, y));
      for (std::size_t l = 0; l < run.laps.size(); ++l) {
        const std::array<std::size_t, 2> shape{static_cast<std::size_t>(set.size()),
                                               static_cast<std::size_t>(clues.clues)};
        out.largest.emplace_back(shape, 0.f);
        out.sizes.emplace_back(shape, 0.f);
      }
    }
    const NoRecord no_record;
    for (std::size_t l = 0; l < run.laps.size(); ++l) {
      const Tensor<B> map = sigmoid(run.laps[l].logits).value();  // (n, h, w, clues)
      const Index elements = map.dim(1) * map.dim(2);
      const auto* p = map.data();
      for (Index i = 0; i < map.dim(0); ++i)
        for (Index e = 0; e < elements; ++e)
          for (Index m = 0; m < out.clues; ++m, ++p) {
            const auto row = out.labels.size() + static_cast<std::size_t>(i), clue = static_cast<std::size_t>(m);
            out.largest[l](row, clue) = std::max(out.largest[l](row, clue), static_cast<float>(*p));
            out.sizes[l](row, clue) += static_cast<float>(*p);
          }
    }
    append(out.labels, batch.labels);
    append(out.predicted, predicted);
  }
  return out;
}

/// How well the presence of clues was told. F1: of each clue over the pictures of classes on either side of it, mean
/// over the clues; NaN, or left out of the mean, where a clue is never present and never found. Accuracy: the share of
/// right answers, of all clues and pictures together.
struct ClueScores {
  double f1 = metrics::undefined_value, accuracy = metrics::undefined_value;
};
struct StandAlone {
  ClueScores predictivity;   ///< against the truth
  ClueScores compatibility;  ///< against the network's answer
};

namespace detail {
[[gnu::cold]] inline ClueScores clue_scores(const xt::xtensor<float, 2>& largest, const ClueTable& clues,
                                            const std::vector<Index>& classes, float threshold) {
  metrics::Running f1, right;
  for (Index m = 0; m < clues.clues; ++m) {
    Index hits = 0, wrong = 0;  // found where present; everything that is not right
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const int side = clues.side(m, classes[i]);
      if (side == 0) continue;
      const bool found = largest(i, static_cast<std::size_t>(m)) > threshold;
      hits += found && side > 0;
      wrong += found != (side > 0);
      right.add(found == (side > 0));
    }
    if (2 * hits + wrong > 0) f1.add(static_cast<double>(2 * hits) / static_cast<double>(2 * hits + wrong));
  }
  return {f1.mean(), right.mean()};
}
}  // namespace detail

/// Every LAP by itself, from shallow to deep: a clue is present where any element is above the threshold.
[[nodiscard, gnu::cold]] inline std::vector<StandAlone> stand_alone(const LapReadings& readings,
                                                                    float threshold = .5f) {
  std::vector<StandAlone> out;
  for (const auto& largest : readings.largest)
    out.push_back({detail::clue_scores(largest, readings.table(), readings.labels, threshold),
                   detail::clue_scores(largest, readings.table(), readings.predicted, threshold)});
  return out;
}

/// Sizes of clues (n, 1, 1, Clues) -> logits (n, Classes): two layers, behind a normalisation, as sizes differ by what
/// maps have elements. The paper does not give the width.
template <Backend B, int Clues, int Classes, int Hidden = std::max(Clues, 16)>
using ClueSizeNet =
    Sequential<Flatten<B>, BatchNorm2d<B, Clues>, Linear<B, Clues, Hidden>, Relu<B>, Linear<B, Hidden, Classes>>;

/// The sizes that LAP number `lap` (0: the shallowest) saw, as pictures of one pixel with a channel per clue, for
/// train::fit.
[[nodiscard, gnu::cold]] inline data::Dataset clue_sizes(const LapReadings& readings, std::size_t lap) {
  require(lap < readings.sizes.size(), "clue_sizes: LAP ", lap, ", but there are ", readings.sizes.size());
  std::vector<data::Sample> samples;
  for (std::size_t i = 0; i < readings.labels.size(); ++i) {
    data::Sample sample;
    sample.id = readings.ids[i];
    sample.label = readings.labels[i];
    sample.image = data::Image::from_shape({1, 1, static_cast<std::size_t>(readings.clues)});
    for (std::size_t m = 0; m < sample.image.size(); ++m) sample.image.data()[m] = readings.sizes[lap](i, m);
    samples.push_back(std::move(sample));
  }
  return {std::move(samples), readings.class_names};
}

/// How well classes were told from sizes. F1 as in metrics::classification.
struct SizeScores {
  double f1 = metrics::undefined_value, top1 = metrics::undefined_value, top5 = metrics::undefined_value;
};
struct StandAloneSizes {
  SizeScores predictivity, compatibility;
};

/// The answers of a network that learned from the sizes of LAP number `lap`.
template <class Net>
[[nodiscard, gnu::cold]] StandAloneSizes clue_size_scores(const Net& net, const LapReadings& readings,
                                                          std::size_t lap) {
  using B = backend_of<Net>;
  const data::Dataset set = clue_sizes(readings, lap);
  xt::xtensor<float, 2> all = xt::xtensor<float, 2>::from_shape({readings.labels.size(), readings.class_names.size()});
  auto to = all.begin();
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    Run<B> run;
    const Tensor<B> p = probabilities(net, to_batch<B>(std::move(*host)).images, run);
    to = std::transform(p.data(), p.data() + p.size(), to, [](auto v) { return static_cast<float>(v); });
  }
  const auto against = [&](const std::vector<Index>& classes) {
    return SizeScores{metrics::classification(all, classes).f1, metrics::top_k_accuracy(all, classes, 1),
                      metrics::top_k_accuracy(all, classes, 5)};
  };
  return {against(readings.labels), against(readings.predicted)};
}

}  // namespace limn
