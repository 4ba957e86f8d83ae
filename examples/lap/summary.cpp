#include "lap/summary.hpp"

#include <algorithm>
#include <string>

#include "common/output.hpp"
#include "limn/evaluate/study_report.hpp"

namespace example {

using namespace limn;

namespace {

using Names = std::vector<std::string>;
using Groups = std::vector<StudyGroup>;
using Measure = double PictureScores::*;

bool is_lap(const StudyGroup& group) { return group.setting("explainer").starts_with("LAP"); }

/// LAPs have a threshold of their own, so their binary maps need no other.
std::string own_or(const StudyGroup& group, const char* otherwise) {
  return is_lap(group) ? "iou_threshold" : otherwise;
}

/// The value by mean + deviation, or by one threshold for all pictures, whichever binary maps come closer to what is
/// marked.
std::string by_closer_maps(const StudyGroup& group, const std::string& value) {
  return group.summary(own_or(group, "iou_learned")).mean > group.summary("iou").mean ? value + "_threshold" : value;
}

/// Scores of every network; p: of the difference to the first one, by an unpaired t-test over the runs.
report::Table classification_table(const Groups& groups) {
  const Names values{"accuracy", "sensitivity", "specificity", "balanced_accuracy", "f1", "auc"};
  report::Table table{
      .columns = {"network", "runs", "accuracy", "sensitivity", "specificity", "balanced accuracy", "F1", "AUC"}};
  for (const StudyGroup& group : groups) {
    Names row{group.setting("network"), text(group.runs.size())};
    for (const std::string& name : values) {
      row.push_back(mean_and_std(group.summary(name)));
      const metrics::TestResult test = metrics::t_test(group.values(name), groups.front().values(name));
      if (&group != &groups.front() && !std::isnan(test.p)) row.back() += "\np " + report::fixed(test.p, 3);
    }
    table.add(std::move(row));
  }
  return table;
}

void classification(Output& out, const Groups& networks) {
  out.section(
      "Classification", classification_table(networks),
      "Of the test pictures: mean and deviation over runs with different seeds. Small: p of the difference to the "
      "first network, by an unpaired t-test over the runs.");
}

/// Differences of LAPs on one network to all other explainers on another.
void compare_all(Output& out, const Groups& maps, const std::string& laps_on, const std::string& others_on) {
  const auto laps = where(maps, {{"network", laps_on}, {"explainer", "LAP"}});
  const auto others = where(maps, {{"network", others_on}});
  const auto compare = [&](const std::string& how, Measure of_laps, Measure of_others) {
    std::vector<metrics::Comparison> comparisons;
    for (const StudyGroup& other : others)
      if (!is_lap(other))
        comparisons.push_back(compare_pictures(other.setting("explainer"), laps.front(), of_laps, other, of_others));
    out.table(text("LAP, ", laps_on, ", less others on the network \"", others_on, "\": IoU, ", how),
              comparison_table(std::move(comparisons)));
  };
  if (laps.empty() || others.empty()) return;
  compare("own 0.5 against mean + deviation", &PictureScores::iou_threshold, &PictureScores::iou);
  compare("own 0.5 against a learned threshold", &PictureScores::iou_threshold, &PictureScores::iou_learned);
  compare("top K of both", &PictureScores::iou_top_k, &PictureScores::iou_top_k);
}

report::Table in_short(const Groups& maps) {
  report::Table table{.columns = {"network", "LAP", "best of the others", "its IoU"}};
  for (const char* name : {"plain", "plugged in", "fine-tuned", "expert"}) {
    const bool beside = name == std::string("plain");
    const auto laps = where(maps, {{"network", beside ? "detached" : name}, {"explainer", "LAP"}});
    Groups others = where(maps, {{"network", name}});
    std::erase_if(others, is_lap);
    if (laps.empty() || others.empty()) continue;
    const StudyGroup& best = *std::max_element(others.begin(), others.end(), [](const auto& a, const auto& b) {
      return a.summary("iou").mean < b.summary("iou").mean;
    });
    table.add({beside ? "plain, LAPs detached" : name, mean_and_std(laps.front().summary("iou_threshold")),
               best.setting("explainer"), mean_and_std(best.summary("iou"))});
  }
  return table;
}

void localisation(Output& out, const Groups& networks, const Groups& maps) {
  classification(out, networks);
  out.page.heading("Where explanations fall");
  out.page.words(
      "Explanations of the correctly predicted positives of the test against what is marked, for the class that is "
      "there: a row for each explainer, a column for each network. LAPs of the column \"detached\" explain the plain "
      "network. Mean and deviation over the runs.");
  out.table("LAP and the best of the others on the same network, by the IoU of the table below.", in_short(maps));
  const auto cross = [&](const std::string& title, const std::string& words, const auto& value) {
    out.section(title, cross_table(maps, "explainer", "network", value), words);
  };
  cross("IoU, mean + deviation; LAP: own 0.5", "Above a map's mean and deviation (the paper's Table 2).",
        [](const StudyGroup& g) { return own_or(g, "iou"); });
  cross("IoU, top K", "As many of the highest pixels as are marked (Table 7).",
        [](const StudyGroup&) { return "iou_top_k"; });
  cross("IoU, learned threshold; LAP: own 0.5", "A threshold from the validation pictures (Table 8).",
        [](const StudyGroup& g) { return own_or(g, "iou_learned"); });
  cross("Annotations captured",
        "At least half is inside; by mean + deviation or the one threshold, whichever has the larger IoU (Table 10).",
        [](const StudyGroup& g) { return by_closer_maps(g, "captured"); });
  cross("Truncated IoU", "IoU with the better half of each annotation; by the same maps (Table 11).",
        [](const StudyGroup& g) { return by_closer_maps(g, "truncated_iou"); });
  out.page.heading("Differences over the pictures");
  out.page.words(
      "LAP less the others, each picture's mean over the runs. p-values hold for all rows of a table together (Holm), "
      "small: by themselves.");
  compare_all(out, maps, "detached", "plain");
  compare_all(out, maps, "plugged in", "plain");
  compare_all(out, maps, "plugged in", "plugged in");
  compare_all(out, maps, "plugged in", "BotCL");
  out.section(
      "All measures",
      summary_table(maps, {"iou", "iou_threshold", "iou_top_k", "iou_learned", "rma", "rra", "pointing", "captured",
                           "captured_threshold", "truncated_iou", "truncated_iou_threshold", "mask_area", "dead_maps"}),
      "A random map's RMA and RRA would be the mask area. Small: 95% intervals of means over the runs.");
}

void faithfulness(Output& out, const Groups& networks, const Groups& maps) {
  const auto cross = [&](const std::string& title, const char* value, const std::string& words) {
    out.section(title, cross_table(maps, "explainer", "network", [&](const auto&) { return value; }), words);
  };
  cross("SRG", "srg",
        "How much longer the network's answer stays when the least important pixels are taken away first than when the "
        "most important ones are: the area between the two curves while 99 to 50% of the picture stay (the paper's "
        "Table 9). Of the correctly predicted positives; a map without order has 0.");
  cross("SRG of the probability", "srg_of_probability", "The same by the probability of the class.");
  out.section("Answers that stay when only the highest pixels stay",
              summary_table(maps, {"keep_10", "keep_30", "keep_50", "keep_70", "keep_90", "undefined_maps"}),
              "Of 10 to 90% of the pixels. Small: 95% intervals of means over the runs.");
  classification(out, networks);
}

void ablation(Output& out, const Groups& networks, const Groups& maps) {
  report::Table table{.columns = {"setting", "runs", "balanced accuracy", "F1", "IoU, own 0.5", "IoU, mean + deviation",
                                  "IoU, top K", "pointing"}};
  for (const StudyGroup& group : networks) {
    const StudyGroup map = where(maps, {{"network", group.setting("network")}}).front();
    table.add({group.setting("network"), text(group.runs.size()), mean_and_std(group.summary("balanced_accuracy")),
               mean_and_std(group.summary("f1")), mean_and_std(map.summary("iou_threshold")),
               mean_and_std(map.summary("iou")), mean_and_std(map.summary("iou_top_k")),
               mean_and_std(map.summary("pointing"))});
  }
  out.section("Shares of elements that learn", table,
              "LAPs in the network, trained with other shares (the paper's Table 3; with --full also Table 12).");
  std::vector<metrics::Comparison> comparisons;
  for (std::size_t i = 1; i < maps.size(); ++i)
    comparisons.push_back(
        compare_pictures(maps[i].setting("network"), maps[0], maps[i], &PictureScores::iou_threshold));
  out.section("The proposed shares less others: IoU, own 0.5", comparison_table(std::move(comparisons)));
  classification(out, networks);
}

void depths(Output& out, const Groups& networks, const Groups& maps) {
  Groups laps;
  std::copy_if(maps.begin(), maps.end(), std::back_inserter(laps), is_lap);
  out.section("IoU of each LAP alone and of all depths joined",
              cross_table(laps, "network", "explainer", [](const auto&) { return "iou_threshold"; }),
              "By the threshold of 0.5 (the paper's Table 14). LAP 1 is the shallowest; \"LAP\": all depths.");
  out.section("IoU, top K", cross_table(laps, "network", "explainer", [](const auto&) { return "iou_top_k"; }));
  for (const auto& [name, title] : {std::pair{"predictivity_", "Each LAP's answer against the truth: F1"},
                                    std::pair{"compatibility_", "Each LAP's answer against the network's: F1"}}) {
    report::Table table{.columns = {"network", "LAP 1", "LAP 2", "LAP 3", "LAP 4"}};
    for (const StudyGroup& group : networks) {
      if (group.setting("network") == "plain") continue;
      Names row{group.setting("network")};
      for (const char* depth : {"1", "2", "3", "4"}) row.push_back(mean_and_std(group.summary(text(name, depth))));
      table.add(std::move(row));
    }
    out.section(title, table, "A LAP finds a clue where any of its elements exceeds 0.5 (the paper's Table 18).");
  }
  classification(out, networks);
}

void time(Output& out, const Groups& networks, const Groups& maps) {
  report::Table table{.columns = {"network", "seconds per epoch", "times the plain network", "megabytes"}};
  const double plain = networks.front().summary("seconds_per_epoch").mean;
  for (const StudyGroup& group : networks) {
    const metrics::Summary seconds = group.summary("seconds_per_epoch");
    table.add({group.setting("network"), mean_and_std(seconds, 2), report::fixed(seconds.mean / plain, 2),
               mean_and_std(group.summary("training_megabytes"), 1)});
  }
  out.section("Training", table,
              "The fastest epoch of each run, without validation; the most memory that tensors took up.");
  const auto cross = [&](const char* value) {
    return cross_table(maps, "explainer", "network", [&](const auto&) { return value; });
  };
  out.section("Prediction and explanation, milliseconds per picture", cross("milliseconds_per_picture"),
              "In batches; the best of three passes over the positives of the test (the paper's Table 16).");
  out.section("Prediction and explanation, megabytes", cross("megabytes"));
}

}  // namespace

report::Page summary(const Study& networks, const Study& maps, const RunOptions& options) {
  Output out{report::Page("LAP: " + options.study)};
  out.page.words(
      "Networks of one architecture, trained on the same pictures: plain, without LAPs; detached, LAPs beside the "
      "plain network, which stays as it is; plugged in, LAPs in the network from the start; fine-tuned, both of them "
      "put together and trained further; expert, plugged in and taught by the masks; BotCL, concepts behind the plain "
      "network, of which the last stage goes on learning.");
  out.page.facts({networks.common()});
  if (options.study == "ablation") {
    ablation(out, networks.groups(), maps.groups());
  } else if (options.study == "faithfulness") {
    faithfulness(out, networks.groups(), maps.groups());
  } else if (options.study == "depths") {
    depths(out, networks.groups(), maps.groups());
  } else if (options.study == "time") {
    time(out, networks.groups(), maps.groups());
  } else {
    localisation(out, networks.groups(), maps.groups());
  }
  io::write_file_atomically(networks.folder() / "summary.csv", out.csv);
  return out.page;
}

}  // namespace example
