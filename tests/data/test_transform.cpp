// Resizing, cropping and random changes.
#include <cmath>

#include "../io/support.hpp"
#include "limn/data/resize.hpp"
#include "limn/data/transform.hpp"
#include "recorded_resize.hpp"

using namespace limn;
using data::Image;
using data::Mask;
using support::holds;

namespace {
Image random_image(std::size_t height, std::size_t width, std::size_t channels, std::uint64_t seed) {
  Image image = Image::from_shape({height, width, channels});
  Random random(Seed{seed});
  for (float& value : image) value = static_cast<float>(random.uniform());
  return image;
}
Mask empty_mask(std::size_t height, std::size_t width) { return Mask(Mask::shape_type{height, width}, 0.f); }
double area(const Mask& mask) {
  double total = 0;
  for (float value : mask) total += value;
  return total;
}
}  // namespace

TEST_CASE("resize gives torch's numbers") {
  for (const auto& c : recorded::resizes) {
    Image image = Image::from_shape({static_cast<std::size_t>(c.in_height), static_cast<std::size_t>(c.in_width),
                                     static_cast<std::size_t>(c.channels)});
    std::copy(c.in.begin(), c.in.end(), image.data());
    const Image out = data::resize(image, c.out_height, c.out_width);
    REQUIRE(out.size() == c.out.size());
    for (std::size_t i = 0; i < c.out.size(); ++i) CHECK(std::abs(out.data()[i] - c.out[i]) < 2e-6f);
  }
  CHECK(data::resize(random_image(3, 4, 1, 1), 3, 4) == random_image(3, 4, 1, 1));
  CHECK_THROWS_AS((void)data::resize(random_image(3, 4, 1, 1), 0, 4), ShapeError);
}

TEST_CASE("masks: half the area decides, and nothing small vanishes") {
  Mask mask = empty_mask(4, 4);
  mask(0, 0) = mask(0, 1) = 1;                            // half of the first quarter
  mask(0, 2) = 1;                                         // a quarter of the second
  mask(2, 2) = mask(2, 3) = mask(3, 2) = mask(3, 3) = 1;  // all of the fourth
  const Mask half = data::resize(mask, 2, 2);
  CHECK(half(0, 0) == 1);
  CHECK(half(0, 1) == 0);
  CHECK(half(1, 0) == 0);
  CHECK(half(1, 1) == 1);
  Mask speck = empty_mask(100, 90);
  speck(57, 31) = 1;
  const Mask small = data::resize(speck, 10, 9);
  CHECK(area(small) == 1);
  CHECK(small(5, 3) == 1);
  CHECK(area(data::resize(empty_mask(9, 9), 4, 4)) == 0);
  // Areas survive: a disc of radius 20 in 100 x 100 covers 12.6 %.
  Mask disc = empty_mask(100, 100);
  for (int y = 0; y < 100; ++y)
    for (int x = 0; x < 100; ++x) disc(y, x) = std::hypot(y - 49.5, x - 49.5) < 20 ? 1.f : 0.f;
  for (Index size : {16, 37, 64, 250}) {
    const Mask other = data::resize(disc, size, size);
    CHECK(area(other) / static_cast<double>(other.size()) == doctest::Approx(.1257).epsilon(.06));
  }
}

TEST_CASE("pad, crop and stretch") {
  Image wide = Image(Image::shape_type{2, 4, 1}, 1.f);
  wide(0, 0, 0) = wide(1, 0, 0) = .5f;
  const Image padded = data::fit_square(wide, 4, data::Fit::pad);
  for (std::size_t x = 0; x < 4; ++x) {
    CHECK(padded(0, x, 0) == 0);
    CHECK(padded(1, x, 0) == (x == 0 ? .5f : 1.f));
    CHECK(padded(2, x, 0) == (x == 0 ? .5f : 1.f));
    CHECK(padded(3, x, 0) == 0);
  }
  const Image cropped = data::fit_square(wide, 2, data::Fit::crop);
  for (float value : cropped) CHECK(value == 1);
  const Image stretched = data::fit_square(wide, 2, data::Fit::stretch);
  CHECK(stretched(0, 0, 0) < 1);
  CHECK(stretched(0, 1, 0) == doctest::Approx(1));
  Mask tall = empty_mask(4, 2);
  tall(0, 1) = 1;
  const Mask fitted = data::fit_square(tall, 4, data::Fit::pad);
  CHECK(area(fitted) == 1);
  CHECK(fitted(0, 2) == 1);
}

TEST_CASE("crop") {
  const Image image = random_image(5, 6, 3, 2);
  const Image part = data::crop(image, 1, 2, 3, 4);
  CHECK(part(0, 0, 0) == image(1, 2, 0));
  CHECK(part(2, 3, 2) == image(3, 5, 2));
  CHECK(holds(support::message<ShapeError>([&] { (void)data::crop(image, 3, 0, 3, 4); }),
              "3 x 4 at (3, 0) of a picture of 5 x 6"));
}

TEST_CASE("changes of place: the mask goes with the image") {
  // A square in the picture and the same square as mask: whatever happens, they must still cover each other.
  for (Index trial = 0; trial < 20; ++trial) {
    Image image(Image::shape_type{40, 40, 1}, 0.f);
    std::optional<Mask> mask = empty_mask(40, 40);
    for (std::size_t y = 12; y < 22; ++y)
      for (std::size_t x = 20; x < 27; ++x) image(y, x, 0) = (*mask)(y, x) = 1;
    Random random(Seed{3}, trial);
    data::Augment{.flip = true, .rotate_degrees = 20, .shift = .1f, .scale = .2f}.apply(image, mask, random);
    CHECK(area(*mask) > 40);
    for (std::size_t i = 0; i < mask->size(); ++i) CHECK((image.data()[i] >= .5f - 1e-5f) == (mask->data()[i] == 1));
  }
}

TEST_CASE("the geometry by hand") {
  Image image = random_image(5, 5, 1, 4);
  const auto warped = [&](const data::detail::Similarity& map) {
    return data::detail::warp(image.data(), 5, 5, 1, map, false);
  };
  const auto same = warped({});
  for (std::size_t i = 0; i < 25; ++i) CHECK(same[i] == doctest::Approx(image.data()[i]));
  const auto quarter = warped({0, 1, 0, 0});  // 90 degrees: output (y, x) is source (row 4 - x, column y)
  const auto moved = warped({1, 0, -1, 0});   // one pixel to the right
  for (std::size_t y = 0; y < 5; ++y)
    for (std::size_t x = 0; x < 5; ++x) {
      CHECK(quarter[y * 5 + x] == doctest::Approx(image(4 - x, y, 0)));
      CHECK(moved[y * 5 + x] == doctest::Approx(x == 0 ? 0 : image(y, x - 1, 0)));
    }
  Image mirrored = image;
  data::flip(mirrored);
  CHECK(mirrored(2, 0, 0) == image(2, 4, 0));
  data::flip(mirrored);
  CHECK(mirrored == image);
}

TEST_CASE("changes of value: ranges, keys and independence") {
  const Image image = random_image(16, 16, 1, 5);
  std::optional<Mask> none;
  const auto changed = [&](const data::Augment& augment, std::uint64_t seed) {
    Image copy = image;
    Random random(Seed{seed});
    augment.apply(copy, none, random);
    return copy;
  };
  CHECK(changed({}, 1) == image);
  const data::Augment all{.brightness = .2f, .contrast = .3f, .gamma = .3f, .noise = .1f};
  CHECK(changed(all, 1) == changed(all, 1));
  CHECK_FALSE(changed(all, 1) == changed(all, 2));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (float value : changed(all, seed)) CHECK((value >= 0 && value <= 1));
    // Brightness alone adds the same number everywhere (where nothing is cut off), at most .2.
    const Image lit = changed({.brightness = .2f}, seed);
    float step = 0;
    for (std::size_t i = 0; i < image.size(); ++i)
      if (image.data()[i] > .25f && image.data()[i] < .75f) {
        if (step == 0) step = lit.data()[i] - image.data()[i];
        CHECK(lit.data()[i] - image.data()[i] == doctest::Approx(step).epsilon(1e-3));
      }
    CHECK(std::abs(step) <= .2f);
    CHECK(std::abs(step) > 0);
    // Gamma alone: log(new) / log(old) is one power between 1/1.3 and 1.3.
    const Image powered = changed({.gamma = .3f}, seed);
    const float power = std::log(powered(3, 3, 0)) / std::log(image(3, 3, 0));
    CHECK(power > 1 / 1.3001f);
    CHECK(power < 1.3001f);
    CHECK(std::log(powered(7, 1, 0)) / std::log(image(7, 1, 0)) == doctest::Approx(power).epsilon(1e-3));
    // Contrast alone keeps the mean, and the draw of brightness does not depend on whether flip is on.
    Image flipped_lit = changed({.flip = true, .brightness = .2f}, seed);
    if (std::abs(flipped_lit(0, 0, 0) - lit(0, 0, 0)) > 1e-6f) data::flip(flipped_lit);
    CHECK(flipped_lit == lit);
  }
  Image grey(Image::shape_type{64, 64, 1}, .5f);
  std::optional<Mask> nothing;
  Random random(Seed{8});
  data::Augment{.noise = .1f}.apply(grey, nothing, random);
  double mean = 0, square = 0;
  for (float value : grey) {
    mean += value / 4096.;
    square += (value - .5) * (value - .5) / 4096.;
  }
  CHECK(mean == doctest::Approx(.5).epsilon(.01));
  CHECK(std::sqrt(square) < .105);
  CHECK(std::sqrt(square) > .0005);
  CHECK(holds(support::message<OptionError>([] { data::Augment{.shift = 2}.check(); }), "shift must be 0 to 1, got 2"));
  CHECK_THROWS_AS(data::Augment{.noise = NAN}.check(), OptionError);
}
