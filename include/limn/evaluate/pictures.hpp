// Scores picture by picture: what the network said and how well an explainer's map keeps to what was marked. Tests over
// pictures need them; means hide them.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "limn/evaluate/evaluate.hpp"
#include "limn/io/csv.hpp"
#include "limn/metrics/boxes.hpp"
#include "limn/metrics/saliency.hpp"

namespace limn {

/// One picture. What concerns the map is NaN where nothing is marked or the map is the same everywhere.
struct PictureScores {
  std::string id;
  Index label = 0, predicted = 0;
  double correct = 0;  ///< 1 where the class is right, else 0
  double top_precision = metrics::undefined_value, all_precision = metrics::undefined_value;
  double coverage = metrics::undefined_value;  ///< of the annotations
  double rma = metrics::undefined_value, rra = metrics::undefined_value, pointing = metrics::undefined_value;
  /// Of the mask with what lies above the map's mean + deviation; above 0.5, of the largest value unless the map is a
  /// probability; with as many of the highest pixels as the mask has; above the learned threshold, where there is one.
  double iou = metrics::undefined_value, iou_threshold = metrics::undefined_value, iou_top_k = metrics::undefined_value,
         iou_learned = metrics::undefined_value;
  /// Annotations of which half is found, and metrics::truncated_iou: by mean + deviation, and by a threshold for all
  /// pictures: 0.5 of a probability, else the learned one.
  double captured = metrics::undefined_value, captured_threshold = metrics::undefined_value,
         truncated_iou = metrics::undefined_value, truncated_iou_threshold = metrics::undefined_value;
  double mask_area = metrics::undefined_value;  ///< share of the picture inside: a random map's precision
};

/// The numbers of PictureScores with the names they have in files and tables.
inline constexpr std::array<std::pair<const char*, double PictureScores::*>, 16> picture_columns{
    {{"correct", &PictureScores::correct},
     {"top_precision", &PictureScores::top_precision},
     {"all_precision", &PictureScores::all_precision},
     {"coverage", &PictureScores::coverage},
     {"rma", &PictureScores::rma},
     {"rra", &PictureScores::rra},
     {"pointing", &PictureScores::pointing},
     {"iou", &PictureScores::iou},
     {"iou_threshold", &PictureScores::iou_threshold},
     {"iou_top_k", &PictureScores::iou_top_k},
     {"iou_learned", &PictureScores::iou_learned},
     {"captured", &PictureScores::captured},
     {"captured_threshold", &PictureScores::captured_threshold},
     {"truncated_iou", &PictureScores::truncated_iou},
     {"truncated_iou_threshold", &PictureScores::truncated_iou_threshold},
     {"mask_area", &PictureScores::mask_area}}};

/// How pictures are scored.
struct PictureOptions {
  metrics::CoverageOptions coverage = {};
  std::optional<metrics::LearnedThreshold> learned = std::nullopt;  ///< see learn_threshold
};

namespace detail {

/// Fills in what concerns the map. `mask` is not empty.
[[gnu::cold]] inline void score_map(PictureScores& scores, const explain::Map& map, const explain::Map& ranking,
                                    const explain::Map& mask, bool probability, const PictureOptions& options) {
  using namespace metrics;
  const std::vector<explain::Map> annotations = components(mask);
  const Index marked = mask_size(mask);
  scores.mask_area = static_cast<double>(marked) / static_cast<double>(mask.size());
  scores.top_precision = top_saliency_precision(map, mask, options.coverage.share);
  scores.all_precision = all_saliency_precision(map, mask);
  scores.coverage = annotation_coverage(map, annotations, options.coverage);
  scores.rma = relevance_mass_accuracy(map, mask);
  scores.rra = relevance_rank_accuracy(ranking, mask);
  scores.pointing = pointing_game(ranking, mask);
  if (!is_constant(ranking)) scores.iou_top_k = metrics::iou(top_k(ranking, marked), mask);
  if (!is_constant(map)) {
    const Map binary = mean_plus_std(map);
    scores.iou = metrics::iou(binary, mask);
    scores.captured = metrics::captured(binary, annotations);
    scores.truncated_iou = metrics::truncated_iou(binary, ranking, annotations);
  }
  const bool positive = largest(map) > 0, learned = options.learned && positive;
  const Map half = fixed_threshold(probability || !positive ? map : max_normalised(map), 0.5);
  scores.iou_threshold = metrics::iou(half, mask);
  if (learned) scores.iou_learned = metrics::iou((*options.learned)(map), mask);
  if (probability || learned) {
    const Map binary = probability ? half : (*options.learned)(map);
    scores.captured_threshold = metrics::captured(binary, annotations);
    scores.truncated_iou_threshold = metrics::truncated_iou(binary, ranking, annotations);
  }
}

/// `explain` has a map for every picture; of those without a mark it is not asked.
template <Backend B>
[[gnu::cold]] std::vector<PictureScores> score_pictures(const Explained<B>& explained, const data::Dataset& set,
                                                        const PictureOptions& options) {
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
      const explain::Explanation& e = explanations[i];
      if (sample.mask && metrics::mask_size(*sample.mask) > 0 && e.map.size() > 0) {
        const explain::Map map = over_mask(e.map, e, sample);
        score_map(scores, map, e.ranking ? over_mask(*e.ranking, e, sample) : map, *sample.mask, explained.probability,
                  options);
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
                                                        const PictureOptions& options = {}) {
  return detail::with_explained(net, explainer,
                                [&](const auto& explained) { return detail::score_pictures(explained, set, options); });
}

/// A threshold on an explainer's maps of correctly predicted pictures of a class (-1: of all), for `learned`; none
/// where no such picture is marked. Take the validation pictures.
template <class Net, class Explainer>
[[nodiscard]] std::optional<metrics::LearnedThreshold> learn_threshold(const Net& net, const data::Dataset& set,
                                                                       const Explainer& explainer,
                                                                       Index of_class = -1) {
  return detail::with_explained(
      net, explainer, [&](const auto& explained) { return detail::learn_threshold(explained, set, of_class); });
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
