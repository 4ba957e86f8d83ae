// Charts of distributions and of means with their bands; questionnaires.
#include <doctest/doctest.h>

#include "limn/report/charts/band_chart.hpp"
#include "limn/report/charts/roc.hpp"
#include "limn/report/charts/stacked_bars.hpp"
#include "limn/report/charts/violins.hpp"
#include "limn/report/questionnaire.hpp"
#include "page_helpers.hpp"

using namespace limn;
using namespace limn::report;
using testing::count, testing::nesting;

TEST_CASE("a band: its line, its rim there and back, and nothing where a number is missing") {
  const std::vector<Band> bands{{"ga<te", {0, .5, 1}, {.2, .5, .8}, {.1, .4, .6}, {.3, .6, 1}},
                                {"other", {0, .5, 1}, {.2, NAN, .8}, {0, .4, .6}, {.3, .6, .9}}};
  const std::string chart = band_chart("t", "share", "accuracy", bands);
  CHECK(nesting(chart) == "");
  CHECK(count(chart, "<polygon") == 2);
  CHECK(count(chart, "<polyline") == 2);
  CHECK(chart.find(" ga&lt;te</span>") != std::string::npos);
  CHECK(chart.find("nan") == std::string::npos);
  // Paper: x 52 to 628, y 380 to 10, both from 0 to 1.
  CHECK(chart.find("points=\"52.0,269.0 340.0,158.0 628.0,10.0 628.0,158.0 340.0,232.0 52.0,343.0 \"") !=
        std::string::npos);
  CHECK(chart.find("points=\"52.0,306.0 340.0,195.0 628.0,84.0 \"") != std::string::npos);
  CHECK(chart.find("points=\"52.0,306.0 628.0,84.0 \"") != std::string::npos);  // without its middle
  CHECK(chart.find("s1") < chart.find("s0"));                                   // the first line lies on top
  CHECK(band_chart("t", "x", "y", {}) == "");
  CHECK(band_chart("t", "x", "y", {{"a", {NAN}, {1}, {1}, {1}}}) == "");
  CHECK_THROWS_WITH_AS((void)band_chart("t", "x", "y", {{"a", {0, 1}, {1, 1}, {1}, {1, 1}}}),
                       "band_chart: a: 2 places, but 2 means, 1 lower and 2 upper ends", ShapeError);
}

TEST_CASE("long numbers at an upright axis move the plot, so that its name stands free") {
  const std::string chart = band_chart("t", "x", "y", {{"a", {0, 1}, {.9901, .9932}, {.99, .993}, {.9902, .994}}});
  CHECK(chart.find(">0.990</text>") != std::string::npos);
  // 5 digits of 6.5 from the left end of the grid; the name takes 20.
  CHECK(chart.find("<line class=\"grid\" x1=\"58.5\"") != std::string::npos);
}

TEST_CASE("violins: the densest place, quartiles and median where they belong") {
  const std::vector<double> sorted{0, 1, 2, 3, 4};
  CHECK(report::detail::quantile(sorted, .25) == 1);
  CHECK(report::detail::quantile(sorted, .9) == doctest::Approx(3.6));
  const auto density = report::detail::density(sorted);
  REQUIRE(density.size() == 81);
  CHECK(density[40] == std::pair(2., 1.));
  // Silverman: .9 min(1.5811, 2 / 1.34) 5^-.2 = .97361; the sum of five Gaussians at 0 over that at 2.
  const auto sum = [](double at) {
    double out = 0;
    for (int v = 0; v < 5; ++v) out += std::exp(-.5 * (at - v) * (at - v) / (.97361 * .97361));
    return out;
  };
  CHECK(density[0].second == doctest::Approx(sum(0) / sum(2)).epsilon(1e-4));
  CHECK(report::detail::density({3, 3, 3}).empty());

  const std::string chart =
      violin_chart("t", "DS", {{"g<ate", {4, 0, 3, NAN, 1, 2}}, {"same", {2, 2}}, {"none", {NAN}}});
  CHECK(nesting(chart) == "");
  CHECK(count(chart, "<circle") == 2);
  CHECK(chart.find(">g&lt;ate</text>") != std::string::npos);
  CHECK(chart.find(">none</text>") != std::string::npos);
  CHECK(chart.find("nan") == std::string::npos);
  CHECK(chart.find("x1=\"299.5\" y1=\"27.0\" x2=\"518.5\" y2=\"27.0\"") != std::string::npos);  // 190 to 628: 0 to 4
  CHECK(chart.find("cx=\"409.0\" cy=\"27.0\"") != std::string::npos);
  CHECK(violin_chart("t", "x", {{"a", {NAN}}}) == "");
}

TEST_CASE("stacked bars: shares of what was answered") {
  const std::string chart = stacked_bars("t", {"no", "so so", "yes"}, {{"usab<le", {1, 0, 3}}, {"nobody", {0, 0, 0}}});
  CHECK(nesting(chart) == "");
  CHECK(chart.find(">usab&lt;le</text>") != std::string::npos);
  CHECK(count(chart, "width=\"109.5\"") == 1);  // a quarter of 438
  CHECK(count(chart, "width=\"328.5\"") == 1);
  CHECK(chart.find(" so so</span>") != std::string::npos);
  CHECK(stacked_bars("t", {"no", "yes"}, {{"a", {0, 0}}}) == "");
  CHECK_THROWS_WITH_AS((void)stacked_bars("t", {"no", "yes"}, {{"a", {1}}}),
                       "stacked_bars: a has 1 counts for 2 answers", ShapeError);
}

TEST_CASE("questionnaires: words or numbers, nothing for no answer, anything else is refused with its place") {
  const auto table = [](const std::string& content) { return io::Csv::parse(content, "answers.csv"); };
  const auto bars = parse_questionnaire(
      table("participant,Clear,Complete\nA,Strongly Agree,1\nB,5,\nC,neutral,agree\n"), agreement_scale());
  REQUIRE(bars.size() == 2);
  CHECK(bars[0].name == "Clear");
  CHECK(bars[0].counts == std::vector<Index>{0, 0, 1, 0, 2});
  CHECK(bars[1].counts == std::vector<Index>{1, 0, 0, 1, 0});
  CHECK_THROWS_WITH_AS((void)parse_questionnaire(table("Trust\ntrust\n6\n"), trust_scale()),
                       "answers.csv:3: column \"Trust\": expected 1 to 5, distrust, undistrust, ignorance, untrust, "
                       "trust; got \"6\"",
                       FileError);
}

TEST_CASE("ROC curves: their mean as a band, and files that read back") {
  const std::vector<metrics::RocPoint> sharp{{0, 0}, {0, 1}, {1, 1}}, coin{{0, 0}, {1, 1}};
  const std::string chart = mean_roc_chart("ROC", {{"gate", {sharp, coin}}, {"three classes", {{}, {}}}});
  CHECK(nesting(chart) == "");
  CHECK(chart.find("gate (area 0.750)") != std::string::npos);
  CHECK(count(chart, "<polyline") == 1);
  CHECK(mean_roc_chart("ROC", {{"a", {}}}) == "");

  const testing::Folder folder;
  std::filesystem::create_directories(folder.path);
  save_roc(folder.path / "roc.csv", sharp);
  const auto read = load_roc(folder.path / "roc.csv");
  REQUIRE(read.size() == 3);
  CHECK(read[1].true_positive_rate == 1);
  save_roc(folder.path / "none.csv", {});
  CHECK(load_roc(folder.path / "none.csv").empty());
  for (const auto& broken :
       {std::vector<metrics::RocPoint>{{.5, 0}, {1, 1}}, {{0, 0}, {.5, 2}}, {{0, 0}, {.5, 1}, {.2, 1}}}) {
    save_roc(folder.path / "broken.csv", broken);
    CHECK_THROWS_AS((void)load_roc(folder.path / "broken.csv"), FileError);
  }
}
