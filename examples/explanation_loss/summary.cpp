#include "explanation_loss/summary.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "limn/evaluate/study_report.hpp"

namespace example {

using namespace limn;

namespace {

using Names = std::vector<std::string>;

/// What a group is compared with: cross-entropy alone, under the same wrong labels.
const StudyGroup& without_loss(const std::vector<StudyGroup>& groups, const StudyGroup& group) {
  const std::string wrong = group.setting("noise") == "label" ? group.setting("amount") : "0";
  return *std::find_if(groups.begin(), groups.end(), [&](const StudyGroup& g) {
    return g.setting("strength") == "0" && g.setting("amount") == wrong;
  });
}

std::vector<std::string> charts(const std::vector<StudyGroup>& groups, const std::string& study) {
  const auto chart = [&](const std::string& title, const StudyGroup& start, const std::vector<StudyGroup>& shown,
                         const std::string& line, const std::string& point) {
    return report::trade_off_chart(title, "all saliency precision (alignment)", "accuracy",
                                   trade_off_lines(start, shown, line, point, "all_precision", "accuracy"));
  };
  const StudyGroup& alone = groups.front();
  if (study == "noise")
    return {chart("Each noise, by its amount", groups.at(1), where(groups, {{"strength", "1"}}), "noise", "amount")};
  const auto usual = where(groups, {{"score", "difference"}, {"gate", "all"}});
  std::vector<std::string> out{chart("Each design, by its strength", alone, usual, "design", "strength")};
  const auto others = where(groups, {{"design", "outside_mass"}});
  const Names settings = varied(others);
  for (const auto& [name, other] : {std::pair{"score", "gate"}, std::pair{"gate", "score"}})
    if (std::find(settings.begin(), settings.end(), name) != settings.end())
      out.push_back(chart(text("Outside mass, each ", name), alone, where(others, {{other, alone.setting(other)}}),
                          name, "strength"));
  return out;
}

}  // namespace

std::vector<StudyGroup> strongest(const std::vector<StudyGroup>& groups) {
  std::vector<StudyGroup> out;
  for (const StudyGroup& group : where(groups, {{"score", "difference"}, {"gate", "all"}, {"noise", "none"}})) {
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const StudyGroup& g) { return g.setting("design") == group.setting("design"); });
    if (same == out.end()) {
      out.push_back(group);
    } else if (std::stod(group.setting("strength")) > std::stod(same->setting("strength"))) {
      *same = group;
    }
  }
  return out;
}

report::Page summary(const Study& study, const RunOptions& options) {
  const std::vector<StudyGroup> groups = study.groups();
  report::Table tests;
  report::Page page("Explanation-aware learning: " + options.study);
  page.words(
      "Networks were trained with cross-entropy alone (strength 0) and with losses that compare their explanations "
      "with "
      "what was marked. Accuracy, AUC and F1 are of the test pictures. Alignment is that of Grad-CAM, for the true "
      "class, on the marked test pictures; a random map would score the mask area. Small: 95% intervals of means over "
      "runs with different seeds.");
  if (options.study == "shortcut")
    page.words(
        "A mark in the corner gives the class away in the training and validation pictures. The test pictures have no "
        "mark; \"drop\" is by how much the accuracy falls from validation to test, \"other accuracy\" that of the same "
        "test pictures with a mark that says nothing.");
  page.facts({study.common()});

  Names values{"val_accuracy",  "accuracy", "auc", "f1",       "top_precision",
               "all_precision", "coverage", "iou", "mask_area"};
  if (options.study == "shortcut") values.insert(values.begin() + 2, {"drop", "other_accuracy"});
  const report::Table table = summary_table(groups, values);
  page.heading("Results").table(table).charts(charts(groups, options.study));
  std::puts(report::markdown(table).c_str());

  page.heading("Against cross-entropy alone");
  page.words(
      "Differences to cross-entropy alone with their tests; p-values hold for all rows of a table together (Holm), "
      "small: by themselves. Over pictures: each picture's mean over the runs. Over runs: pairs with the same seed; so "
      "few pairs can show large effects only.");
  const Names settings = varied(groups);
  const auto compare_all = [&](const std::string& title, const auto& compare) {
    std::vector<metrics::Comparison> comparisons;
    for (const StudyGroup& group : groups)
      if (group.setting("strength") != "0")
        comparisons.push_back(compare(name_of(group, settings), group, without_loss(groups, group)));
    const report::Table result = comparison_table(std::move(comparisons));
    page.words(title).table(result);
    tests.columns = result.columns;
    tests.columns.insert(tests.columns.begin(), "measure");
    for (std::vector<std::string> row : result.rows) {
      row.insert(row.begin(), title);
      tests.add(std::move(row));
    }
    std::printf("%s\n\n%s\n", title.c_str(), report::markdown(result).c_str());
  };
  using Measure = std::pair<const char*, double PictureScores::*>;
  for (const auto& measure :
       {Measure{"accuracy", &PictureScores::correct}, Measure{"top precision", &PictureScores::top_precision},
        Measure{"all precision", &PictureScores::all_precision}})
    compare_all(text(measure.first, ", over pictures"), [&](const auto& called, const auto& a, const auto& b) {
      return compare_pictures(called, a, b, measure.second);
    });
  for (const char* name : {"accuracy", "auc", "all_precision"})
    compare_all(text(name, ", over runs"),
                [&](const auto& called, const auto& a, const auto& b) { return compare_runs(called, a, b, name); });
  io::write_file_atomically(study.folder() / "summary.csv", report::csv(table));
  io::write_file_atomically(study.folder() / "tests.csv", report::csv(tests));
  return page;
}

}  // namespace example
