// The report as a whole: well-formed, self-contained, harmless whatever the names; Markdown and JSON of the scores.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "limn/report/html.hpp"
#include "page_helpers.hpp"

using namespace limn;
using namespace limn::report;
using testing::count, testing::Folder, testing::nesting;
namespace fs = std::filesystem;

namespace {

const std::string nasty = "../<script>alert(\"x\")</script> & 'y' \xFF\xC3";
const std::string nasty_escaped = "../&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39; \uFFFD\uFFFD";

History a_history() {
  return {.columns = {"epoch", "loss", "cross_entropy", "val_loss", "val_auc", "seconds"},
          .rows = {{1, 2.5, 2, .9, NAN, 7}, {2, 1.5, 1, .8, .75, 7}, {3, 1.25, .5, .7, .875, 7}},
          .facts = {{{"data", nasty}}},
          .training_images = 70};
}

metrics::Scores some_scores() {
  metrics::Scores s;
  s.classification =
      metrics::classification({{.9f, .1f}, {.2f, .8f}, {.6f, .4f}, {.3f, .7f}, {.8f, .2f}}, {0, 1, 0, 0, 1});
  s.classification.class_names = {"benign", nasty};
  metrics::LocalisationStudy lap("LAP"), cam("Grad-CAM", {.probability = false});
  const metrics::Map mask{{0, 1}, {0, 0}};
  lap.add({{.1f, .9f}, {0, 0}}, mask);
  lap.add({{.4f, .6f}, {0, 0}}, mask);
  cam.add({{3, 1}, {0, 0}}, mask);
  cam.add({{0, 0}, {0, 0}}, mask);
  s.localisation = {lap.scores(), cam.scores()};
  return s;
}

Picture a_picture(const std::string& id) {
  Picture p{.id = id, .truth = "benign", .predicted = nasty, .probability = .5, .image = {}};
  p.image = xt::xtensor<float, 3>(std::array<std::size_t, 3>{8, 12, 1}, .5f);
  p.mask = xt::xtensor<float, 2>(std::array<std::size_t, 2>{8, 12}, 0.f);
  (*p.mask)(2, 3) = 1;
  p.maps = {
      {"LAP layer4", {{.1f, .9f}}, true}, {"LAP layer4", {{0.f, 0.f}, {0.f, 0.f}}, true}, {nasty, {{5.f}}, false}};
  return p;
}

}  // namespace

TEST_CASE("the report is one well-formed file without scripts or network, and its pictures lie beside it") {
  const Folder folder;
  Picture right = a_picture("right");
  right.truth = right.predicted;
  right.mask.reset();
  metrics::Scores scores = some_scores();
  scores.localisation[1].explainer = "<Grad> & CAM";
  html(folder.path, a_history(), scores, {{a_picture(nasty), right}}, {.title = nasty});
  const std::string page = io::read_text(folder.path / "report.html");
  CHECK(nesting(page) == "");
  CHECK(clean(page).find("\uFFFD\uFFFD\uFFFD") == std::string::npos);
  for (const char* word : {"<script", "http:", "https:", "url(", "@import", "<link", "onerror=", "\xFF"})
    CHECK_MESSAGE(page.find(word) == std::string::npos, word);
  CHECK(count(page, nasty_escaped) >= 8);  // title twice, class, fact, id, prediction, map, alternative texts
  CHECK(page.find("must not be used for diagnosis") != std::string::npos);
  CHECK(page.find("for 3 epochs on 70 pictures") != std::string::npos);
  CHECK(page.find("right class for 3 of 5 pictures: accuracy <b>60.0%</b>") != std::string::npos);
  // 3 of 6 pairs are won (.8 and .2 against .1, .4, .7): AUC 4/6.
  CHECK(page.find("AUC <b>0.667</b>") != std::string::npos);
  CHECK(page.find("<b>LAP</b>: 75.0% of the explanation lies where a person marked the finding. The marked areas cover "
                  "25.0% of the picture, which is what a random map would score: 3.0 times chance") !=
        std::string::npos);
  CHECK(count(page, "&lt;Grad&gt; &amp; CAM") == 3);  // summary, table, reason
  CHECK(page.find("<Grad>") == std::string::npos);
  CHECK(page.find("CAM, not defined for 1 of 2 pictures: the map has no positive value.") != std::string::npos);
  CHECK(count(page, "class=\"badge correct\"") == 1);
  CHECK(count(page, "class=\"badge incorrect\"") == 1);
  CHECK(count(page, "no positive value: nothing to show") == 2);
  CHECK(count(page, "<svg class=\"chart\"") == 3);
  // Five figures with a mask, four without: as many PNGs inside as beside.
  CHECK(count(page, "src=\"data:image/png;base64,iVBORw0KGgo") == 9);
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder.path / "pictures")) files.push_back(entry.path().filename());
  CHECK(files.size() == 9);
  CHECK(fs::exists(folder.path / "pictures" / "01_script_alert_x_script_y_2_lap_layer4.png"));
  CHECK(fs::exists(folder.path / "pictures" / "02_right_0_picture.png"));
  const std::vector<std::uint8_t> png = io::read_file(folder.path / "pictures" / "02_right_1_lap_layer4.png");
  CHECK(page.find(base64(png)) != std::string::npos);
}

TEST_CASE("a report of nothing is still a page") {
  const Folder folder;
  metrics::Scores scores;
  scores.classification = metrics::classification(xt::xtensor<float, 2>(std::array<std::size_t, 2>{0, 3}), {});
  html(folder.path, {}, scores, {});
  const std::string page = io::read_text(folder.path / "report.html");
  CHECK(nesting(page) == "");
  CHECK(page.find("Not defined: all: there are no predictions.") != std::string::npos);
  CHECK(page.find("nan") == std::string::npos);
  html(folder.path, {}, metrics::Scores{}, {});  // not even classes
  CHECK(nesting(io::read_text(folder.path / "report.html")) == "");
}

TEST_CASE("what does not go together is refused before anything is written") {
  const Folder folder;
  History uneven = a_history();
  uneven.rows[1].pop_back();
  CHECK_THROWS_WITH_AS(html(folder.path, uneven, {}, {}), "report: row 1 of the history has 5 values, expected 6",
                       ShapeError);
  Picture p = a_picture("case 7");
  p.mask = xt::xtensor<float, 2>(std::array<std::size_t, 2>{8, 8}, 0.f);
  CHECK_THROWS_WITH_AS(html(folder.path, {}, {}, {{p}}), "report: picture case 7 is 8 x 12, its mask 8 x 8",
                       ShapeError);
  p = a_picture("case 8");
  p.image = xt::xtensor<float, 3>(std::array<std::size_t, 3>{0, 4, 1});
  CHECK_THROWS_WITH_AS(html(folder.path, {}, {}, {{p}}), "report: picture case 8 is empty (0 x 4 x 1)", ShapeError);
  p = a_picture("case 9");
  p.maps[1].map = xt::xtensor<float, 2>(std::array<std::size_t, 2>{0, 4});
  CHECK_THROWS_WITH_AS(html(folder.path, {}, {}, {{p}}), "report: picture case 9: the map LAP layer4 is empty",
                       ShapeError);
  CHECK_FALSE(fs::exists(folder.path));
  fs::create_directories(folder.path);
  std::ofstream(folder.path / "file") << "in the way";
  CHECK_THROWS_WITH_AS(html(folder.path / "file", {}, {}, {}), doctest::Contains("pictures: cannot be made"),
                       FileError);
}

TEST_CASE("lines are broken at NaN, a lone value is a dot, and wide ranges get a logarithmic axis") {
  const std::string chart = line_chart("t", "epoch", {{"a<b", {1, 2, 3, 4, 5}, {1, 2, NAN, 3, NAN}}});
  CHECK(nesting(chart) == "");
  CHECK(count(chart, "<polyline") == 1);
  CHECK(count(chart, "<circle") == 1);
  CHECK(chart.find("a&lt;b <b>3.000</b>") != std::string::npos);
  CHECK(chart.find("logarithmic") == std::string::npos);
  CHECK(line_chart("t", "epoch", {{"a", {1, 2}, {.01, 1}}}).find("logarithmic") != std::string::npos);
  CHECK(line_chart("t", "epoch", {{"a", {1, 2}, {0, 1}}}).find("logarithmic") == std::string::npos);
  CHECK(line_chart("t", "epoch", {{"a", {1, 2}, {NAN, NAN}}}) == "");
  CHECK(nesting(line_chart("t", "epoch", {{"flat", {1}, {2}}})) == "");
}

TEST_CASE("axes have round ticks that enclose the values") {
  const auto labels = [](const limn::report::detail::Axis& axis) {
    std::string all;
    for (double t : axis.ticks) all += axis.label(t) + " ";
    return all;
  };
  CHECK(labels(limn::report::detail::linear_axis(0, 1)) == "0.0 0.2 0.4 0.6 0.8 1.0 ");
  CHECK(labels(limn::report::detail::linear_axis(.51, .97)) == "0.5 0.6 0.7 0.8 0.9 1.0 ");
  CHECK(labels(limn::report::detail::linear_axis(1, 30, true)) == "0 5 10 15 20 25 30 ");
  CHECK(labels(limn::report::detail::linear_axis(1, 2, true)) == "1 2 ");
  CHECK(labels(limn::report::detail::logarithmic_axis(.03, 1.5)) == "0.02 0.05 0.1 0.2 0.5 1 2 ");
  CHECK(labels(limn::report::detail::logarithmic_axis(.0003, 150)) == "0.0001 0.001 0.01 0.1 1 10 100 1000 ");
}

TEST_CASE("metrics.json holds the keys that programs read, and null where nothing is defined") {
  const Folder folder;
  fs::create_directories(folder.path);
  metrics::Scores scores = some_scores();
  scores.localisation.push_back(scores.localisation[0]);
  write_metrics_json(folder.path / "metrics.json", scores, {{"train", 1.5}, {"bad", NAN}});
  const auto json = nlohmann::json::parse(io::read_text(folder.path / "metrics.json"));
  CHECK(json["test"]["accuracy"] == 0.6);
  CHECK(json["test"]["auc"].get<double>() == doctest::Approx(4.0 / 6));
  CHECK(json["test"]["f1"] == 0.5);
  CHECK(json["test"]["images"] == 5);
  CHECK(json["test"]["confusion"] == nlohmann::json{{2, 1}, {1, 1}});
  CHECK(json["test"]["auc_interval"].size() == 2);
  CHECK(json["explanations"]["lap"]["iou"] == 1.0);
  CHECK(json["explanations"]["lap"]["rma"].get<double>() == doctest::Approx(.75));
  CHECK(json["explanations"]["lap"]["rra"] == 1.0);
  CHECK(json["explanations"]["lap"]["iou_learned"].is_null());
  CHECK(json["explanations"]["lap"]["mask_area"] == .25);
  CHECK(json["explanations"]["grad_cam"]["undefined"] == 1);
  CHECK(json["explanations"]["grad_cam"]["rma_std"].is_null());
  CHECK(json["explanations"].contains("lap_2"));
  CHECK(json["seconds"]["train"] == 1.5);
  CHECK(json["seconds"]["bad"].is_null());
}

TEST_CASE("Markdown tables have as many cells in every row, whatever the names") {
  metrics::Scores scores = some_scores();
  scores.localisation[0].explainer = "a|b";
  const std::string table = markdown(scores);
  CHECK(table.find("| 5 | 0.600 (0.231 to 0.882) |") != std::string::npos);
  CHECK(table.find("| a\\|b | 0.750 \u00b1 0.212 | 1.000 \u00b1 0.000 |") != std::string::npos);
  std::vector<std::size_t> bars;
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = table.find('\n', at);
    const std::string line = table.substr(at, end - at);
    bars.push_back(count(line, "|") - count(line, "\\|"));
    at = end + 1;
  }
  REQUIRE(bars.size() == 8);
  CHECK(bars == std::vector<std::size_t>{10, 10, 10, 0, 12, 12, 12, 12});
}
