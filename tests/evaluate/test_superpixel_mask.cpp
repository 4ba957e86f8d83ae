// Masks made of superpixels: the object on its ground, whatever the colours.
#include "limn/evaluate/superpixel_mask.hpp"

#include <doctest/doctest.h>

using namespace limn;

TEST_CASE("superpixels that look unlike the border are marked") {
  for (const bool turned : {false, true}) {
    data::Image image(data::Image::shape_type{40, 40, 3}, .5f);
    data::Mask expected(data::Mask::shape_type{40, 40}, 0.f);
    for (std::size_t y = 8; y < 24; ++y)
      for (std::size_t x = 16; x < 32; ++x) {
        expected(y, x) = 1;
        image(y, x, 0) = turned ? .9f : .1f;  // as bright as its ground, where colours are added up
        image(y, x, 1) = turned ? .1f : .9f;
      }
    const data::Mask mask = SuperpixelMask{.compactness = .1}(image);
    double both = 0, any = 0;
    for (std::size_t i = 0; i < mask.size(); ++i) {
      both += mask.data()[i] > 0 && expected.data()[i] > 0;
      any += mask.data()[i] > 0 || expected.data()[i] > 0;
    }
    CHECK(both / any > .9);
  }
  const data::Mask nothing = SuperpixelMask{}(data::Image(data::Image::shape_type{20, 20, 1}, .3f));
  for (const float v : nothing) CHECK(v == 0);
  CHECK_THROWS_AS((SuperpixelMask{.count = 0}(data::Image(data::Image::shape_type{8, 8, 1}, .3f))), OptionError);
}
