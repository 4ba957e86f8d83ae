// Scores picture by picture: what the network said and how well an explainer's map keeps to what was marked. Tests over
// pictures need them; means hide them.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "limn/evaluate/evaluate.hpp"
#include "limn/io/csv.hpp"
#include "limn/metrics/saliency.hpp"

namespace limn {

/// One picture. What concerns the map is NaN where nothing is marked or the map is the same everywhere.
struct PictureScores {
  std::string id;
  Index label = 0, predicted = 0;
  double correct = 0;  ///< 1 where the class is right, else 0
  double top_precision = metrics::undefined_value, all_precision = metrics::undefined_value;
  double coverage = metrics::undefined_value;   ///< of the annotations
  double iou = metrics::undefined_value;        ///< of the mask with what lies above the map's mean + deviation
  double mask_area = metrics::undefined_value;  ///< share of the picture inside: a random map's precision
};

/// The numbers of PictureScores with the names they have in files and tables.
inline constexpr std::array<std::pair<const char*, double PictureScores::*>, 6> picture_columns{
    {{"correct", &PictureScores::correct},
     {"top_precision", &PictureScores::top_precision},
     {"all_precision", &PictureScores::all_precision},
     {"coverage", &PictureScores::coverage},
     {"iou", &PictureScores::iou},
     {"mask_area", &PictureScores::mask_area}}};

namespace detail {

/// `explain` has a map for every picture; of those without a mark it is not asked.
template <Backend B>
[[gnu::cold]] std::vector<PictureScores> score_pictures(const Explained<B>& explained, const data::Dataset& set,
                                                        const metrics::CoverageOptions& options) {
  std::vector<PictureScores> out;
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    const std::vector<Index> positions = host->positions;
    const Batch<B> batch = to_batch<B>(std::move(*host));
    const auto predicted = predicted_classes(explained.probabilities(batch.images));
    const auto explanations = explained.explain(batch.images, batch.labels);
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      const data::Sample& sample = set[positions[i]];
      PictureScores scores{.id = sample.id,
                           .label = sample.label,
                           .predicted = predicted[i],
                           .correct = predicted[i] == sample.label ? 1. : 0.};
      const Index marked = sample.mask ? metrics::mask_size(*sample.mask) : 0;
      if (marked > 0 && explanations[i].map.size() > 0) {
        const explain::Map map = explain::over_picture(explanations[i].map, explanations[i].grid,
                                                       static_cast<Index>(sample.mask->shape()[0]),
                                                       static_cast<Index>(sample.mask->shape()[1]));
        scores.top_precision = metrics::top_saliency_precision(map, *sample.mask, options.share);
        scores.all_precision = metrics::all_saliency_precision(map, *sample.mask);
        scores.coverage = metrics::annotation_coverage(map, metrics::components(*sample.mask), options);
        if (!metrics::is_constant(map)) scores.iou = metrics::iou(metrics::mean_plus_std(map), *sample.mask);
        scores.mask_area = static_cast<double>(marked) / static_cast<double>(sample.mask->size());
      }
      out.push_back(std::move(scores));
    }
  }
  return out;
}

}  // namespace detail

/// Of every picture of the set, in its order. The class that is explained is the picture's label, whether the network
/// named it or not, so that two networks are compared on the same pictures. Annotations are the connected parts of the
/// mask.
template <class Net, class Explainer>
[[nodiscard]] std::vector<PictureScores> score_pictures(const Net& net, const data::Dataset& set,
                                                        const Explainer& explainer,
                                                        const metrics::CoverageOptions& options = {}) {
  using B = backend_of<Net>;
  const auto ask = [&](const Tensor<B>& images) {
    Run<B> run;
    return probabilities(net, images, run);
  };
  const auto explain = [&](const Tensor<B>& images, std::span<const Index> classes) {
    return explainer(net, images, classes);
  };
  return detail::score_pictures<B>({explainer.name, explainer.probability, ask, explain}, set, options);
}

/// One measure of all pictures, for a test or a mean.
[[nodiscard, gnu::cold]] inline std::vector<double> column(const std::vector<PictureScores>& pictures,
                                                           double PictureScores::*measure) {
  std::vector<double> out;
  for (const PictureScores& p : pictures) out.push_back(p.*measure);
  return out;
}

/// Writes id, label, predicted and the measures, a row a picture, atomically. Throws FileError.
[[gnu::cold]] inline void save_pictures(const std::filesystem::path& path, const std::vector<PictureScores>& pictures) {
  std::string out = "id,label,predicted";
  for (const auto& [name, measure] : picture_columns) out += std::string(",") + name;
  for (const PictureScores& p : pictures) {
    out += text("\n", io::csv_cell(p.id), ",", p.label, ",", p.predicted);
    for (const auto& [name, measure] : picture_columns) out += "," + io::csv_number(p.*measure);
  }
  io::write_file_atomically(path, out + "\n");
}

/// Reads what save_pictures() wrote. Throws FileError naming file and line.
[[nodiscard, gnu::cold]] inline std::vector<PictureScores> load_pictures(const std::filesystem::path& path) {
  const io::Csv table = io::Csv::read(path);
  std::vector<PictureScores> out;
  for (Index row = 0; row < table.size(); ++row) {
    PictureScores p{.id = table.at(row, "id"),
                    .label = static_cast<Index>(table.number(row, "label")),
                    .predicted = static_cast<Index>(table.number(row, "predicted"))};
    for (const auto& [name, measure] : picture_columns) p.*measure = table.number(row, name);
    out.push_back(std::move(p));
  }
  return out;
}

}  // namespace limn
