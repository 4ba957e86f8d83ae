// Label Studio's JSON export: brush strokes of its own converter (record_brush.py), shapes by hand, files that are
// broken.
#include "limn/io/label_studio.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "recorded_brush.hpp"
#include "support.hpp"

using namespace limn;
using support::holds;

namespace {

xt::xtensor<float, 2> blank(std::size_t h, std::size_t w) {
  return xt::xtensor<float, 2>(std::array<std::size_t, 2>{h, w}, 0.f);
}
std::string drawn(const xt::xtensor<float, 2>& mask) {
  std::string out;
  for (std::size_t i = 0; i < mask.shape()[0]; ++i) {
    for (std::size_t j = 0; j < mask.shape()[1]; ++j) out += mask(i, j) > 0 ? '#' : '.';
    out += '\n';
  }
  return out;
}

/// A result of a picture of 4 x 8 (height, width).
std::string result(const std::string& type, const std::string& value, const std::string& more = "") {
  return R"({"type": ")" + type + R"(", "original_width": 8, "original_height": 4, "image_rotation": 0)" + more +
         R"(, "value": {)" + value + "}}";
}
std::string task(const std::string& results, const std::string& more = "") {
  return R"({"id": 7, "data": {"image": "a.png"}, "annotations": [{"completed_by": 3, "was_cancelled": false)" + more +
         R"(, "result": [)" + results + "]}]}";
}
std::vector<io::Annotation> parsed(const std::string& tasks, const io::LabelStudioOptions& options = {}) {
  return io::parse_label_studio("[" + tasks + "]", "export.json", options);
}
std::string refusal(const std::string& tasks) {
  return support::message<FileError>([&] { (void)parsed(tasks); });
}

const std::string box = result("rectanglelabels", R"("x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0,
                               "rectanglelabels": ["Lesion"])");
const std::string triangle = result("polygonlabels", R"("points": [[0, 0], [100, 0], [0, 100]], "closed": true,
                                    "polygonlabels": ["Shadow"])");

}  // namespace

TEST_CASE("brush strokes are what Label Studio's converter encoded") {
  for (const auto& brush : recorded::brushes) {
    const auto mask = io::decode_brush(brush.rle, brush.h, brush.w);
    std::vector<float> expected;
    float value = 0;
    std::istringstream runs(brush.mask);
    for (std::size_t run = 0; runs >> run; value = 1 - value) expected.insert(expected.end(), run, value);
    REQUIRE(mask.size() == expected.size());
    CHECK(std::equal(mask.begin(), mask.end(), expected.begin()));
  }
}

TEST_CASE("rectangles, turned about their upper left corner in pixels, and polygons") {
  CHECK(drawn(parsed(task(box)).at(0).mask) ==
        "........\n"
        "..####..\n"
        "..####..\n"
        "........\n");
  // 4 pixels wide, 1 high, turned by 90 degrees about (5, 0): it hangs down, left of column 5.
  const std::string turned = result("rectangle", R"("x": 62.5, "y": 0, "width": 50, "height": 25, "rotation": 90)");
  CHECK(drawn(parsed(task(turned)).at(0).mask) ==
        "....#...\n"
        "....#...\n"
        "....#...\n"
        "....#...\n");
  // Middles of pixels below the line from (8, 0) to (0, 4).
  CHECK(drawn(parsed(task(triangle)).at(0).mask) ==
        "#######.\n"
        "#####...\n"
        "###.....\n"
        "#.......\n");
  // Two polygons that cross themselves: even-odd. A shape that leaves the picture is cut off.
  auto mask = blank(3, 4);
  io::fill_polygon(mask, {{-5, -5}, {9, -5}, {9, 9}, {-5, 9}, {-5, -5}, {1, 0}, {1, 2}, {3, 2}, {3, 0}, {1, 0}});
  CHECK(drawn(mask) ==
        "#..#\n"
        "#..#\n"
        "####\n");
}

TEST_CASE("all results of an annotation together, those of some labels, and who made them") {
  const std::string choice = result("choices", R"("choices": ["benign"])");
  const auto all = parsed(task(box + ", " + triangle + ", " + choice));
  REQUIRE(all.size() == 1);
  CHECK(all[0].image == "a.png");
  CHECK(all[0].task == "7");
  CHECK(all[0].annotator == "3");
  CHECK(drawn(all[0].mask) ==
        "#######.\n"
        "######..\n"
        "######..\n"
        "#.......\n");
  CHECK(parsed(task(box + ", " + triangle), {.labels = {"Lesion"}}).at(0).mask == parsed(task(box)).at(0).mask);
  CHECK(parsed(task(choice)).at(0).mask.size() == 0);
  const std::string by_address =
      R"({"id": 8, "data": {"xray": "b.png", "age": 3}, "completions": [{"completed_by": {"id": 1, "email": "a@b.c"},
         "result": []}, {"was_cancelled": true, "result": []}, {"completed_by": 5, "result": []}]})";
  CHECK(holds(refusal(by_address), "export.json, task 8: there is no \"image\""));
  const auto two = parsed(by_address, {.image_key = "xray"});
  REQUIRE(two.size() == 2);
  CHECK(two[0].annotator == "a@b.c");
  CHECK(two[1].annotator == "5");
  CHECK(parsed(by_address, {.which = io::Which::first, .image_key = "xray"}).at(0).annotator == "a@b.c");
  CHECK(parsed(by_address, {.which = io::Which::latest, .image_key = "xray"}).at(0).annotator == "5");
  const std::string changed = R"({"id": 9, "data": {"image": "b.png"}, "annotations": [
    {"completed_by": 1, "updated_at": "2026-03-02T09:00:00.000000Z", "result": []},
    {"completed_by": 2, "updated_at": "2026-03-10T08:00:00.000000Z", "result": []},
    {"completed_by": 3, "updated_at": "2026-03-09T23:00:00.000000Z", "result": []}]})";
  CHECK(parsed(changed, {.which = io::Which::latest}).at(0).annotator == "2");
}

TEST_CASE("what is no annotation is refused, with the task") {
  CHECK(support::message<FileError>([] { (void)io::parse_label_studio("{}", "e.json"); }) ==
        "e.json: expected an array of tasks, as Label Studio's JSON export has it");
  CHECK(holds(refusal(task(result("rectangle", R"("x": 0, "y": 0, "width": 5)"))),
              "export.json, task 7: there is no \"height\""));
  CHECK(holds(refusal(task(result("polygon", R"("points": [[1, 2], [3, 4]])"))), "a polygon of 2 corners"));
  CHECK(holds(refusal(task(result("brush", R"("format": "png", "rle": [])"))), "brush strokes that are not \"rle\""));
  CHECK(holds(refusal(task(result("brush", R"("rle": [0, 0, 0, 128, 300])"))), "\"rle\" holds 300, expected bytes"));
  CHECK(holds(refusal(task(result("brush", R"("rle": [0, 0, 0, 128])"))), "the brush stroke ends too early"));
  CHECK(holds(refusal(task(result("brush", R"("rle": [0, 0, 0, 127, 0])"))),
              "a brush stroke for 127 numbers, expected 4 x 8 x 4"));
  std::string turned = box;
  turned.replace(turned.find("\"image_rotation\": 0"), 19, "\"image_rotation\": 90");
  CHECK(holds(refusal(task(turned)), "the picture was turned in Label Studio"));
  std::string large = box;
  large.replace(large.find("\"original_width\": 8"), 19, "\"original_width\": 99999999");
  CHECK(holds(refusal(task(large)), "a picture of 4 x 99999999"));
  std::string wider = box;
  wider.replace(wider.find("\"original_width\": 8"), 19, "\"original_width\": 9");
  CHECK(holds(refusal(task(box + "," + wider)), "results for pictures of different sizes"));
}

TEST_CASE("damaged files and strokes give an error or a mask, and nothing else") {
  const std::string good = "[" + task(box + "," + triangle) + "]";
  support::fuzz({good.begin(), good.end()}, 3000, [](const std::vector<std::uint8_t>& file) {
    (void)io::parse_label_studio({reinterpret_cast<const char*>(file.data()), file.size()}, "fuzzed");
  });
  const auto& disc = recorded::brushes[1];
  support::fuzz(disc.rle, 3000,
                [&](const std::vector<std::uint8_t>& rle) { (void)io::decode_brush(rle, disc.h, disc.w); });
}
