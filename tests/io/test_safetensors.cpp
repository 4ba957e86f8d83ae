// safetensors against a file of the reference implementation (record_safetensors.py), and against hostile ones.
#include <cmath>
#include <limits>

#include "limn/io/safetensors.hpp"
#include "recorded_safetensors.hpp"
#include "support.hpp"

using namespace limn;
using support::holds;

namespace {
std::vector<std::uint8_t> made(const std::string& header, std::size_t data) {
  std::vector<std::uint8_t> file(8);
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<std::uint8_t>(header.size() >> (8 * i));
  file.insert(file.end(), header.begin(), header.end());
  file.resize(file.size() + data);
  return file;
}
std::string refused(const std::string& header, std::size_t data) {
  return support::message<FileError>([&] { (void)io::decode_safetensors(made(header, data), "w.st"); });
}
}  // namespace

TEST_CASE("a file of the reference implementation") {
  const auto file = io::decode_safetensors(recorded::safetensors, "w.st");
  CHECK(file.tensors.size() == 7);
  CHECK(*file.find_text("made by") == "caf\xC3\xA9");
  const float inf = std::numeric_limits<float>::infinity();
  const auto half = io::values<float>(file.at("half"));
  CHECK(half == std::vector<float>{1, -2.5f, 65504, 6.103515625e-05f, 5.960464477539063e-08f, inf, 0});
  CHECK(std::signbit(half[6]));
  CHECK(io::values<float>(file.at("brain")) == std::vector<float>{1, -2.5f, inf});
  CHECK(file.at("single").shape == std::vector<Index>{2, 3});
  CHECK(io::values<double>(file.at("single")) == std::vector<double>{0, .25, .5, .75, 1, 1.25});
  CHECK(file.at("double").shape.empty());
  CHECK(io::values<double>(file.at("double")) == std::vector<double>{.1});
  CHECK(io::values<float>(file.at("double")) == std::vector<float>{.1f});
  CHECK(io::values<Index>(file.at("long")) == std::vector<Index>{-(Index{1} << 40), 7});
  CHECK(io::values<Index>(file.at("byte")) == std::vector<Index>{1, 2, 255});
  CHECK(io::values<float>(file.at("none")).empty());
  CHECK(holds(support::message<FileError>([&] { (void)io::values<float>(file.at("long")); }),
              "expected a tensor of floats, got I64"));
  CHECK(holds(support::message<FileError>([&] { (void)file.at("x"); }), "no tensor \"x\" among the 7"));
  CHECK(std::isnan(io::detail::from_half(0x7E00)));
}

TEST_CASE("what is written is read back, and aligned") {
  const support::Folder folder("safetensors");
  io::TensorFile file;
  file.tensors["a.bytes"] = io::make_entry({3}, std::vector<std::uint8_t>{1, 2, 3});
  file.tensors["b.weight"] = io::make_entry({2, 2}, std::vector<float>{1, 2, 3, 4});
  file.tensors["c.steps"] = io::make_entry({}, std::vector<Index>{-5});
  file.tensors["d.loss"] = io::make_entry({1}, std::vector<double>{.3});
  file.tensors["empty"] = io::make_entry({0}, std::vector<float>{});
  file.metadata = {{"epoch", "3"}};
  io::write_safetensors(folder.path / "w.st", file);
  const auto back = io::read_safetensors(folder.path / "w.st");
  CHECK(back.metadata == file.metadata);
  REQUIRE(back.tensors.size() == 5);
  for (const auto& [name, entry] : file.tensors) {
    CHECK(back.at(name).dtype == entry.dtype);
    CHECK(back.at(name).shape == entry.shape);
    CHECK(back.at(name).bytes == entry.bytes);
  }
  const auto bytes = io::encode_safetensors(file);
  CHECK(bytes.size() % 8 == 3);  // header and wide types fill whole words, the three single bytes come last
  CHECK(io::encode_safetensors(back) == bytes);
  CHECK(io::decode_safetensors(io::encode_safetensors({}), "w").tensors.empty());
  CHECK_THROWS_AS((void)io::make_entry({2}, std::vector<float>{1}), ShapeError);
  file.tensors["b.weight"].shape = {5};
  CHECK(holds(support::message<ShapeError>([&] { (void)io::encode_safetensors(file); }),
              "\"b.weight\" has 16 bytes, its shape takes 20"));
  file.tensors.erase("b.weight");
  file.metadata = {{"epoch", "3"}, {"epoch", "4"}};
  CHECK(holds(support::message<OptionError>([&] { (void)io::encode_safetensors(file); }), "\"epoch\" is there twice"));
  file.metadata = {{"bad", "\xFF"}};
  CHECK(holds(support::message<OptionError>([&] { (void)io::encode_safetensors(file); }), "must be UTF-8"));
}

TEST_CASE("files that do not add up") {
  const std::string f32 = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  (void)io::decode_safetensors(made(f32, 8), "w");
  CHECK(refused(f32, 9) == "w.st: 1 bytes behind the last tensor");
  CHECK(holds(refused(f32, 7), "tensor \"a\": data_offsets 0, 8 in 7 bytes"));
  CHECK(holds(refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
              "its shape takes 12 bytes, its data_offsets give 8"));
  CHECK(holds(refused(R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", 8), "unknown dtype F99"));
  CHECK(holds(refused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "expected whole numbers"));
  CHECK(holds(refused(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8), "expected whole numbers"));
  CHECK(holds(refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0),
              "its shape overflows"));
  CHECK(holds(refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "data_offsets 8, 0"));
  CHECK(holds(refused(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "expected dtype, shape and two data_offsets"));
  CHECK(holds(
      refused(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})",
          5),
      "(a hole or an overlap)"));
  CHECK(holds(
      refused(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
          3),
      "(a hole or an overlap)"));
  CHECK(holds(
      refused(
          R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
          0),
      "duplicate object key"));
  CHECK(holds(refused(R"({"__metadata__":{"a":1}})", 0), "metadata \"a\" is not text"));
  CHECK(holds(refused("[]", 0), "does not begin with {"));
  CHECK(holds(refused("{\"a\":", 0), "no JSON ("));
  CHECK(holds(refused("{\"a\":3}", 0), "\"a\" is not an object"));
  CHECK(holds(refused(std::string(50000, '{'), 0), "no JSON ("));
  const std::vector<std::uint8_t> huge = {255, 255, 255, 255, 255, 255, 255, 127, '{', '}'};
  CHECK(holds(support::message<FileError>([&] { (void)io::decode_safetensors(huge, "w"); }),
              "a header of 9223372036854775807 bytes"));
  for (std::size_t size = 0; size < recorded::safetensors.size(); ++size)
    CHECK_THROWS_AS((void)io::decode_safetensors({recorded::safetensors.data(), size}, "w"), FileError);
}

TEST_CASE("mutated tensor files load or throw FileError") {
  const int loaded = support::fuzz(recorded::safetensors, 8000, [](const std::vector<std::uint8_t>& bytes) {
    const auto file = io::decode_safetensors(bytes, "w");
    for (const auto& [name, entry] : file.tensors) {
      if (entry.dtype == io::Dtype::F32) (void)io::values<float>(entry);
      if (entry.dtype == io::Dtype::I64) (void)io::values<Index>(entry);
    }
  });
  CHECK(loaded > 0);  // changes of the numbers themselves are no errors
  CHECK(loaded < 8000);
}
