// Noisy annotations: the geometry by hand, how often and how far, and keys.
#include "limn/data/annotation_noise.hpp"

#include <cmath>

#include "../io/support.hpp"
#include "limn/data/phantom/phantom.hpp"

using namespace limn;
using data::AnnotationNoise;
using data::Mask;
using support::holds;

namespace {
double area(const Mask& mask) {
  double total = 0;
  for (const float v : mask) total += static_cast<double>(v);
  return total;
}
}  // namespace

TEST_CASE("growing, shrinking and moving by hand") {
  const Mask dot{{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}};
  const Mask plus{{0, 0, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 1, 1, 1, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 0, 0}};
  CHECK(data::dilate(dot, 0) == dot);
  CHECK(data::dilate(dot, 1) == plus);
  CHECK(area(data::dilate(dot, 2)) == 13);  // a disc of radius 2
  CHECK(data::erode(plus, 1) == dot);
  CHECK(data::erode(dot, 0) == dot);
  CHECK(area(data::erode(dot, 1)) == 0);
  const Mask all(dot.shape(), 1.f);
  CHECK(data::erode(all, 2) == all);  // the border of the picture is no border of the mask
  CHECK(data::moved(plus, 1, -2) ==
        Mask{{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, {1, 0, 0, 0, 0}});
  CHECK(area(data::moved(plus, 5, 0)) == 0);
  CHECK(area(data::moved(plus, 0, -9)) == 0);
}

TEST_CASE("noise: the same for a key, independent of the other noises, and in its limits") {
  const auto set = data::phantoms({.count = 300, .size = 32});
  CHECK(data::noisy(set, {})[7].mask == set[7].mask);
  const AnnotationNoise all{.jitter = .1f, .dilate = .1f, .erode = .05f, .dropout = .3f, .label = .2f};
  const auto one = data::noisy(set, all, Seed{3}), two = data::noisy(set, all, Seed{3}),
             other = data::noisy(set, all, Seed{4}), later = data::noisy(set, all, Seed{3}, 1);
  const auto labels = data::noisy(set, {.label = .2f}, Seed{3}), lost = data::noisy(set, {.dropout = .3f}, Seed{3});
  const auto larger = data::noisy(set, {.dilate = .1f}, Seed{3}), smaller = data::noisy(set, {.erode = .1f}, Seed{3});
  const auto elsewhere = data::noisy(set, {.jitter = .1f}, Seed{3});
  Index wrong = 0, gone = 0, differ = 0, differ_later = 0, moved = 0;
  for (Index i = 0; i < set.size(); ++i) {
    CHECK(one[i].image == set[i].image);
    CHECK(one[i].group == set[i].group);
    CHECK(one[i].mask == two[i].mask);
    CHECK(one[i].label == two[i].label);
    CHECK(one[i].label == labels[i].label);
    CHECK(one[i].mask.has_value() == lost[i].mask.has_value());
    if (lost[i].mask) CHECK(*lost[i].mask == *set[i].mask);
    differ += one[i].mask != other[i].mask || one[i].label != other[i].label;
    differ_later += one[i].mask != later[i].mask || one[i].label != later[i].label;
    wrong += one[i].label != set[i].label;
    gone += !one[i].mask.has_value();
    if (area(*set[i].mask) == 0) continue;
    CHECK(area(*larger[i].mask) >= area(*set[i].mask));
    CHECK(area(*smaller[i].mask) <= area(*set[i].mask));
    CHECK(area(*smaller[i].mask) > 0);
    CHECK(area(*elsewhere[i].mask) > 0);
    moved += *elsewhere[i].mask != *set[i].mask;
  }
  CHECK(std::abs(static_cast<double>(wrong) / 300 - .2) < .07);  // 3 standard deviations
  CHECK(std::abs(static_cast<double>(gone) / 300 - .3) < .08);
  CHECK(differ > 150);
  CHECK(differ_later > 150);
  CHECK(moved > 120);
}

TEST_CASE("noise out of range is refused") {
  CHECK(holds(support::message<OptionError>([] { AnnotationNoise{.dropout = 1.5f}.check(); }),
              "annotation noise: dropout must be 0 to 1, got 1.5"));
  CHECK_THROWS_AS(AnnotationNoise{.jitter = NAN}.check(), OptionError);
}
