// What a report says of a study: a table over the repeated runs, a trade-off figure, tests between groups.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/function_ref.hpp"
#include "limn/evaluate/pictures.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/report/charts/trade_off.hpp"
#include "limn/report/grid.hpp"

namespace limn {

/// The settings that are not the same for all groups, but for the one that is repeated.
[[nodiscard, gnu::cold]] inline std::vector<std::string> varied(const std::vector<StudyGroup>& groups,
                                                                std::string_view repeated = "seed") {
  std::vector<std::string> out;
  if (groups.empty()) return out;
  for (const auto& [name, value] : groups.front().runs.front().settings)
    if (name != repeated && where(groups, {{name, value}}).size() < groups.size()) out.push_back(name);
  return out;
}

/// "dice 0.25": the settings of a group in words.
[[nodiscard, gnu::cold]] inline std::string name_of(const StudyGroup& group, const std::vector<std::string>& settings) {
  std::string out;
  for (const std::string& name : settings) out += (out.empty() ? "" : " ") + group.setting(name);
  return out;
}

/// A row for each group: its settings as far as they vary, the number of its runs, and of each value mean, sample
/// deviation and, small, the 95% interval of the mean (Student's t over the runs).
[[nodiscard, gnu::cold]] inline report::Table summary_table(const std::vector<StudyGroup>& groups,
                                                            const std::vector<std::string>& values) {
  const std::vector<std::string> settings = varied(groups);
  report::Table table{.columns = settings};
  table.columns.push_back("runs");
  append(table.columns, values);
  for (std::string& name : table.columns) std::replace(name.begin(), name.end(), '_', ' ');
  for (const StudyGroup& group : groups) {
    std::vector<std::string> row;
    for (const std::string& name : settings) row.push_back(group.setting(name));
    row.push_back(text(group.runs.size()));
    for (const std::string& name : values) {
      const metrics::Summary s = group.summary(name);
      row.push_back(report::fixed(s.mean, 3));
      if (s.count > 1)
        row.back() += text(" \u00b1 ", report::fixed(s.std, 3), "\n", report::fixed(s.interval[0], 3), " to ",
                           report::fixed(s.interval[1], 3));
    }
    table.add(std::move(row));
  }
  return table;
}

/// "0.312 \u00b1 0.028" (mean, sample deviation), or the mean alone of a single run.
[[nodiscard, gnu::cold]] inline std::string mean_and_std(const metrics::Summary& s, int digits = 3) {
  return s.count > 1 ? text(report::fixed(s.mean, digits), " \u00b1 ", report::fixed(s.std, digits))
                     : report::fixed(s.mean, digits);
}

/// One value of groups that differ in two settings: a row for each text of one, a column for each of the other, in the
/// order of the groups; mean and sample deviation over the runs. value(group) is the value's name: not all groups need
/// to show the same. Where there is no group, nothing stands.
[[nodiscard, gnu::cold]] inline report::Table cross_table(const std::vector<StudyGroup>& groups, const std::string& row,
                                                          const std::string& column,
                                                          const FunctionRef<std::string(const StudyGroup&)>& value) {
  const auto texts = [&](const std::string& setting) {
    std::vector<std::string> out;
    for (const StudyGroup& g : groups)
      if (std::find(out.begin(), out.end(), g.setting(setting)) == out.end()) out.push_back(g.setting(setting));
    return out;
  };
  report::Table table{.columns = texts(column)};
  table.columns.insert(table.columns.begin(), row);
  for (const std::string& name : texts(row)) {
    std::vector<std::string> cells{name};
    for (const std::string& other : texts(column)) {
      const auto found = where(groups, {{row, name}, {column, other}});
      cells.push_back(found.empty() ? "" : mean_and_std(found.front().summary(value(found.front()))));
    }
    table.add(std::move(cells));
  }
  return table;
}

/// Lines of a trade-off figure: groups of one setting `line` are joined, each point is named by its setting `point`.
/// All lines begin at the group `start`, where the thing that is traded is off.
[[nodiscard, gnu::cold]] inline std::vector<report::TradeOffLine> trade_off_lines(
    const StudyGroup& start, const std::vector<StudyGroup>& groups, const std::string& line, const std::string& point,
    const std::string& x, const std::string& y) {
  const auto at = [&](const StudyGroup& g) {
    return report::TradeOffPoint{g.setting(point), g.summary(x), g.summary(y)};
  };
  std::vector<report::TradeOffLine> out;
  for (const StudyGroup& group : groups) {
    if (group.runs.front().settings == start.runs.front().settings) continue;
    std::size_t k = 0;
    while (k < out.size() && out[k].name != group.setting(line)) ++k;
    if (k == out.size()) out.push_back({.name = group.setting(line), .points = {at(start)}});
    out[k].points.push_back(at(group));
  }
  return out;
}

/// Compares a value of two groups over the runs that both have with the same `repeated` setting.
[[nodiscard, gnu::cold]] inline metrics::Comparison compare_runs(const std::string& name, const StudyGroup& a,
                                                                 const StudyGroup& b, const std::string& value,
                                                                 const std::string& repeated = "seed") {
  std::vector<double> left, right;
  for (const StudyRun& run : a.runs)
    for (const StudyRun& other : b.runs)
      if (run.setting(repeated) == other.setting(repeated)) {
        left.push_back(run.value(value));
        right.push_back(other.value(value));
      }
  return metrics::compare(name, left, right);
}

/// The measure of every picture, by its id, averaged over the runs of a group in which it is defined (pictures.csv in
/// their folders). Averages over runs are one value a picture: pictures are independent of each other, runs on the same
/// picture are not.
[[nodiscard, gnu::cold]] inline std::map<std::string, double> picture_means(const StudyGroup& group,
                                                                            double PictureScores::*measure) {
  std::map<std::string, metrics::Running> sums;
  for (const StudyRun& run : group.runs)
    for (const PictureScores& p : load_pictures(run.folder / "pictures.csv")) sums[p.id].add(p.*measure);
  std::map<std::string, double> out;
  for (const auto& [id, sum] : sums) out[id] = sum.mean();
  return out;
}

/// Compares two groups over the pictures that both have, averaged over the runs, each by a measure of its own: two
/// explainers may make binary maps in different ways.
[[nodiscard, gnu::cold]] inline metrics::Comparison compare_pictures(const std::string& name, const StudyGroup& a,
                                                                     double PictureScores::*measure_of_a,
                                                                     const StudyGroup& b,
                                                                     double PictureScores::*measure_of_b) {
  const std::map<std::string, double> left = picture_means(a, measure_of_a), right = picture_means(b, measure_of_b);
  std::vector<double> x, y;
  for (const auto& [id, value] : left)
    if (const auto found = right.find(id); found != right.end()) {
      x.push_back(value);
      y.push_back(found->second);
    }
  return metrics::compare(name, x, y);
}
/// By the same measure.
[[nodiscard, gnu::cold]] inline metrics::Comparison compare_pictures(const std::string& name, const StudyGroup& a,
                                                                     const StudyGroup& b,
                                                                     double PictureScores::*measure) {
  return compare_pictures(name, a, measure, b, measure);
}

/// A row for each comparison. p-values: after Holm's correction over the rows, small: before.
[[nodiscard, gnu::cold]] inline report::Table comparison_table(std::vector<metrics::Comparison> comparisons) {
  metrics::correct_for_many(comparisons);
  report::Table table{.columns = {"comparison", "pairs", "difference", "Wilcoxon p (Holm)", "t-test p (Holm)",
                                  "effect d", "rank-biserial"}};
  const auto p = [](double corrected, double plain) {
    const auto show = [](double v) { return v < .001 ? std::string("< 0.001") : report::fixed(v, 3); };
    return text(show(corrected), "\n", show(plain));
  };
  for (const metrics::Comparison& c : comparisons)
    table.add({c.name,
               c.difference.undefined == 0 ? text(c.difference.count)
                                           : text(c.difference.count, "\n", c.difference.undefined, " without a value"),
               text(report::fixed(c.difference.mean, 3), "\n", report::fixed(c.difference.interval[0], 3), " to ",
                    report::fixed(c.difference.interval[1], 3)),
               p(c.wilcoxon_p_holm, c.wilcoxon_p), p(c.t_p_holm, c.t_p), report::fixed(c.effect, 2),
               report::fixed(c.rank_biserial, 2)});
  return table;
}

}  // namespace limn
