// PNG and JPEG against what Pillow wrote and read (record_images.py).
#include <cmath>

#include "limn/io/image.hpp"
#include "recorded_images.hpp"
#include "support.hpp"

using namespace limn;
using support::holds;

namespace {
void check_values(const io::Image& image, Index height, Index width, const std::vector<int>& expected, int largest,
                  int tolerance = 0) {
  REQUIRE(static_cast<Index>(image.shape()[0]) == height);
  REQUIRE(static_cast<Index>(image.shape()[1]) == width);
  REQUIRE(image.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(std::abs(image.data()[i] * static_cast<float>(largest) - static_cast<float>(expected[i])) <
          static_cast<float>(tolerance) + .01f);
}
}  // namespace

TEST_CASE("PNG of every kind reads as Pillow's pixels") {
  check_values(io::decode_image(recorded::grey8, "f"), 3, 5, recorded::grey8_values, 255);
  check_values(io::decode_image(recorded::grey_alpha8, "f"), 3, 5, recorded::grey_alpha8_values, 255);
  check_values(io::decode_image(recorded::rgb8, "f"), 3, 5, recorded::rgb8_values, 255);
  check_values(io::decode_image(recorded::rgba8, "f"), 3, 5, recorded::rgba8_values, 255);
  check_values(io::decode_image(recorded::grey16, "f"), 3, 4, recorded::grey16_values, 65535);
  check_values(io::decode_image(recorded::rgba16, "f"), 3, 4, recorded::rgba16_values, 65535);
  check_values(io::decode_image(recorded::palette, "f"), 4, 6, recorded::palette_values, 255);
  check_values(io::decode_image(recorded::one_bit, "f"), 3, 11, recorded::one_bit_values, 255);
}

TEST_CASE("JPEG reads as Pillow's pixels") {
  check_values(io::decode_image(recorded::jpeg_grey, "f"), 10, 9, recorded::jpeg_grey_values, 255, 1);
  check_values(io::decode_image(recorded::jpeg_rgb, "f"), 10, 9, recorded::jpeg_rgb_values, 255, 2);
}

TEST_CASE("what is written is read back, by its content and not by its name") {
  const support::Folder folder("image");
  for (std::size_t channels : {1, 3, 4}) {
    auto bytes = xt::xtensor<std::uint8_t, 3>::from_shape({7, 4, channels});
    Random random(Seed{1}, channels);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random.below(256));
    const auto path = folder.path / "picture.jpg";
    io::write_png(path, bytes);
    CHECK(io::image_size(path) == std::pair<Index, Index>{7, 4});
    const auto back = io::to_bytes(io::read_image(path));
    REQUIRE(back.shape()[2] == (channels == 1 ? 1 : 3));
    for (std::size_t y = 0; y < 7; ++y)
      for (std::size_t x = 0; x < 4; ++x)
        for (std::size_t c = 0; c < back.shape()[2]; ++c) CHECK(back(y, x, c) == bytes(y, x, c));
  }
  CHECK(holds(support::message<ShapeError>([] {
                (void)io::encode_png(xt::xtensor<std::uint8_t, 3>::from_shape({2, 2, 2}));
              }),
              "C = 1, 3 or 4, got (2, 2, 2)"));
}

TEST_CASE("grey and RGB") {
  io::Image rgb = io::Image::from_shape({1, 2, 3});
  const float values[] = {1, 0, 0, .2f, .4f, .6f};
  std::copy(values, values + 6, rgb.begin());
  const auto grey = io::to_channels(rgb, 1);
  CHECK(grey(0, 0, 0) == doctest::Approx(.299));
  CHECK(grey(0, 1, 0) == doctest::Approx(.2 * .299 + .4 * .587 + .6 * .114));
  const auto back = io::to_channels(grey, 3);
  CHECK(back(0, 1, 2) == grey(0, 1, 0));
  CHECK_THROWS_AS((void)io::to_channels(rgb, 2), ShapeError);
  io::Image odd = io::Image::from_shape({1, 4, 1});
  const float strange[] = {-1, 2, NAN, .5f};
  std::copy(strange, strange + 4, odd.begin());
  const auto bytes = io::to_bytes(odd);
  CHECK(bytes(0, 0, 0) == 0);
  CHECK(bytes(0, 1, 0) == 255);
  CHECK(bytes(0, 2, 0) == 0);
  CHECK(bytes(0, 3, 0) == 128);
}

TEST_CASE("broken files are refused by name") {
  const auto refused = [](const std::vector<std::uint8_t>& file) {
    return support::message<FileError>([&] { (void)io::decode_image(file, "x.png"); });
  };
  CHECK(refused({}) == "x.png: the file is empty");
  CHECK(refused({'G', 'I', 'F', '8'}) == "x.png: neither PNG nor JPEG");
  CHECK(holds(refused(recorded::jpeg_cmyk), "a JPEG with 4 colour components"));
  // Every truncation, to the last byte: half a picture is no picture.
  for (const auto* file : {&recorded::rgb8, &recorded::palette, &recorded::jpeg_grey, &recorded::jpeg_rgb})
    for (std::size_t size = 8; size < file->size(); ++size) {
      CAPTURE(size);
      CHECK(holds(refused({file->begin(), file->begin() + static_cast<std::ptrdiff_t>(size)}), "x.png: broken"));
    }
}

namespace {
// The same PNG with another size in its header and the check sum put right, so that only our own limits stand in the
// way.
std::vector<std::uint8_t> with_size(std::vector<std::uint8_t> file, std::uint32_t width, std::uint32_t height) {
  const auto put = [&](std::size_t at, std::uint32_t v) {
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>(v >> (24 - 8 * i));
  };
  put(16, width);
  put(20, height);
  std::uint32_t crc = 0xFFFFFFFFu;
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= file[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
  }
  put(29, ~crc);
  return file;
}
}  // namespace

TEST_CASE("sizes of zero, absurd sizes and sizes the file cannot hold") {
  const auto refused = [](std::uint32_t width, std::uint32_t height) {
    return support::message<FileError>([&] { (void)io::decode_image(with_size(recorded::grey8, width, height), "x"); });
  };
  (void)io::decode_image(with_size(recorded::grey8, 5, 3), "x");  // the helper itself makes good files
  CHECK(holds(refused(0, 3), "x: broken PNG"));
  CHECK(holds(refused(20000, 20000), "x: 20000 x 20000 pixels, expected at most 2^28"));
  CHECK(holds(refused(0x7fffffff, 0x7fffffff), "expected at most 2^28"));
  CHECK(holds(refused(16000, 16000), "x: broken PNG (16000 x 16000 pixels in"));
}

TEST_CASE("mutated pictures load or throw FileError") {
  const auto decode = [](const std::vector<std::uint8_t>& file) { (void)io::decode_image(file, "x"); };
  for (const auto* file : {&recorded::rgba8, &recorded::palette, &recorded::grey16})
    CHECK(support::fuzz(*file, 2000, decode) < 2000);
  for (const auto* file : {&recorded::jpeg_grey, &recorded::jpeg_rgb}) {
    const int loaded = support::fuzz(*file, 3000, decode);  // JPEG has no check sums, so some survive
    CHECK(loaded > 0);
    CHECK(loaded < 3000);
  }
}
