// The scores as Markdown tables, for documents, and as metrics.json, for programs.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limn/io/files.hpp"
#include "limn/io/json.hpp"
#include "limn/metrics/scores.hpp"
#include "limn/report/text.hpp"

namespace limn::report {

namespace detail {

/// A score with the name that people read, its key in metrics.json and its values: one list, so that HTML, Markdown and
/// JSON cannot disagree.
struct Column {
  const char* name;
  const char* key;
  double metrics::LocalisationScores::*mean;
  double metrics::LocalisationScores::*std;
};

inline constexpr Column localisation_columns[] = {
    {"RMA", "rma", &metrics::LocalisationScores::rma, &metrics::LocalisationScores::rma_std},
    {"RRA", "rra", &metrics::LocalisationScores::rra, &metrics::LocalisationScores::rra_std},
    {"pointing", "pointing", &metrics::LocalisationScores::pointing, &metrics::LocalisationScores::pointing_std},
    {"IoU, own 0.5", "iou", &metrics::LocalisationScores::iou_threshold,
     &metrics::LocalisationScores::iou_threshold_std},
    {"IoU, mean + std", "iou_mean_std", &metrics::LocalisationScores::iou_mean_std,
     &metrics::LocalisationScores::iou_mean_std_std},
    {"IoU, top K", "iou_top_k", &metrics::LocalisationScores::iou_top_k, &metrics::LocalisationScores::iou_top_k_std},
    {"IoU, learned", "iou_learned", &metrics::LocalisationScores::iou_learned,
     &metrics::LocalisationScores::iou_learned_std},
};

[[gnu::cold]] inline std::vector<std::pair<std::string, double>> classification_rows(
    const metrics::ClassificationScores& c) {
  return {{"accuracy", c.accuracy},
          {"balanced_accuracy", c.balanced_accuracy},
          {"sensitivity", c.sensitivity},
          {"specificity", c.specificity},
          {"precision", c.precision},
          {"f1", c.f1},
          {"auc", c.auc},
          {"calibration_error", c.calibration_error}};
}

/// A cell of a Markdown table.
[[gnu::cold]] inline std::string cell(const std::string& words) {
  std::string out;
  for (char c : clean(words)) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

/// A key in metrics.json for each explainer of a list; `used` are those before.
[[gnu::cold]] inline std::string explainer_key(const std::string& explainer, std::vector<std::string>& used) {
  const std::string name = slug(explainer).empty() ? "explainer" : slug(explainer);
  std::string key = name;
  for (int i = 2; std::find(used.begin(), used.end(), key) != used.end(); ++i)
    key = joined({name, "_", std::to_string(i)});
  used.push_back(key);
  return key;
}

}  // namespace detail

/// Markdown tables: classification, and a row per explainer (mean, sample deviation over the pictures) for where maps
/// fall, and for their faithfulness where it was measured.
[[nodiscard, gnu::cold]] inline std::string markdown(const metrics::Scores& scores) {
  const metrics::ClassificationScores& c = scores.classification;
  std::string head = "| pictures |", rule = "|---:|", body = joined({"| ", std::to_string(c.count), " |"});
  const auto interval = [&](const std::array<double, 2>& ends) {
    if (std::isfinite(ends[0])) put(body, {" (", fixed(ends[0], 3), " to ", fixed(ends[1], 3), ")"});
  };
  for (const auto& [name, value] : detail::classification_rows(c)) {
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    put(head, {" ", words, " |"});
    rule += "---:|";
    put(body, {" ", fixed(value, 3)});
    if (name == "auc") interval(c.auc_interval);
    if (name == "accuracy") interval(c.accuracy_interval);
    body += " |";
  }
  std::string out = joined({head, "\n", rule, "\n", body, "\n"});
  const std::string more = scores.views ? scores.views->markdown(scores.faithfulness) : std::string();
  if (scores.localisation.empty()) return out + more;
  out += "\n| explainer |";
  rule = "|---|";
  for (const detail::Column& column : detail::localisation_columns) {
    put(out, {" ", column.name, " |"});
    rule += "---:|";
  }
  put(out, {" random map (mask area) | pictures | undefined |\n", rule, "---:|---:|---:|\n"});
  for (const metrics::LocalisationScores& s : scores.localisation) {
    put(out, {"| ", detail::cell(s.explainer), " |"});
    for (const detail::Column& column : detail::localisation_columns)
      put(out, {" ", fixed(s.*column.mean, 3), " \u00b1 ", fixed(s.*column.std, 3), " |"});
    put(out, {" ", fixed(s.mask_area, 3), " | ", std::to_string(s.images), " | ", std::to_string(s.undefined), " |\n"});
  }
  return out + more;
}

/// How long each part of a run took.
using Seconds = std::vector<std::pair<std::string, double>>;

/// {"test": {accuracy, auc, f1, ...}, "explanations": {"lap": {iou, rma, rra, ...}, ...}, "seconds": {...}},
/// and "faithfulness": {"lap": {srg, ...}, ...} before the seconds where it was measured. An explainer's key is its
/// name in small letters ("Grad-CAM" is grad_cam; equal ones are numbered). NaN is null.
[[nodiscard, gnu::cold]] inline std::string metrics_json(const metrics::Scores& scores, const Seconds& seconds = {}) {
  const metrics::ClassificationScores& c = scores.classification;
  std::string out = "{\n  \"test\": {\n    ";
  const auto field = [&](std::string_view before, std::string_view key, const std::string& value) {
    put(out, {before, io::json_string(clean(key)), ": ", value});
  };
  const auto number = [&](std::string_view before, std::string_view key, double value) {
    field(before, key, io::json_number(value));
  };
  const auto pair = [&](std::string_view before, std::string_view key, const std::array<double, 2>& v) {
    field(before, key, joined({"[", io::json_number(v[0]), ", ", io::json_number(v[1]), "]"}));
  };
  field("", "images", std::to_string(c.count));
  for (const auto& [key, value] : detail::classification_rows(c)) number(",\n    ", key, value);
  pair(",\n    ", "accuracy_interval", c.accuracy_interval);
  pair(",\n    ", "auc_interval", c.auc_interval);
  out += ",\n    \"confusion\": [";
  for (std::size_t i = 0; i < c.confusion.shape()[0]; ++i) {
    out += i > 0 ? ", [" : "[";
    for (std::size_t j = 0; j < c.confusion.shape()[1]; ++j)
      put(out, {j > 0 ? ", " : "", std::to_string(c.confusion(i, j))});
    out += "]";
  }
  out += "]\n  },\n  \"explanations\": {";
  std::vector<std::string> used;
  for (const metrics::LocalisationScores& s : scores.localisation) {
    const std::string key = detail::explainer_key(s.explainer, used);
    field(used.size() > 1 ? ",\n    " : "\n    ", key, "{");
    field("", "name", io::json_string(clean(s.explainer)));
    for (const detail::Column& column : detail::localisation_columns) {
      number(", ", column.key, s.*column.mean);
      number(", ", joined({column.key, "_std"}), s.*column.std);
    }
    number(", ", "mask_area", s.mask_area);
    field(", ", "images", std::to_string(s.images));
    field(", ", "undefined", std::to_string(s.undefined) + "}");
  }
  out += "\n  },\n  ";
  if (scores.views) out += scores.views->json(scores.faithfulness);
  out += "\"seconds\": {";
  for (std::size_t i = 0; i < seconds.size(); ++i) number(i > 0 ? ", " : "", seconds[i].first, seconds[i].second);
  return out + "}\n}\n";
}

/// Writes metrics_json to a file whose folder exists. Throws FileError.
[[gnu::cold]] inline void write_metrics_json(const std::filesystem::path& path, const metrics::Scores& scores,
                                             const Seconds& seconds = {}) {
  io::write_file_atomically(path, std::string_view(metrics_json(scores, seconds)));
}

}  // namespace limn::report
