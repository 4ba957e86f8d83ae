// SLIC against hand-made pictures and scikit-image.
#include "limn/metrics/superpixels.hpp"

#include <doctest/doctest.h>

#include "../nn/helpers.hpp"
#include "recorded/recorded_superpixels.hpp"

using namespace limn;
using metrics::superpixels, metrics::Units;
using Counts = std::vector<Index>;

namespace {

xt::xtensor<float, 3> picture(std::size_t h, std::size_t w, std::size_t c, const std::vector<float>& values) {
  xt::xtensor<float, 3> out(std::array<std::size_t, 3>{h, w, c});
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

/// The share of the pixels in another unit than recorded.
double differing(const Units& units, const Counts& recorded) {
  REQUIRE(units.of.size() == recorded.size());
  double out = 0;
  for (std::size_t i = 0; i < recorded.size(); ++i) out += units.of[i] != recorded[i];
  return out / static_cast<double>(recorded.size());
}

}  // namespace

TEST_CASE("superpixels of a flat picture are the grid; colour draws their border") {
  const Units flat = superpixels(picture(6, 6, 1, std::vector<float>(36, .5f)), 4);
  CHECK(flat.count == 4);
  CHECK(flat.of == metrics::patches(6, 6, 3).of);
  std::vector<float> halves;  // a bright column at the left, nothing else
  for (int i = 0; i < 8 * 8; ++i) halves.push_back(i % 8 < 3 ? 1.f : 0.f);
  const Units two = superpixels(picture(8, 8, 1, halves), 4, .05);
  for (std::size_t i = 0; i < 64; ++i)
    for (std::size_t k = 0; k < 64; ++k)
      if (halves[i] != halves[k]) REQUIRE(two.of[i] != two.of[k]);
}

TEST_CASE("parts that do not hang together are units of their own, small ones go to their neighbours") {
  const Counts label{0, 1, 0,  //
                     0, 1, 0,  //
                     0, 1, 2};
  CHECK(metrics::detail::connected_units(label, 3, 3, 1, 9).of == Counts{0, 1, 2, 0, 1, 2, 0, 1, 3});
  CHECK(metrics::detail::connected_units(label, 3, 3, 2, 9).of == Counts{0, 1, 2, 0, 1, 2, 0, 1, 2});
  CHECK(metrics::detail::connected_units(label, 3, 3, 1, 2).of == Counts{0, 1, 2, 0, 1, 2, 3, 4, 5});
}

TEST_CASE("superpixels are scikit-image's") {
  CHECK(differing(superpixels(picture(32, 40, 1, testing::blobs_image)), testing::blobs_units) == 0);
  CHECK(differing(superpixels(picture(32, 40, 1, testing::bright_blobs_image), 25, .1), testing::bright_blobs_units) ==
        0);
  CHECK(differing(superpixels(picture(32, 40, 3, testing::colours_image), 12, .3), testing::colours_units) == 0);
}

TEST_CASE("superpixels that cannot be are refused") {
  CHECK(testing::message_of([] {
          (void)superpixels(picture(2, 2, 1, {0, 0, 0, 1}), 5);
        }) == "superpixels: 5 of 4 pixels, compactness 1: expected 1 to all, and above 0");
}
