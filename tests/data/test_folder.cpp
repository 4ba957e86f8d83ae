// Data sets from folders: made ones, broken ones, and the real ones where they are at hand.
#include <cstdlib>
#include <fstream>

#include "../io/support.hpp"
#include "limn/data/folder.hpp"

using namespace limn;
using support::holds;

namespace {
void write_picture(const std::filesystem::path& path, std::size_t height, std::size_t width, std::uint8_t value,
                   std::size_t white_column = 999) {
  std::filesystem::create_directories(path.parent_path());
  xt::xtensor<std::uint8_t, 3> image({height, width, 1}, value);
  for (std::size_t y = 0; y < height && white_column < width; ++y) image(y, white_column, 0) = 255;
  io::write_png(path, image);
}
std::string refused(const std::filesystem::path& root, const data::FolderOptions& options = {}) {
  return support::message<Error>([&] { (void)data::image_folder(root, options); });
}
}  // namespace

TEST_CASE("class folders with masks beside the pictures") {
  const support::Folder folder("folders");
  write_picture(folder.path / "cat" / "one (1).png", 8, 8, 51);
  write_picture(folder.path / "cat" / "one (1)_mask.png", 8, 8, 0, 2);
  write_picture(folder.path / "cat" / "one (1)_mask_1.png", 8, 8, 0, 5);
  write_picture(folder.path / "cat" / "two.PNG", 8, 8, 102);
  write_picture(folder.path / "dog" / "three.jpg", 8, 8, 153);  // a PNG all the same: the content counts
  write_picture(folder.path / "dog" / "three_mask.png", 8, 8, 0);
  write_picture(folder.path / ".hidden" / "four.png", 8, 8, 0);
  std::ofstream(folder.path / "dog" / "notes.txt") << "no picture";
  std::ofstream(folder.path / "README") << "no folder";
  const auto set = data::image_folder(folder.path, {.size = 8});
  REQUIRE(set.size() == 3);
  CHECK(set.class_names() == std::vector<std::string>{"cat", "dog"});
  CHECK(set[0].id == "cat/one (1).png");
  CHECK(set[0].group == set[0].id);
  CHECK(set[0].image(3, 3, 0) == .2f);
  REQUIRE(set[0].mask);
  for (std::size_t x = 0; x < 8; ++x) CHECK((*set[0].mask)(4, x) == (x == 2 || x == 5 ? 1.f : 0.f));
  CHECK_FALSE(set[1].mask);
  CHECK(set[2].label == 1);
  CHECK(set[2].mask);  // annotated, and empty
  CHECK(set.mask_fraction() == .25);
  const auto colour = data::image_folder(folder.path, {.size = 4, .channels = 3, .classes = {{"dog"}}});
  CHECK(colour.size() == 1);
  CHECK(colour[0].label == 0);
  CHECK(colour.channels() == 3);
  CHECK(colour[0].image(1, 1, 2) == doctest::Approx(.6));

  write_picture(folder.path / "dog" / "lost_mask.png", 8, 8, 0);
  CHECK(holds(refused(folder.path), "lost_mask.png: a mask without its picture"));
}

TEST_CASE("index.csv, and labels into classes") {
  const support::Folder folder("index");
  for (const char* name : {"a", "b", "c", "d"})
    write_picture(folder.path / "images" / (std::string(name) + ".png"), 6, 4, 100);
  write_picture(folder.path / "m.png", 6, 4, 0, 1);
  const auto index = [&](const std::string& rows) {
    io::write_file_atomically(folder.path / "index.csv", "id,image,mask,label,split_group,site\n" + rows);
  };
  index("1,images/a.png,m.png,x,p1,A\n2,images/b.png,,y,p1,B\n3,images/c.png,,z,p2,B\n4,images/d.png,,x,,C\n");
  const auto set = data::image_folder(folder.path, {.size = 6});
  CHECK(set.class_names() == std::vector<std::string>{"x", "y", "z"});
  CHECK(set[1].group == "p1");
  REQUIRE(set[0].mask);
  CHECK((*set[0].mask)(0, 2) == 1);  // column 1 of 4, with one column of padding before it
  CHECK((*set[0].mask)(0, 1) == 0);
  CHECK_FALSE(set[1].mask);
  CHECK(set[0].image(0, 0, 0) == 0);
  CHECK(set.groups("site") == std::vector<std::string>{"A", "B", "B", "C"});
  CHECK(set.groups()[3] != set.groups()[0]);  // an empty group is a group of its own
  CHECK(holds(support::message<OptionError>([&] { (void)set.groups("hospital"); }),
              "expected one of id, image, label, mask, site, split_group"));

  const auto rest = data::image_folder(folder.path, {.size = 6, .classes = {{"x"}, {"other", {"*"}}}});
  CHECK(rest.class_names() == std::vector<std::string>{"x", "other"});
  CHECK(rest.counts() == std::vector<Index>{2, 2});
  const auto joined = data::image_folder(folder.path, {.size = 6, .classes = {{"yz", {"y", "z"}}}});
  CHECK(joined.size() == 2);
  CHECK(joined.groups("site") == std::vector<std::string>{"B", "B"});  // columns follow the samples that are kept
  CHECK(data::image_folder(folder.path, {.size = 6, .label_column = "site"}).class_names().size() == 3);

  CHECK(holds(refused(folder.path, {.classes = {{"w"}}}), "no sample has the label \"w\"; the data has x, y, z"));
  CHECK(holds(refused(folder.path, {.classes = {{"x"}, {"also", {"x"}}}}), "label \"x\" is in two classes"));
  CHECK(holds(refused(folder.path, {.classes = {{"a", {"*"}}, {"b", {"*"}}}}), "two classes take all other labels"));
  CHECK(holds(refused(folder.path, {.label_column = "grade"}), "no column \"grade\"; it has id, image"));
  CHECK(holds(refused(folder.path, {.size = 0}), "size must be 1 to 8192, got 0"));
  CHECK(holds(refused(folder.path, {.channels = 2}), "channels must be 1 or 3, got 2"));
  index("1,images/a.png,,x,p,A\n1,images/b.png,,x,p,A\n");
  CHECK(holds(refused(folder.path), "sample 1 is there twice"));
  index("1,images/a.png,,,p,A\n");
  CHECK(holds(refused(folder.path), "index.csv:2: sample 1 has no label"));
  index("1,,,x,p,A\n");
  CHECK(holds(refused(folder.path), "index.csv:2: sample 1 has no image"));
}

TEST_CASE("whatever is broken is named, all at once, before anything is used") {
  const support::Folder folder("broken");
  CHECK(holds(refused(folder.path / "nowhere"), "nowhere: no such folder"));
  CHECK(holds(refused(folder.path), "no pictures; expected index.csv or folders"));
  write_picture(folder.path / "x" / "good.png", 9, 9, 1);
  write_picture(folder.path / "x" / "small.png", 9, 9, 1);
  write_picture(folder.path / "x" / "small_mask.png", 9, 8, 1);
  std::ofstream(folder.path / "x" / "text.png") << "hello";
  auto half = io::read_file(folder.path / "x" / "good.png");
  half.resize(half.size() / 2);
  io::write_file_atomically(folder.path / "x" / "half.png", half);
  const std::string message = refused(folder.path, {.size = 8});
  CHECK(holds(message, ": 3 problems\n"));
  CHECK(holds(message, "half.png: broken PNG"));
  CHECK(holds(message, "small_mask.png: a mask of 8 x 9 pixels for a picture of 9 x 9"));
  CHECK(holds(message, "text.png: neither PNG nor JPEG"));
  for (int i = 0; i < 12; ++i) std::ofstream(folder.path / "x" / text("text", i, ".png")) << "hello";
  CHECK(holds(refused(folder.path, {.size = 8}), ": 15 problems\n"));
  CHECK(holds(refused(folder.path, {.size = 8}), "and 5 more"));
  io::write_file_atomically(folder.path / "index.csv", "image,label\nx/good.png,x\nx/gone.png,x\n");
  CHECK(holds(refused(folder.path, {.size = 8}), ": 1 problem\n"));
  CHECK(holds(refused(folder.path, {.size = 8}), "gone.png: no such file"));
}

TEST_CASE("real data: breast ultrasound and chest radiographs") {
  const char* root = std::getenv("LIMN_TEST_DATA");
  const std::filesystem::path folder = root != nullptr ? root : "";
  if (!std::filesystem::is_directory(folder / "busi") ||
      !std::filesystem::is_directory(folder / "cxr" / "nih14_boxes")) {
    MESSAGE("not run: LIMN_TEST_DATA does not name a folder with busi/ and cxr/nih14_boxes/");
    return;
  }
  const auto busi = data::image_folder(folder / "busi", {.size = 32});
  CHECK(busi.class_names() == std::vector<std::string>{"benign", "malignant", "normal"});
  CHECK(busi.counts() == std::vector<Index>{264, 155, 77});
  // The mean of the column mask_fraction, of whole pictures; ours are padded to squares and so a little less.
  const io::Csv table = io::Csv::read(folder / "busi" / "index.csv");
  double fraction = 0, padded = 0;
  Index lesions = 0;
  for (Index row = 0; row < table.size(); ++row) {
    const double share = std::atof(table.at(row, "mask_fraction").c_str());
    const double height = std::atof(table.at(row, "height").c_str()), width = std::atof(table.at(row, "width").c_str());
    if (share == 0) continue;
    fraction += share;
    padded += share * std::min(height, width) / std::max(height, width);
    ++lesions;
  }
  CHECK(busi.mask_fraction() == doctest::Approx(padded / static_cast<double>(lesions)).epsilon(.02));
  const auto stretched = data::image_folder(folder / "busi", {.size = 32, .fit = data::Fit::stretch});
  CHECK(stretched.mask_fraction() == doctest::Approx(fraction / static_cast<double>(lesions)).epsilon(.02));
  for (Index i = 0; i < busi.size(); ++i) {  // normal: annotated and empty; no lesion is lost at 32 pixels
    REQUIRE(busi[i].mask);
    const bool any = std::find(busi[i].mask->begin(), busi[i].mask->end(), 1.f) != busi[i].mask->end();
    CHECK(any == (busi[i].label != 2));
  }
  // The class folders alone, without the index, hold the same pictures.
  const support::Folder bare("bare");
  for (const char* name : {"benign", "malignant", "normal"})
    std::filesystem::create_directory_symlink(std::filesystem::absolute(folder / "busi" / name), bare.path / name);
  const auto unindexed = data::image_folder(bare.path, {.size = 32});
  CHECK(unindexed.counts() == busi.counts());
  CHECK(unindexed.mask_fraction() == doctest::Approx(busi.mask_fraction()));

  const auto nih =
      data::image_folder(folder / "cxr" / "nih14_boxes", {.size = 32, .classes = {{"No Finding"}, {"finding", {"*"}}}});
  CHECK(nih.counts() == std::vector<Index>{438, 737});
  const auto parts = nih.split({.by = "split_group", .seed = 7});
  for (std::size_t part = 0; part < 3; ++part) {
    const auto counts = parts[part].counts();
    const double share[] = {.7, .15, .15};
    CHECK(std::abs(static_cast<double>(counts[0]) - 438 * share[part]) < 3);
    CHECK(std::abs(static_cast<double>(counts[1]) - 737 * share[part]) < 3);
  }
}
