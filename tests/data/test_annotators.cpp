// What several people marked: folders of masks, exports of Label Studio, and what belongs to no picture.
#include "limn/data/annotators.hpp"

#include <doctest/doctest.h>

#include "../io/support.hpp"
#include "limn/io/png.hpp"

using namespace limn;

namespace {

data::Dataset set_of(const std::vector<std::string>& ids, std::size_t size) {
  std::vector<data::Sample> samples;
  for (const std::string& id : ids) {
    data::Sample sample;
    sample.id = sample.group = id;
    sample.image = data::Image(data::Image::shape_type{size, size, 1}, .5f);
    samples.push_back(sample);
  }
  return {samples, {"all"}};
}

/// A picture (h, w), white where the rows say '#'.
void write_mask(const std::filesystem::path& path, const std::vector<std::string>& rows) {
  std::filesystem::create_directories(path.parent_path());
  xt::xtensor<std::uint8_t, 3> image(std::array<std::size_t, 3>{rows.size(), rows[0].size(), 1}, 0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j) image(i, j, 0) = rows[i][j] == '#' ? 255 : 0;
  io::write_png(path, image);
}

std::string drawn(const data::Mask& mask) {
  std::string out;
  for (std::size_t i = 0; i < mask.shape()[0]; ++i) {
    for (std::size_t j = 0; j < mask.shape()[1]; ++j) out += mask(i, j) > 0 ? '#' : '.';
    out += '\n';
  }
  return out;
}

}  // namespace

TEST_CASE("names of pictures in exports and folders") {
  using data::detail::picture_name;
  CHECK(picture_name("busi/benign (3).png") == "benign_3");
  CHECK(picture_name("/data/upload/4/1f2e3d4c-benign_3.png") == "benign_3");
  CHECK(picture_name("/data/local-files/?d=set/a-b.jpg") == "a-b");
  CHECK(picture_name("0002") == "0002");
  CHECK(picture_name("patient 1.5") == "patient_1.5");  // no picture's ending
  CHECK(picture_name("abcdefgh-x.png") == "abcdefgh-x");
}

TEST_CASE("masks of people come to the samples' size, those of one picture joined") {
  const support::Folder folder("annotators");
  write_mask(folder.path / "Anna" / "a.png", {"##..", "##..", "....", "...."});
  write_mask(folder.path / "Anna" / "unknown.png", {"##..", "##..", "....", "...."});
  write_mask(folder.path / "Boris" / "b.png", {"####....", "####...."});  // padded to a square: rows 3 and 4 of 8
  write_mask(folder.path / "Nobody" / "unknown.png", {"#"});
  io::write_file_atomically(folder.path / "export.json",
                            std::string_view(R"([{"id": 1, "data": {"image": "x/a.png"}, "annotations": [
    {"completed_by": "Carla", "result": [{"type": "rectangle", "original_width": 4, "original_height": 4,
      "value": {"x": 50, "y": 50, "width": 50, "height": 50}}]},
    {"completed_by": "Anna", "result": [{"type": "rectangle", "original_width": 4, "original_height": 4,
      "value": {"x": 75, "y": 0, "width": 25, "height": 25}}]},
    {"completed_by": "Dora", "result": []}]}])"));
  const auto people = data::read_annotators(folder.path, set_of({"s/a.png", "b"}, 4));
  REQUIRE(people.size() == 3);
  CHECK(people[0].name == "Anna");
  CHECK(drawn(people[0].masks.at("s/a.png")) == "##.#\n##..\n....\n....\n");
  CHECK(people[0].masks.size() == 1);
  CHECK(people[1].name == "Boris");
  CHECK(people[2].name == "Carla");
  CHECK(drawn(people[2].masks.at("s/a.png")) == "....\n....\n..##\n..##\n");
}

TEST_CASE("masks whose sides are not in proportion to their picture's are refused") {
  const support::Folder folder("annotators_turned");
  write_mask(folder.path / "set" / "x" / "a.png", {"####", "####"});
  write_mask(folder.path / "set" / "y" / "b.png", {"####", "####"});
  const data::Dataset set = data::image_folder(folder.path / "set", {.size = 4});
  CHECK(set[0].file_width == 4);
  CHECK(set[0].file_height == 2);
  write_mask(folder.path / "people" / "Anna" / "a.png", {"########", "########", "########", "........"});  // twice
  const auto people = data::read_annotators(folder.path / "people", set);
  CHECK(drawn(people.at(0).masks.at("x/a.png")) == "....\n####\n####\n....\n");
  write_mask(folder.path / "people" / "Boris" / "b.png", {"##", "##", "##", ".."});
  CHECK(support::message<FileError>([&] { (void)data::read_annotators(folder.path / "people", set); }) ==
        (folder.path / "people" / "Boris" / "b.png").string() +
            ": what Boris marked on y/b.png is 2 x 4 pixels, the picture is 4 x 2; was it turned by its EXIF "
            "orientation?");
}

TEST_CASE("what cannot be assigned is refused") {
  const support::Folder folder("annotators_bad");
  const auto message = [&](const data::Dataset& set) {
    return support::message<FileError>([&] { (void)data::read_annotators(folder.path, set); });
  };
  CHECK(support::holds(message(set_of({"a"}, 4)), "no annotation of a picture of the data set"));
  write_mask(folder.path / "Anna" / "a.png", {"##..", "##..", "....", "...."});
  CHECK(support::holds(message(set_of({"x/a.png", "y/a.png"}, 4)), "PICTURE being a name as x/a.png"));  // which one?
  io::write_file_atomically(folder.path / "bad.json", std::string_view("{}"));
  CHECK(support::holds(message(set_of({"a"}, 4)), "bad.json: expected an array of tasks"));
  CHECK_THROWS_AS((void)data::read_annotators(folder.path / "missing", set_of({"a"}, 4)), FileError);
}
