// Pages put together from parts, tables of any content, the trade-off chart.
#include "limn/report/page.hpp"

#include <doctest/doctest.h>

#include "limn/report/charts/trade_off.hpp"
#include "page_helpers.hpp"

using namespace limn;
using namespace limn::report;
using testing::count, testing::Folder, testing::nesting;
namespace fs = std::filesystem;

namespace {

metrics::Summary point(double mean, double half = NAN) {
  return {.mean = mean, .std = NAN, .interval = {mean - half, mean + half}, .count = 3};
}

Table a_table() {
  Table table{.columns = {"design", "a<b", "p|q"}};
  table.add({"dice, \"soft\"", "0.5\n0.4 to 0.6", "x"});
  return table;
}

Gallery one_picture(const std::string& id) {
  Picture p{.id = id, .truth = "yes", .image = {}};
  p.image = xt::xtensor<float, 3>(std::array<std::size_t, 3>{8, 8, 1}, .5f);
  p.maps = {{"dice: no 90%", {{.1f, .9f}}, true}};
  return {{p}};
}

}  // namespace

TEST_CASE("a table as HTML, Markdown and CSV") {
  const Table table = a_table();
  const std::string page = html_table(table);
  CHECK(nesting(page) == "");
  CHECK(page.find("<th>a&lt;b</th>") != std::string::npos);
  CHECK(page.find("<td>0.5<br><small>0.4 to 0.6</small></td>") != std::string::npos);
  CHECK(markdown(table) == "| design | a<b | p\\|q |\n|---|---:|---:|\n| dice, \"soft\" | 0.5 (0.4 to 0.6) | x |\n");
  CHECK(csv(table) == "design,a<b,p|q\n\"dice, \"\"soft\"\"\",0.5 (0.4 to 0.6),x\n");
  Table narrow{.columns = {"one"}};
  CHECK_THROWS_WITH_AS(narrow.add({"1", "2"}), "table: 2 cells for 1 columns", ShapeError);
}

TEST_CASE("a page has its parts in order, escaped, and its pictures beside it") {
  const Folder folder;
  Page page("A <study>");
  page.words("1 < 2").heading("Results & more").table(a_table()).facts({{{"data", "a&b"}}});
  page.gallery("First", one_picture("p1")).gallery("None", {}).gallery("Second", one_picture("p2"));
  page.charts({trade_off_chart("t", "x", "y", {{"dice", {{"1", point(.5), point(.6)}}}})});
  page.write(folder.path);
  const std::string html = io::read_text(folder.path / "report.html");
  CHECK(nesting(html) == "");
  std::size_t at = 0;
  for (const char* part : {"<h1>A &lt;study&gt;</h1>", "must not be used for diagnosis", "<p>1 &lt; 2</p>",
                           "<h2>Results &amp; more</h2>", "a&lt;b", "a&amp;b", "<h2>First</h2>", "p1",
                           "<h2>Second</h2>", "p2", "<svg class=\"chart\"", "Written by limn"}) {
    const std::size_t found = html.find(part, at);
    CHECK_MESSAGE(found != std::string::npos, part);
    if (found != std::string::npos) at = found;
  }
  CHECK(html.find("None") == std::string::npos);
  CHECK(count(html, "class=\"badge") == 0);  // no network's answer stands above the pictures
  CHECK(fs::exists(folder.path / "pictures" / "01_p1_0_picture.png"));
  CHECK(fs::exists(folder.path / "pictures" / "02_p2_1_dice_no_90.png"));
  Gallery broken = one_picture("p3");
  broken.pictures[0].mask = xt::xtensor<float, 2>(std::array<std::size_t, 2>{4, 4}, 0.f);
  CHECK_THROWS_WITH_AS(page.gallery("Broken", broken), "report: picture p3 is 8 x 8, its mask 4 x 4", ShapeError);
}

TEST_CASE("the trade-off chart: a line for each way, a whisker for each interval, names at the points") {
  const std::vector<TradeOffLine> lines{
      {"di<ce", {{"0", point(.1), point(.9, .05)}, {"1", point(.4, .1), point(.8, .05)}, {"3", point(NAN), point(.1)}}},
      {"mse", {{"0", point(.1), point(.9)}}}};
  const std::string chart = trade_off_chart("what it costs", "alignment", "accuracy", lines);
  CHECK(nesting(chart) == "");
  CHECK(count(chart, "<polyline") == 2);
  CHECK(count(chart, "<circle") == 3);  // not the one without a mean
  CHECK(count(chart, "class=\"whisker s0\"") == 3);
  CHECK(count(chart, "class=\"whisker s1\"") == 0);
  CHECK(chart.find(">alignment<") != std::string::npos);
  CHECK(chart.find(" di&lt;ce</span>") != std::string::npos);
  CHECK(chart.find(">1</text>") != std::string::npos);
  CHECK(chart.find(">3</text>") == std::string::npos);
  CHECK(chart.find("nan") == std::string::npos);
  CHECK(trade_off_chart("t", "x", "y", {}) == "");
  CHECK(trade_off_chart("t", "x", "y", {{"a", {{"1", point(NAN), point(1)}}}}) == "");

  // Where the middle of a line of three points lies on the paper: x from 0 to 1, y from 0 to 1.
  const std::string ends = trade_off_chart(
      "t", "x", "y", {{"a", {{"", point(0), point(0)}, {"", point(.5), point(.5)}, {"", point(1), point(1)}}}});
  CHECK(ends.find("points=\"52.0,380.0 340.0,195.0 628.0,10.0 \"") != std::string::npos);
}
