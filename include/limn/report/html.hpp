// The report of a run: one HTML file that needs no network and no scripts, and its pictures as PNG files beside it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/metrics/scores.hpp"
#include "limn/report/charts/svg.hpp"
#include "limn/report/gallery.hpp"
#include "limn/report/style.hpp"
#include "limn/report/table.hpp"
#include "limn/report/text.hpp"
#include "limn/report/types.hpp"

namespace limn::report {

struct HtmlOptions {
  std::string title = "A network and its explanations";
};

namespace detail {

[[gnu::cold]] inline std::string page_begin(const std::string& words) {
  const std::string title = escape(words);
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>";
  put(page, {title, "</title>\n<style>", style_sheet, "</style>\n</head>\n<body>\n<h1>", title, "</h1>\n"});
  return page +
         "<p class=\"notice\">For research only. This is not a medical device and must not be used for diagnosis or "
         "treatment.</p>\n";
}
[[gnu::cold]] inline std::string page_end() {
  return text("<p class=\"soft\">Written by limn ", version, ".</p>\n</body>\n</html>\n");
}

/// FOLDER/pictures, made with all above it.
[[gnu::cold]] inline std::filesystem::path pictures_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::path pictures = folder / "pictures";
  std::filesystem::create_directories(pictures, problem);
  require<FileError>(!problem, pictures.string(), ": cannot be made (", problem.message(), ")");
  return pictures;
}

[[gnu::cold]] inline std::string class_name(const metrics::ClassificationScores& c, std::size_t k) {
  return k < c.class_names.size() ? c.class_names[k] : text("class ", k);
}

[[gnu::cold]] inline std::string range(const std::array<double, 2>& interval, bool shares) {
  if (!std::isfinite(interval[0])) return "";
  const auto show = [&](double v) { return shares ? percent(v) : fixed(v, 3); };
  return joined({"95% interval ", show(interval[0]), " to ", show(interval[1])});
}

/// What the numbers say, in sentences. Names are escaped here.
[[gnu::cold]] inline std::string summary(const History& history, const metrics::Scores& scores) {
  const metrics::ClassificationScores& c = scores.classification;
  const std::size_t classes = c.confusion.shape()[0];
  std::string out = "<h2>Summary</h2>\n<p>A network was trained";
  if (!history.rows.empty()) out += text(" for ", history.rows.size(), history.rows.size() == 1 ? " epoch" : " epochs");
  if (history.training_images > 0) out += text(" on ", history.training_images, " pictures");
  if (!c.class_names.empty()) {
    out += " to tell apart";
    for (std::size_t k = 0; k < classes; ++k)
      put(out, {k == 0 ? " " : k + 1 == classes ? " and " : ", ", "<b>", escape(class_name(c, k)), "</b>"});
  }
  out += text(", and tested on ", c.count, " pictures.</p>\n<ul>\n");
  if (c.count > 0) {
    Index hits = 0;
    for (std::size_t k = 0; k < classes; ++k) hits += c.confusion(k, k);
    out += text("<li>It named the right class for ", hits, " of ", c.count, " pictures: accuracy <b>",
                percent(c.accuracy), "</b> (", range(c.accuracy_interval, true), ").</li>\n");
  }
  if (classes == 2 && c.count > 0) {
    const std::string negative = escape(class_name(c, 0)), positive = escape(class_name(c, 1));
    put(out, {"<li>Of the pictures of <b>", positive, "</b> it found ", percent(c.sensitivity),
              " (sensitivity); of those of <b>", negative, "</b> it cleared ", percent(c.specificity),
              " (specificity).</li>\n"});
    if (std::isfinite(c.auc)) {
      const std::string interval = range(c.auc_interval, false);
      put(out, {"<li>AUC <b>", fixed(c.auc, 3), "</b>", interval.empty() ? "" : " (", interval,
                interval.empty() ? "" : ")", ": shown one picture of each class, it gives the higher probability of ",
                positive, " to the right one in ", fixed(100 * c.auc, 0), " of 100 cases.</li>\n"});
    }
  } else if (std::isfinite(c.auc)) {
    put(out, {"<li>AUC, each class against the rest: <b>", fixed(c.auc, 3), "</b> on average.</li>\n"});
  }
  for (const metrics::LocalisationScores& s : scores.localisation) {
    put(out, {"<li><b>", escape(s.explainer), "</b>: "});
    if (std::isfinite(s.rma)) {
      put(out, {percent(s.rma), " of the explanation lies where a person marked the finding. The marked areas cover ",
                percent(s.mask_area), " of the picture, which is what a random map would score"});
      if (s.mask_area > 0) put(out, {": ", fixed(s.rma / s.mask_area, 1), " times chance"});
      out += ".</li>\n";
    } else {
      out += "there was no picture on which it could be compared with a mask.</li>\n";
    }
  }
  return out + "</ul>\n";
}

[[gnu::cold]] inline std::string facts_table(const Facts& facts) {
  if (facts.rows.empty()) return "";
  std::string out = "<h2>The run</h2>\n<table class=\"facts\">\n";
  for (const auto& [name, value] : facts.rows)
    put(out, {"<tr><td class=\"soft\">", escape(name), "</td><td>", escape(value), "</td></tr>\n"});
  return out + "</table>\n";
}

[[gnu::cold]] inline std::string curves(const History& history) {
  std::vector<double> epochs;
  for (std::size_t row = 0; row < history.rows.size(); ++row) epochs.push_back(static_cast<double>(row + 1));
  std::vector<Series> losses, validation;
  for (std::size_t k = 0; k < history.columns.size(); ++k) {
    const std::string& name = history.columns[k];
    std::vector<double> values;
    for (const auto& row : history.rows) values.push_back(row[k]);
    if (name == "epoch")
      epochs = values;
    else if (name.starts_with("val_") && name != "val_loss" && name != "val_total")
      validation.push_back({name.substr(4), {}, values});
    else if (name != "seconds" && name != "lr" && !name.ends_with("_per_second"))
      losses.push_back({name, {}, values});
  }
  for (std::vector<Series>* lines : {&losses, &validation})
    for (Series& line : *lines) line.x = epochs;
  const std::string charts = line_chart("Loss and its terms", "epoch", losses) +
                             line_chart("Metrics on the validation pictures", "epoch", validation);
  return charts.empty() ? "" : joined({"<h2>Training</h2>\n<div class=\"columns\">\n", charts, "</div>\n"});
}

[[gnu::cold]] inline std::string classification_section(const metrics::ClassificationScores& c) {
  const std::size_t classes = c.confusion.shape()[0];
  std::string out = "<h2>Classification</h2>\n<div class=\"columns\">\n<div><table>\n";
  for (auto [name, value] : classification_rows(c)) {
    const std::string interval = name == "auc"        ? range(c.auc_interval, false)
                                 : name == "accuracy" ? range(c.accuracy_interval, false)
                                                      : "";
    const std::string note = interval.empty() ? "" : joined({"<br><small>", interval, "</small>"});
    if (name == "f1" || name == "auc")
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char l) { return l >= 'a' && l <= 'z' ? static_cast<char>(l - 'a' + 'A') : l; });
    std::replace(name.begin(), name.end(), '_', ' ');
    put(out, {"<tr><td>", name, "</td><td><b>", fixed(value, 3), "</b>", note, "</td></tr>\n"});
  }
  out += "</table></div>\n<div class=\"scroll\"><table class=\"confusion\">\n<tr><th>truth \\ predicted</th>";
  for (std::size_t j = 0; j < classes; ++j) put(out, {"<th>", escape(class_name(c, j)), "</th>"});
  out += "</tr>\n";
  for (std::size_t i = 0; i < classes; ++i) {
    Index total = 0;
    for (std::size_t j = 0; j < classes; ++j) total += c.confusion(i, j);
    put(out, {"<tr><th>", escape(class_name(c, i)), "</th>"});
    for (std::size_t j = 0; j < classes; ++j) {
      const double share = total == 0 ? 0 : static_cast<double>(c.confusion(i, j)) / static_cast<double>(total);
      put(out, {"<td class=\"cell", i == j ? " hit" : "", "\" style=\"--share:", fixed(0.6 * share, 2), "\">",
                std::to_string(c.confusion(i, j)), "<br><small>", percent(share, 0), "</small></td>"});
    }
    out += "</tr>\n";
  }
  put(out,
      {"</table><p class=\"legend\">Numbers of pictures; shares of each row.</p></div>\n", roc_chart(c), "</div>\n"});
  for (const std::string& why : c.undefined) put(out, {"<p class=\"soft\">Not defined: ", escape(why), ".</p>\n"});
  return out;
}

[[gnu::cold]] inline std::string explainer_section(const std::vector<metrics::LocalisationScores>& all) {
  if (all.empty()) return "";
  std::string out = "<h2>Where the explanations fall</h2>\n<div class=\"scroll\"><table>\n<tr><th>explainer</th>";
  for (const Column& column : localisation_columns) put(out, {"<th>", column.name, "</th>"});
  out += "<th>random map</th><th>pictures</th><th>undefined</th></tr>\n";
  for (const metrics::LocalisationScores& s : all) {
    put(out, {"<tr><td class=\"name\">", escape(s.explainer), "</td>"});
    for (const Column& column : localisation_columns) {
      bool best = std::isfinite(s.*column.mean) && all.size() > 1;
      for (const metrics::LocalisationScores& other : all) best = best && !(other.*column.mean > s.*column.mean);
      put(out, {"<td>", best ? "<b>" : "", fixed(s.*column.mean, 3), best ? "</b>" : ""});
      if (std::isfinite(s.*column.std)) put(out, {"<br><small>\u00b1 ", fixed(s.*column.std, 2), "</small>"});
      out += "</td>";
    }
    put(out, {"<td>", fixed(s.mask_area, 3), "</td><td>", std::to_string(s.images), "</td><td>",
              std::to_string(s.undefined), "</td></tr>\n"});
  }
  out +=
      "</table></div>\n<p class=\"soft\">Means over the pictures, \u00b1 the standard deviation. Bold: the highest of "
      "a "
      "column. RMA: the share of the map's weight inside the mask. RRA: the share of the map's highest pixels inside "
      "it, "
      "as many as the mask has. Pointing: how often the highest pixel lies inside. IoU: overlap of the mask with the "
      "map "
      "cut at its own threshold of 0.5, at its mean plus standard deviation, at as many pixels as the mask has, or at "
      "a "
      "threshold learned on validation pictures. Random map: what a map of noise scores in RMA, RRA and pointing, the "
      "share of the picture that the mask covers.</p>\n";
  for (const metrics::LocalisationScores& s : all)
    for (const std::string& why : s.reasons)
      put(out, {"<p class=\"soft\">", escape(s.explainer), ", not defined for ", escape(why), ".</p>\n"});
  return out;
}

/// Numbers of the pictures count on from `before`.
[[gnu::cold]] inline std::string gallery_section(const Gallery& gallery, const std::filesystem::path& folder,
                                                 const std::string& heading = "Pictures", std::size_t before = 0) {
  if (gallery.pictures.empty()) return "";
  std::string out = joined({"<h2>", escape(heading),
                            "</h2>\n<div class=\"key\"><div class=\"scale\" "
                            "style=\"background:linear-gradient(90deg"});
  for (const auto& c : colour_scale) out += text(",rgb(", int{c[0]}, ",", int{c[1]}, ",", int{c[2]}, ")");
  const auto ink = [](std::size_t c) { return static_cast<int>(outline_colour[c]); };
  out += text(
      ")\"></div><div class=\"ends\"><span>0: the picture shows through</span><span>1: "
      "strongest</span></div></div>\n<p "
      "class=\"soft\">Brighter colour means more evidence. Maps of probabilities run from 0 to 1; other maps from 0 to "
      "the "
      "largest value of that picture, negative values not shown. Maps are stretched over the picture by bilinear "
      "interpolation, small pictures are enlarged likewise. <span class=\"swatch\" style=\"border-color:rgb(",
      ink(0), ",", ink(1), ",", ink(2),
      ")\"></span> outlines what a person marked. Click a picture to enlarge it, click elsewhere to close.</p>\n");
  for (std::size_t i = 0; i < gallery.pictures.size(); ++i)
    out += picture_row(gallery.pictures[i], before + i + 1, folder);
  return out;
}

}  // namespace detail

/// Writes FOLDER/report.html and FOLDER/pictures/*.png (the folder is made where it is missing). Whatever comes from
/// outside (ids, names, facts) is escaped. Throws ShapeError, before it writes anything, where a row of the history has
/// another length than its columns or a picture's parts do not go together, and FileError where a file cannot be
/// written.
[[gnu::cold]] inline void html(const std::filesystem::path& folder, const History& history,
                               const metrics::Scores& scores, const Gallery& gallery, const HtmlOptions& options = {}) {
  for (std::size_t i = 0; i < history.rows.size(); ++i)
    require<ShapeError>(history.rows[i].size() == history.columns.size(), "report: row ", i, " of the history has ",
                        history.rows[i].size(), " values, expected ", history.columns.size());
  detail::check_gallery(gallery);
  const std::filesystem::path pictures = detail::pictures_folder(folder);
  std::string page = detail::page_begin(options.title);
  put(page, {detail::summary(history, scores), detail::facts_table(history.facts), detail::curves(history),
             detail::classification_section(scores.classification), detail::explainer_section(scores.localisation),
             scores.views ? scores.views->html(scores.faithfulness) : std::string(),
             detail::gallery_section(gallery, pictures), detail::page_end()});
  io::write_file_atomically(folder / "report.html", std::string_view(page));
}

}  // namespace limn::report
