#include "align/summary.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "limn/evaluate/study_report.hpp"

namespace example {

using namespace limn;

namespace {

/// Runs of one method as one group, whatever their domain and seed.
std::vector<StudyGroup> by_method(const Study& study) {
  std::vector<StudyGroup> out;
  for (const StudyRun& run : study.runs()) {
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const StudyGroup& g) { return g.setting("method") == run.setting("method"); });
    same == out.end() ? out.push_back({{run}}) : same->runs.push_back(run);
  }
  return out;
}

/// ALIGN less another method, in pairs of the same domain and seed.
metrics::Comparison against(const Study& study, const StudyGroup& other, const char* value) {
  std::vector<double> align, its;
  for (const StudyRun& run : other.runs) {
    StudySettings settings = run.settings;
    settings.front().second = "align";
    if (!study.done(settings)) continue;
    align.push_back(study.at(settings).value(value));
    its.push_back(run.value(value));
  }
  return metrics::compare("align - " + other.setting("method"), align, its);
}

}  // namespace

Output summary(const Study& study, const RunOptions& options) {
  const bool single = options.study == "sources";
  Output out{report::Page("ALIGN: " + options.study)};
  out.page.words(text(
      "Every method trained the same network with the same optimiser and number of steps, ",
      single ? "on one domain, and was tested on the others." : "on all domains but one, and was tested on that one.",
      " In: test pictures of the domains that were learned from. Out: pictures of the others. Sufficiency "
      "(lower is better) and comprehensiveness (higher is better) are of Grad-CAM, over the top 1, 5, 10, "
      "20 and 50%; a picture whose map is the same everywhere has neither, and counts as no map. Small: 95% intervals "
      "of means over domains and seeds."));
  out.page.facts({study.common()});

  const std::vector<StudyGroup> methods = by_method(study);
  out.section(
      "Means over domains and seeds",
      summary_table(methods, {"accuracy_in", "auc_in", "sufficiency_in", "comprehensiveness_in", "no_map_in",
                              "accuracy_out", "auc_out", "sufficiency_out", "comprehensiveness_out", "no_map_out"}));
  out.section("How much of Grad-CAM, and of the masks that were learned from, lies inside what a person marked",
              summary_table(methods, {"rma_in", "mask_rma_in", "rma_out", "mask_rma_out"}));
  for (const char* value : {"accuracy_out", "auc_out", "comprehensiveness_out"})
    out.section(text(value, single ? ", by the domain learned from" : ", by the domain left out"),
                cross_table(study.groups(), "method", "domain", [&](const StudyGroup&) { return std::string(value); }));
  for (const std::string measure : {"accuracy", "auc"}) {
    std::vector<std::string> each;  // "accuracy_A", "accuracy_B"
    for (const auto& [name, value] : study.runs().front().values)
      if (name.starts_with(measure + "_") && name != measure + "_in" && name != measure + "_out") each.push_back(name);
    out.section(measure + " on every domain", summary_table(study.groups(), each));
  }
  for (const char* value : {"accuracy_out", "auc_out", "comprehensiveness_out"}) {
    std::vector<metrics::Comparison> comparisons;
    for (const StudyGroup& group : methods)
      if (group.setting("method") != "align") comparisons.push_back(against(study, group, value));
    out.section(text("ALIGN against the others: ", value, ", over domains and seeds"),
                comparison_table(std::move(comparisons)));
  }
  return out;
}

}  // namespace example
