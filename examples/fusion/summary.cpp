#include "fusion/summary.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "limn/evaluate/study_report.hpp"
#include "limn/io/csv.hpp"
#include "limn/report/charts/band_chart.hpp"
#include "limn/report/charts/roc.hpp"
#include "limn/report/charts/violins.hpp"

namespace example {

using namespace limn;

namespace {

using Names = std::vector<std::string>;
using Groups = std::vector<StudyGroup>;

/// In the paper's order.
Groups in_order(Groups groups) {
  const Names order{"global", "local", "gate", "concatenation", "product", "global alone", "local alone"};
  std::stable_sort(groups.begin(), groups.end(), [&](const StudyGroup& a, const StudyGroup& b) {
    const auto place = [&](const StudyGroup& g) { return std::find(order.begin(), order.end(), g.setting("model")); };
    return place(a) < place(b);
  });
  return groups;
}

/// A row for each group, a column for each value: mean and deviation over the runs.
report::Table table_of(const Groups& groups, const Names& settings, const Names& values, const Names& columns) {
  report::Table table{.columns = settings};
  append(table.columns, columns);
  for (const StudyGroup& group : groups) {
    Names row;
    for (const std::string& name : settings) row.push_back(group.setting(name));
    for (const std::string& name : values) row.push_back(mean_and_std(group.summary(name)));
    table.add(std::move(row));
  }
  return table;
}

/// A column of what degradation came to, picture by picture; none where a map is the same everywhere in all pictures.
std::vector<double> numbers(const StudyRun& run, const std::string& column) {
  const io::Csv pictures = io::Csv::read(run.folder / "degradation.csv");
  std::vector<double> out;
  if (!pictures.has(column)) return out;
  for (Index row = 0; row < pictures.size(); ++row) out.push_back(pictures.number(row, column));
  return out;
}

/// The class's probability while the picture is blurred, least and most relevant parts first: mean and deviation of the
/// runs' means.
std::string degradation_chart(const StudyGroup& map) {
  constexpr int steps = 10;
  std::vector<report::Band> bands{{"least relevant first (LeRF)", {}, {}, {}, {}},
                                  {"most relevant first (MoRF)", {}, {}, {}, {}}};
  for (int step = 0; step <= steps; ++step)
    for (const std::size_t side : {0, 1}) {
      metrics::Running of_runs;
      for (const StudyRun& run : map.runs) {
        metrics::Running of_pictures;
        for (const double p : numbers(run, text(side == 0 ? "lerf_" : "morf_", step))) of_pictures.add(p);
        of_runs.add(of_pictures.mean());
      }
      const double spread = map.runs.size() > 1 ? of_runs.std() : 0;
      bands[side].x.push_back(static_cast<double>(step) / steps);
      bands[side].mean.push_back(of_runs.mean());
      bands[side].low.push_back(of_runs.mean() - spread);
      bands[side].high.push_back(of_runs.mean() + spread);
    }
  return report::band_chart(name_of(map, {"model", "map"}), "share of the picture that is blurred",
                            "probability of the class", bands);
}

/// The gate less every other model: over the folds, which are few, and for maps over the pictures.
void differences(Output& out, const Groups& models, const Groups& maps) {
  const StudyGroup gate = where(models, {{"model", "gate"}}).at(0);
  std::vector<metrics::Comparison> accuracy, auc;
  for (const StudyGroup& model : models) {
    if (model.setting("model") == "gate") continue;
    accuracy.push_back(compare_runs(model.setting("model"), gate, model, "accuracy"));
    auc.push_back(compare_runs(model.setting("model"), gate, model, "auc"));
  }
  out.page.heading("The gate less the others");
  out.page.words("p-values hold for all rows of a table together (Holm), small: by themselves.");
  out.table("Accuracy, fold by fold", comparison_table(std::move(accuracy)));
  out.table("AUC, fold by fold", comparison_table(std::move(auc)));
  const StudyGroup saliency = where(maps, {{"model", "gate"}, {"map", "saliency"}}).at(0);
  std::vector<metrics::Comparison> rma;
  for (const StudyGroup& map : maps)
    if (name_of(map, {"model", "map"}) != "gate saliency")
      rma.push_back(compare_pictures(name_of(map, {"model", "map"}), saliency, map, &PictureScores::rma));
  out.table("Relevance mass accuracy of the saliency, picture by picture", comparison_table(std::move(rma)));
}

}  // namespace

Output summary(const Study& models, const Study& maps) {
  const Groups trained = in_order(models.groups()), shown = in_order(maps.groups());
  Output out{report::Page("Attention-aware fusion")};
  out.page.words(
      "Two networks see the same picture, one the whole, one patches; they learn together with what joins their maps: "
      "an attention gate, concatenation or multiplication. \"global\" and \"local\" are the branches of the network "
      "with the gate, \"alone\" the same branches trained by themselves. Every run tests on another part of the "
      "pictures, until all have been; means and deviations are over the runs.");
  out.page.facts({models.common()});
  out.section(
      "Classification",
      table_of(trained, {"model"}, {"accuracy", "specificity", "sensitivity", "f1", "auc", "weighted_precision"},
               {"accuracy = weighted recall", "specificity", "sensitivity", "F1", "AUC", "weighted precision"}),
      "The paper's Table 4 calls weighted recall sensitivity and weighted precision specificity.");
  std::vector<report::RocRuns> curves;
  for (const StudyGroup& model : trained) {
    curves.push_back({model.setting("model"), {}});
    for (const StudyRun& run : model.runs) curves.back().curves.push_back(report::load_roc(run.folder / "roc.csv"));
  }
  out.page.charts({report::mean_roc_chart("ROC curves: mean over the runs, band of one deviation", curves)});
  out.section(
      "Where the maps fall",
      table_of(shown, {"model", "map"}, {"rma", "rra", "pointing", "mask_area"},
               {"RMA", "RRA", "pointing game", "mask area"}),
      "Relevance mass and rank accuracy for the class that is there (Table 5). A random map's would be the mask "
      "area.");
  out.section("What the maps are worth to the network",
              table_of(shown, {"model", "map"}, {"ds", "ds_c"}, {"DS", "DS_c"}),
              "The degradation score, and less half the distance between the classes (Table 6): above 0 where blurring "
              "what a map shows as important costs the network more than blurring the rest.");
  std::vector<report::Violin> violins;
  std::vector<std::string> charts;
  for (const StudyGroup& map : shown) {
    violins.push_back({name_of(map, {"model", "map"}), {}});
    for (const StudyRun& run : map.runs) append(violins.back().values, numbers(run, "ds"));
    charts.push_back(degradation_chart(map));
  }
  charts.insert(charts.begin(), report::violin_chart("Degradation score of each picture", "DS", violins));
  out.page.charts(charts);
  differences(out, trained, shown);
  return out;
}

}  // namespace example
