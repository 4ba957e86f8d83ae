// The colour scale's lightness, resizing and overlays by hand.
#include <doctest/doctest.h>

#include <cmath>

#include "limn/report/colour.hpp"

using namespace limn;
using namespace limn::report;

namespace {

// CIE L* of an sRGB colour (IEC 61966-2-1, D65).
double lightness(const Colour& c) {
  const double weights[3] = {0.2126, 0.7152, 0.0722};
  double luminance = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double v = static_cast<double>(c[i]) / 255;
    luminance += weights[i] * (v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
  }
  return luminance > 216.0 / 24389 ? 116 * std::cbrt(luminance) - 16 : luminance * 24389 / 27;
}

xt::xtensor<float, 3> picture(std::size_t height, std::size_t width, std::size_t channels, float value) {
  return xt::xtensor<float, 3>(std::array<std::size_t, 3>{height, width, channels}, value);
}

}  // namespace

TEST_CASE("the colour scale rises in lightness, in nearly equal steps") {
  double last = lightness(colour(0));
  CHECK(last < 20);
  CHECK(lightness(colour(1)) > 88);
  for (int i = 1; i <= 64; ++i) {
    const double now = lightness(colour(static_cast<float>(i) / 64));
    CAPTURE(i);
    CHECK(now - last > 0.2);  // the mean step is 1.2
    CHECK(now - last < 2.4);
    last = now;
  }
  CHECK(colour(-3) == colour(0));
  CHECK(colour(7) == colour(1));
}

TEST_CASE("the outline is far from every colour of the scale") {
  for (int i = 0; i <= 100; ++i) {
    const Colour c = colour(static_cast<float>(i) / 100);
    CHECK(std::hypot(c[0] - outline_colour[0], c[1] - outline_colour[1], c[2] - outline_colour[2]) > 150);
  }
}

TEST_CASE("resizing is bilinear with half-pixel centres") {
  xt::xtensor<float, 3> two(std::array<std::size_t, 3>{1, 2, 1});
  two(0, 0, 0) = 0;
  two(0, 1, 0) = 1;
  const auto four = resize(two, 2, 4);
  for (std::size_t y = 0; y < 2; ++y) {
    CHECK(four(y, 0, 0) == 0.f);
    CHECK(four(y, 1, 0) == .25f);
    CHECK(four(y, 2, 0) == .75f);
    CHECK(four(y, 3, 0) == 1.f);
  }
  CHECK(resize(two, 1, 2) == two);
}

TEST_CASE("small pictures are enlarged, large ones reduced, by whole numbers") {
  using Size = std::array<std::size_t, 2>;
  CHECK(shown_size(64, 64) == Size{256, 256});
  CHECK(shown_size(96, 80) == Size{288, 240});
  CHECK(shown_size(224, 224) == Size{224, 224});
  CHECK(shown_size(1, 1) == Size{256, 256});
  CHECK(shown_size(512, 100) == Size{512, 100});
  CHECK(shown_size(1025, 600) == Size{341, 200});
  CHECK(shown_size(5000, 1) == Size{500, 1});
}

TEST_CASE("grey, colour and other channel counts; values beyond the range are cut, NaN is black") {
  auto grey = picture(256, 256, 1, .5f);
  grey(0, 0, 0) = 7;
  grey(0, 1, 0) = -1;
  grey(0, 2, 0) = NAN;
  const Rgb shown = shown_image(grey);
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(shown(0, 0, c) == 255);
    CHECK(shown(0, 1, c) == 0);
    CHECK(shown(0, 2, c) == 0);
    CHECK(shown(9, 9, c) == 128);
  }
  auto rgb = picture(256, 256, 3, 0);
  rgb(5, 5, 1) = 1;
  CHECK(shown_image(rgb)(5, 5, 1) == 255);
  CHECK(shown_image(rgb)(5, 5, 0) == 0);
  auto four = picture(256, 256, 4, 0);
  four(5, 5, 0) = four(5, 5, 3) = 1;
  for (std::size_t c = 0; c < 3; ++c) CHECK(shown_image(four)(5, 5, c) == 128);
  auto large = picture(1024, 1024, 1, 0);
  large(2, 3, 0) = 1;  // one pixel of a block of four
  CHECK(shown_image(large)(1, 1, 0) == 64);
  CHECK(shown_image(large).shape()[0] == 512);
}

TEST_CASE("an overlay mixes by value: nothing at 0, seven tenths of the colour at 1") {
  NamedMap map{"m", {{0.f, 1.f}}, true};
  Rgb shown = shown_image(picture(128, 256, 1, .4f));  // 102
  overlay(shown, map);
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(shown(0, 0, c) == 102);
    CHECK(shown(0, 255, c) == std::lround(.3f * 102 + .7f * colour(1)[c]));
  }
}

TEST_CASE("probabilities are shown as they are, other maps as shares of their maximum") {
  const auto values = [](const NamedMap& m) {
    const auto v = shown_values(m);
    return std::vector<float>(v.data(), v.data() + v.size());
  };
  CHECK(values({"p", {{-.5f, .25f, 1.5f, NAN}}, true}) == std::vector<float>{0, .25f, 1, 0});
  CHECK(values({"g", {{-5.f, 2.f, 8.f, NAN}}, false}) == std::vector<float>{0, .25f, 1, 0});
  CHECK(values({"zero", {{0.f, 0.f}}, false}) == std::vector<float>{0, 0});
  CHECK(values({"negative", {{-1.f, -2.f}}, false}) == std::vector<float>{0, 0});
}

TEST_CASE("an outline runs around the mask and hides nothing inside it") {
  Rgb shown(std::array<std::size_t, 3>{16, 16, 3}, std::uint8_t{200});
  xt::xtensor<float, 2> mask(std::array<std::size_t, 2>{8, 8}, 0.f);
  mask(3, 3) = mask(3, 4) = 1;  // rows 6 and 7, columns 6 to 9 of the picture
  outline(shown, mask);
  for (std::size_t y = 0; y < 16; ++y)
    for (std::size_t x = 0; x < 16; ++x) {
      CAPTURE(y);
      CAPTURE(x);
      const bool inside = y >= 6 && y <= 7 && x >= 6 && x <= 9, line = y >= 4 && y <= 9 && x >= 4 && x <= 11,
                 seam = y >= 3 && y <= 10 && x >= 3 && x <= 12;
      CHECK(int{shown(y, x, 0)} == (inside ? 200 : line ? 70 : seam ? 100 : 200));
    }
}
