// Studies: a row for every run that is done, going on after a kill, groups, and what a report says of them.
#include "limn/evaluate/study.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "../io/support.hpp"
#include "limn/evaluate/study_report.hpp"

using namespace limn;
using doctest::Approx;
using support::holds;

namespace {

const StudySettings common{{"epochs", "12"}, {"data", "a, b"}};

StudySettings setting(const char* design, int seed) { return {{"design", design}, {"seed", text(seed)}}; }

/// Values from a number, so that rows can be told apart.
auto gives(double value, int* calls = nullptr) {
  return [=](const std::filesystem::path&) {
    if (calls != nullptr) ++*calls;
    return StudyValues{{"accuracy", value}, {"seconds", NAN}};
  };
}

}  // namespace

TEST_CASE("a run that is done is not done again; one that was killed is") {
  const support::Folder folder("study");
  int calls = 0;
  {
    Study study(folder.path / "s", common, false);
    study.once(setting("dice", 1), gives(.1, &calls));
    study.once(setting("dice", 1), gives(.2, &calls));
    CHECK(calls == 1);
    CHECK_THROWS_WITH_AS(
        study.once(setting("dice", 2), [](const std::filesystem::path&) -> StudyValues { throw Error("killed"); }),
        "killed", Error);
    CHECK(study.runs().size() == 1);
  }
  CHECK(io::read_text(folder.path / "s" / "runs.csv") ==
        "epochs,data,design,seed,gives,accuracy,seconds\n12,\"a, b\",dice,1,,0.1,\n");
  Study study(folder.path / "s", common, true);
  CHECK(study.done(setting("dice", 1)));
  CHECK_FALSE(study.done(setting("dice", 2)));
  study.once(setting("dice", 1), gives(.3, &calls));
  study.once(setting("dice", 2), gives(1. / 3, &calls));
  CHECK(calls == 2);
  const Study again(folder.path / "s", common, true);
  REQUIRE(again.runs().size() == 2);
  CHECK(again.runs()[1].settings == setting("dice", 2));
  CHECK(again.runs()[1].value("accuracy") == 1. / 3);
  CHECK(std::isnan(again.runs()[1].value("seconds")));
  CHECK(again.runs()[1].folder == folder.path / "s" / "runs" / "dice-2");
  CHECK(again.at(setting("dice", 2)).value("accuracy") == 1. / 3);
  CHECK(holds(support::message<OptionError>([&] { (void)again.at(setting("mse", 1)); }), "runs/mse-1 is not done"));
  CHECK(Study(folder.path / "s", common, false).runs().empty());  // an earlier study is forgotten
  CHECK(Study(folder.path / "s", common, true).runs().empty());
}

TEST_CASE("what does not belong together is refused") {
  const support::Folder folder("study");
  Study study(folder.path, common, false);
  study.once(setting("dice", 1), gives(.1));
  CHECK(holds(support::message<OptionError>([&] {
                study.once({{"design", "mse"}}, gives(.1));
              }),
              "epochs,data,design,gives,accuracy,seconds beside epochs,data,design,seed,gives,accuracy,seconds"));
  CHECK(holds(support::message<OptionError>([&] {
                Study(folder.path, {{"epochs", "13"}, {"data", "a, b"}}, true);
              }),
              "runs.csv is of another study: epochs was 12, is 13"));
  CHECK(holds(support::message<OptionError>([&] {
                Study(folder.path, {{"size", "12"}}, true);
              }),
              "runs.csv is of another study: size was nothing, is 12"));
  CHECK(support::message<OptionError>([&] { (void)study.runs()[0].setting("gate"); }) == "study: no setting \"gate\"");
  CHECK(support::message<OptionError>([&] { (void)study.runs()[0].value("auc"); }) ==
        "study: nothing was measured that is called \"auc\"");
  std::ofstream(folder.path / "runs.csv") << "epochs,accuracy\n12,1\n";
  CHECK(holds(support::message<FileError>([&] {
                Study(folder.path, {{"epochs", "12"}}, true);
              }),
              "runs.csv: not the runs of a study"));
}

TEST_CASE("groups over seeds, and what a report says of them") {
  const support::Folder folder("study");
  Study study(folder.path, {}, false);
  const auto add = [&](const char* design, const char* strength, int seed, double accuracy, double precision) {
    study.once({{"design", design}, {"strength", strength}, {"gate", "all"}, {"seed", text(seed)}},
               [&](const std::filesystem::path& to) {
                 std::filesystem::create_directories(to);
                 save_pictures(to / "pictures.csv", {{.id = "a", .all_precision = precision, .mask_area = .25},
                                                     {.id = "b", .all_precision = precision + seed, .mask_area = .25},
                                                     {.id = "c"}});
                 return StudyValues{{"accuracy", accuracy}, {"precision", precision}};
               });
  };
  add("none", "0", 1, .9, .1);
  add("dice", "1", 1, .7, .5);
  add("dice", "3", 1, .6, .8);
  add("none", "0", 2, .8, .2);
  add("dice", "1", 2, .9, .7);
  const auto groups = study.groups();
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].values("accuracy") == std::vector<double>{.9, .8});
  CHECK(groups[1].summary("precision").mean == Approx(.6));
  CHECK(groups[2].runs.size() == 1);
  CHECK(where(groups, {{"design", "dice"}}).size() == 2);
  CHECK(where(groups, {{"design", "dice"}, {"strength", "3"}}).size() == 1);
  CHECK(varied(groups) == std::vector<std::string>{"design", "strength"});
  CHECK(name_of(groups[1], varied(groups)) == "dice 1");

  const report::Table table = summary_table(groups, {"accuracy"});
  CHECK(table.columns == std::vector<std::string>{"design", "strength", "runs", "accuracy"});
  // .85 +- 12.706 * .0707 / sqrt(2)
  CHECK(table.rows[0] == std::vector<std::string>{"none", "0", "2", "0.850 \u00b1 0.071\n0.215 to 1.485"});
  CHECK(table.rows[2] == std::vector<std::string>{"dice", "3", "1", "0.600"});

  const report::Table cross = cross_table(groups, "design", "strength", [](const StudyGroup& g) -> std::string {
    return g.setting("strength") == "3" ? "precision" : "accuracy";
  });
  CHECK(cross.columns == std::vector<std::string>{"design", "0", "1", "3"});
  REQUIRE(cross.rows.size() == 2);
  CHECK(cross.rows[0] == std::vector<std::string>{"none", "0.850 \u00b1 0.071", "", ""});
  CHECK(cross.rows[1] == std::vector<std::string>{"dice", "", "0.800 \u00b1 0.141", "0.800"});

  const auto lines = trade_off_lines(groups[0], groups, "design", "strength", "precision", "accuracy");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].name == "dice");
  REQUIRE(lines[0].points.size() == 3);  // from where the loss is off
  CHECK(lines[0].points[0].label == "0");
  CHECK(lines[0].points[0].x.mean == Approx(.15));
  CHECK(lines[0].points[2].y.mean == Approx(.6));

  const auto runs = compare_runs("dice", groups[1], groups[0], "accuracy");
  CHECK(runs.difference.count == 2);
  CHECK(runs.difference.mean == Approx((-.2 + .1) / 2));
  CHECK(compare_runs("dice", groups[2], groups[0], "accuracy").difference.count == 1);  // one seed in common
  // Means over the runs: a .6 against .15, b (1.5 + 2.7) / 2 against (1.1 + 2.2) / 2, c without a value.
  const auto over = compare_pictures("dice", groups[1], groups[0], &PictureScores::all_precision);
  CHECK(over.difference.count == 2);
  CHECK(over.difference.undefined == 1);
  CHECK(over.difference.mean == Approx(.45));
  // Each by a measure of its own: a .6 less .25, b 2.1 less .25.
  const auto mixed =
      compare_pictures("dice", groups[1], &PictureScores::all_precision, groups[0], &PictureScores::mask_area);
  CHECK(mixed.difference.count == 2);
  CHECK(mixed.difference.mean == Approx((.35 + 1.85) / 2));
  const report::Table tests = comparison_table({runs, over});
  REQUIRE(tests.rows.size() == 2);
  CHECK(tests.rows[0][1] == "2");
  CHECK(tests.rows[1][1] == "2\n1 without a value");
  CHECK(tests.rows[0][2] == "-0.050\n-1.956 to 1.856");  // 12.706 * .2121 / sqrt(2) = 1.906
}
