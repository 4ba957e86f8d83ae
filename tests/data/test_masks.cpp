// Masks by a rule: Otsu's threshold against all cuts, which side is the object, what stays of the samples.
#include "limn/data/masks.hpp"

#include "../io/support.hpp"
#include "limn/data/phantom/phantom.hpp"

using namespace limn;
using support::message;

namespace {

/// The variance between the two groups that a cut makes, in loops.
double between(const std::vector<float>& values, float cut) {
  double below = 0, above = 0, sum_below = 0, sum_above = 0;
  for (const float v : values) {
    (v < cut ? below : above) += 1;
    (v < cut ? sum_below : sum_above) += static_cast<double>(v);
  }
  if (below == 0 || above == 0) return 0;
  const double gap = sum_below / below - sum_above / above;
  return below * above * gap * gap;
}

/// A bright square on dark ground; `turned`: dark on bright.
data::Image square(bool turned, std::size_t channels = 1) {
  data::Image out(data::Image::shape_type{10, 12, channels}, turned ? .8f : .1f);
  for (std::size_t y = 3; y < 7; ++y)
    for (std::size_t x = 4; x < 9; ++x)
      for (std::size_t c = 0; c < channels; ++c) out(y, x, c) = turned ? .2f : .9f;
  return out;
}

}  // namespace

TEST_CASE("no cut between bins is better than Otsu's") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Random random(Seed{seed});
    std::vector<float> values;
    for (int i = 0; i < 400; ++i)
      values.push_back(static_cast<float>(random.chance(.3) ? 2 + .3 * random.normal() : .5 * random.normal()));
    const float found = data::otsu_threshold(values);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    double best = 0;
    for (int k = 1; k < 256; ++k)
      best = std::max(best, between(values, *low + static_cast<float>(k) * (*high - *low) / 256));
    CHECK(between(values, found) == doctest::Approx(best).epsilon(1e-3));
    CHECK(found > .5);
    CHECK(found < 1.6);
  }
  CHECK(data::otsu_threshold(std::vector<float>{3, 3, 3}) == 3);
  CHECK(data::otsu_threshold(std::vector<float>{0, 1}) == doctest::Approx(1. / 256));
  CHECK(message<OptionError>([] { (void)data::otsu_threshold({}); }) == "otsu_threshold: no values");
}

TEST_CASE("what does not lie on the border is the object, bright or dark") {
  for (const bool turned : {false, true})
    for (const std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
      const data::Mask mask = data::grey_mask(square(turned, channels));
      for (std::size_t y = 0; y < 10; ++y)
        for (std::size_t x = 0; x < 12; ++x) CHECK(mask(y, x) == (y >= 3 && y < 7 && x >= 4 && x < 9 ? 1.f : 0.f));
    }
  const data::Mask nothing = data::grey_mask(data::Image(data::Image::shape_type{4, 4, 1}, .3f));
  CHECK(std::all_of(nothing.begin(), nothing.end(), [](float v) { return v == 0; }));
}

TEST_CASE("every sample gets its mask, and stays what it is") {
  const auto plain = data::phantoms({.count = 12, .size = 16});
  const auto set =
      plain.with_domains(std::vector<std::string>{"a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "a", "b"});
  const auto masked = data::with_masks(set, data::grey_mask);
  REQUIRE(masked.size() == 12);
  for (Index i = 0; i < 12; ++i) {
    CHECK(masked[i].mask == data::grey_mask(set[i].image));
    CHECK(masked[i].id == set[i].id);
    CHECK(masked[i].group == set[i].group);
    CHECK(masked[i].label == set[i].label);
    CHECK(masked.domain(i) == set.domain(i));
  }
  CHECK(data::with_masks(plain, data::grey_mask).domain_names().empty());
  CHECK(message<ShapeError>([&] {
          (void)data::with_masks(plain, [](const data::Image&) { return data::Mask(data::Mask::shape_type{3, 3}); });
        }).find("its mask is not of the size of its image") != std::string::npos);
}
