// Scores as the values of a run of a study: names and numbers, a column of its CSV each.
#pragma once

#include <string>
#include <vector>

#include "limn/evaluate/pictures.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/report/text.hpp"

namespace limn {

/// Accuracy, AUC and F1, each with the ends of its 95% interval (NAME_low, NAME_high).
[[nodiscard, gnu::cold]] inline StudyValues study_values(const metrics::ClassificationScores& s) {
  StudyValues out;
  const auto add = [&](const std::string& name, double value, const std::array<double, 2>& interval) {
    append(out, {{name, value}, {name + "_low", interval[0]}, {name + "_high", interval[1]}});
  };
  add("accuracy", s.accuracy, s.accuracy_interval);
  add("auc", s.auc, s.auc_interval);
  add("f1", s.f1, s.f1_interval);
  return out;
}

/// The means of the measures over the pictures on which they are defined, and `dead_maps`: on how many of the marked
/// pictures the map was the same everywhere, so that nothing could be measured.
[[nodiscard, gnu::cold]] inline StudyValues study_values(const std::vector<PictureScores>& pictures) {
  StudyValues out;
  for (const auto& [name, measure] : picture_columns)
    if (measure != &PictureScores::correct) out.emplace_back(name, metrics::summary(column(pictures, measure)).mean);
  double dead = 0;
  for (const PictureScores& p : pictures) dead += !std::isnan(p.mask_area) && std::isnan(p.all_precision) ? 1 : 0;
  out.emplace_back("dead_maps", dead);
  return out;
}

/// The means of the measures ("SRG" is srg, "keep 10%" keep_10), and `undefined_maps`: on how many pictures nothing
/// could be measured.
[[nodiscard, gnu::cold]] inline StudyValues study_values(const metrics::FaithfulnessScores& s) {
  StudyValues out;
  for (std::size_t k = 0; k < s.measures.size(); ++k) out.emplace_back(report::slug(s.measures[k]), s.mean[k]);
  out.emplace_back("undefined_maps", static_cast<double>(s.undefined));
  return out;
}

}  // namespace limn
