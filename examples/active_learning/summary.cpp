#include "active_learning/summary.hpp"

#include <algorithm>

#include "limn/evaluate/study_report.hpp"
#include "limn/metrics/learning_curve.hpp"
#include "limn/report/charts/band_chart.hpp"

namespace example {

using namespace limn;

namespace {

using Names = std::vector<std::string>;
const Names measures{"accuracy", "auc", "dice"};
const Names patterns{"high_high", "high_low", "low_high", "low_low", "median_entropy", "median_misalignment"};

/// The numbers of labels at which all groups were measured: what stands behind "accuracy_at_".
Names budgets(const std::vector<StudyGroup>& groups) {
  const std::string front = "accuracy_at_";
  Names out;
  for (const auto& [name, value] : groups.front().runs.front().values)
    if (name.starts_with(front)) out.push_back(name.substr(front.size()));
  return out;
}

std::string title_of(const StudyGroup& group) {
  const std::string& strategy = group.setting("strategy");
  return strategy == "eg_al" ? text(strategy, ", lambda ", group.setting("lambda")) : strategy;
}

/// One measure: a row for each way to choose, a column for each number of labels.
report::Table curves(const std::vector<StudyGroup>& groups, const std::string& measure) {
  report::Table table{.columns = {measure + " with so many labels"}};
  append(table.columns, budgets(groups));
  table.columns.emplace_back("area");
  for (const StudyGroup& group : groups) {
    Names row{title_of(group)};
    for (const std::string& labels : budgets(groups))
      row.push_back(mean_and_std(group.summary(measure + "_at_" + labels)));
    row.push_back(mean_and_std(group.summary(measure + "_area")));
    table.add(std::move(row));
  }
  return table;
}

/// The paper's Fig. 5: mean and deviation over the seeds. Chance, the paper's acquisition and its two extremes: more
/// bands would hide each other.
std::string chart(const std::vector<StudyGroup>& groups, const std::string& measure) {
  std::vector<report::Band> bands;
  for (const StudyGroup& group : groups) {
    const std::string &strategy = group.setting("strategy"), &lambda = group.setting("lambda");
    const bool extreme = strategy == "entropy" || strategy == "misalignment" || lambda == "1";
    if (!extreme && strategy != "random" && (strategy != "eg_al" || (lambda != "0" && lambda != "0.3"))) continue;
    report::Band band{.name = title_of(group), .x = {}, .mean = {}, .low = {}, .high = {}};
    for (const std::string& labels : budgets(groups)) {
      const metrics::Summary s = group.summary(measure + "_at_" + labels);
      const double around = s.count > 1 ? s.std : 0;
      band.x.push_back(std::stod(labels));
      band.mean.push_back(s.mean);
      band.low.push_back(s.mean - around);
      band.high.push_back(s.mean + around);
    }
    bands.push_back(std::move(band));
  }
  return report::band_chart(measure, "labels", measure, bands);
}

/// How many pictures that are left fail in which way, with every number of labels.
report::Table failures(const StudyGroup& group) {
  report::Table table{.columns = {"labels"}};
  append(table.columns, patterns);
  std::for_each(table.columns.begin(), table.columns.end(),
                [](std::string& name) { std::replace(name.begin(), name.end(), '_', ' '); });
  for (const std::string& labels : budgets({group})) {
    Names row{labels};
    for (const std::string& name : patterns) row.push_back(mean_and_std(group.summary(name + "_at_" + labels), 2));
    table.add(std::move(row));
  }
  return table;
}

}  // namespace

StudyValues values_of(const active::History& history) {
  StudyValues out;
  std::vector<double> labels;
  for (const active::Round& round : history.rounds) labels.push_back(static_cast<double>(round.labels));
  for (const std::string& name : measures) {
    std::vector<double> curve;
    for (const active::Round& round : history.rounds) curve.push_back(round.value(name));
    append(out, {{name, curve.back()}, {name + "_area", metrics::area_under_curve(labels, curve)}});
  }
  for (const active::Round& round : history.rounds)
    for (const auto& [name, value] : round.values) out.emplace_back(text(name, "_at_", round.labels), value);
  return out;
}

const StudyRun& run_of(const Study& study, const std::string& strategy, const std::string& lambda) {
  return *std::find_if(study.runs().begin(), study.runs().end(), [&](const StudyRun& run) {
    return run.setting("strategy") == strategy && run.setting("lambda") == lambda;
  });
}

Output summary(const Study& study, const RunOptions& options) {
  const std::vector<StudyGroup> groups = study.groups();
  Output out{report::Page("Active learning by explanations: " + options.study)};
  out.page.words(
      "All networks of a seed begin with the same labels; then each way to choose asks for more, round by round, and a "
      "network is trained from the start. Measured on the same test pictures; dice: Grad-CAM of the predicted class "
      "with what is marked. Area: under the learning curve, divided by its width. Means and deviations are over seeds; "
      "the bands in the charts are one deviation wide on either side.");
  out.page.facts({study.common()});
  out.page.heading("Learning curves");
  for (const std::string& measure : measures) out.table(measure, curves(groups, measure));
  out.page.charts({chart(groups, "accuracy"), chart(groups, "auc"), chart(groups, "dice")});

  out.page.heading("Against chance");
  out.page.words(
      "Over runs with the same seed; so few pairs can show large effects only. Holm's correction over the rows.");
  for (const std::string& measure : measures) {
    std::vector<metrics::Comparison> comparisons;
    for (const StudyGroup& group : groups)
      if (group.setting("strategy") != "random")
        comparisons.push_back(compare_runs(title_of(group), group, groups.front(), measure + "_area"));
    out.table("area under the curve of " + measure, comparison_table(std::move(comparisons)));
  }

  out.page.heading("Ways to fail");
  out.page.words(
      "Of the pictures that are not labelled yet: high or low entropy, high or low misalignment, about their medians. "
      "Low entropy with high misalignment is what uncertainty alone cannot see.");
  for (const StudyGroup& group : where(groups, {{"strategy", "eg_al"}, {"lambda", "0.3"}}))
    out.table(title_of(group), failures(group));
  return out;
}

}  // namespace example
