// The scores as Markdown tables, for documents, and as metrics.json, for programs.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
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

}  // namespace detail

/// Two Markdown tables: classification, and a row per explainer (mean, sample deviation over the pictures).
[[nodiscard, gnu::cold]] inline std::string markdown(const metrics::Scores& scores) {
  const metrics::ClassificationScores& c = scores.classification;
  std::string head = "| pictures |", rule = "|---:|", body = "| " + std::to_string(c.count) + " |";
  for (const auto& [name, value] : detail::classification_rows(c)) {
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    head += " " + words + " |";
    rule += "---:|";
    body += " " + fixed(value, 3);
    if (name == "auc" && std::isfinite(c.auc_interval[0]))
      body += " (" + fixed(c.auc_interval[0], 3) + " to " + fixed(c.auc_interval[1], 3) + ")";
    if (name == "accuracy" && std::isfinite(c.accuracy_interval[0]))
      body += " (" + fixed(c.accuracy_interval[0], 3) + " to " + fixed(c.accuracy_interval[1], 3) + ")";
    body += " |";
  }
  std::string out = head + "\n" + rule + "\n" + body + "\n";
  if (scores.localisation.empty()) return out;
  out += "\n| explainer |";
  rule = "|---|";
  for (const detail::Column& column : detail::localisation_columns) {
    out += std::string(" ") + column.name + " |";
    rule += "---:|";
  }
  out += " random map (mask area) | pictures | undefined |\n" + rule + "---:|---:|---:|\n";
  for (const metrics::LocalisationScores& s : scores.localisation) {
    out += "| " + detail::cell(s.explainer) + " |";
    for (const detail::Column& column : detail::localisation_columns)
      out += " " + fixed(s.*column.mean, 3) + " \u00b1 " + fixed(s.*column.std, 3) + " |";
    out +=
        " " + fixed(s.mask_area, 3) + " | " + std::to_string(s.images) + " | " + std::to_string(s.undefined) + " |\n";
  }
  return out;
}

/// {"test": {accuracy, auc, f1, ...}, "explanations": {"lap": {iou, rma, rra, ...}, ...}, "seconds": {...}}. An
/// explainer's key is its name in small letters ("Grad-CAM" is grad_cam; equal ones are numbered). NaN is null.
[[nodiscard, gnu::cold]] inline std::string metrics_json(const metrics::Scores& scores,
                                                         const std::map<std::string, double>& seconds = {}) {
  const auto field = [](const std::string& key, const std::string& value) {
    return io::json_string(clean(key)) + ": " + value;
  };
  const auto whole = [](Index v) { return std::to_string(v); };
  const metrics::ClassificationScores& c = scores.classification;
  std::string out = "{\n  \"test\": {\n    " + field("images", whole(c.count));
  for (const auto& [key, value] : detail::classification_rows(c)) out += ",\n    " + field(key, io::json_number(value));
  const auto pair = [](const std::array<double, 2>& v) {
    return "[" + io::json_number(v[0]) + ", " + io::json_number(v[1]) + "]";
  };
  out += ",\n    " + field("accuracy_interval", pair(c.accuracy_interval));
  out += ",\n    " + field("auc_interval", pair(c.auc_interval));
  out += ",\n    \"confusion\": [";
  for (std::size_t i = 0; i < c.confusion.shape()[0]; ++i) {
    out += i > 0 ? ", [" : "[";
    for (std::size_t j = 0; j < c.confusion.shape()[1]; ++j) out += (j > 0 ? ", " : "") + whole(c.confusion(i, j));
    out += "]";
  }
  out += "]\n  },\n  \"explanations\": {";
  std::set<std::string> used;
  for (const metrics::LocalisationScores& s : scores.localisation) {
    const std::string name = slug(s.explainer).empty() ? "explainer" : slug(s.explainer);
    std::string key = name;
    for (int i = 2; !used.insert(key).second; ++i) key = name + "_" + std::to_string(i);
    out += std::string(used.size() > 1 ? "," : "") + "\n    " + io::json_string(clean(key)) + ": {";
    out += field("name", io::json_string(clean(s.explainer)));
    for (const detail::Column& column : detail::localisation_columns) {
      out += ", " + field(column.key, io::json_number(s.*column.mean));
      out += ", " + field(std::string(column.key) + "_std", io::json_number(s.*column.std));
    }
    out += ", " + field("mask_area", io::json_number(s.mask_area)) + ", " + field("images", whole(s.images)) + ", " +
           field("undefined", whole(s.undefined)) + "}";
  }
  out += "\n  },\n  \"seconds\": {";
  bool first = true;
  for (const auto& [key, value] : seconds) {
    out += (first ? "" : ", ") + field(key, io::json_number(value));
    first = false;
  }
  return out + "}\n}\n";
}

/// Writes metrics_json to a file whose folder exists. Throws FileError.
[[gnu::cold]] inline void write_metrics_json(const std::filesystem::path& path, const metrics::Scores& scores,
                                             const std::map<std::string, double>& seconds = {}) {
  io::write_file_atomically(path, std::string_view(metrics_json(scores, seconds)));
}

}  // namespace limn::report
