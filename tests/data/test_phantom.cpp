// The phantoms: deterministic, honest masks, no way to tell the classes by brightness. And the contact sheet.
#include <cmath>
#include <set>

#include "../io/support.hpp"
#include "limn/core/parallel.hpp"
#include "limn/data/contact_sheet.hpp"
#include "limn/data/phantom/phantom.hpp"
#include "limn/data/split.hpp"

using namespace limn;
using support::holds;

namespace {
double mean(const data::Image& image) {
  double sum = 0;
  for (float value : image) sum += static_cast<double>(value);
  return sum / static_cast<double>(image.size());
}
/// The chance that a picture with an opacity is brighter than one without (the area under the ROC curve of the mean).
double brightness_auc(const data::Dataset& set) {
  double wins = 0, pairs = 0;
  for (Index i = 0; i < set.size(); ++i)
    for (Index j = 0; j < set.size(); ++j) {
      if (set[i].label != 1 || set[j].label != 0) continue;
      pairs += 1;
      wins += mean(set[i].image) > mean(set[j].image) ? 1 : 0;
    }
  return wins / pairs;
}
}  // namespace

TEST_CASE("phantoms are the same for a seed, whatever the number of threads and of samples") {
  set_threads(1);
  const auto one = data::phantoms({.count = 30, .size = 32, .seed = 4});
  set_threads(2);
  const auto two = data::phantoms({.count = 30, .size = 32, .seed = 4});
  set_threads(0);
  const auto other = data::phantoms({.count = 30, .size = 32, .seed = 5});
  Index different = 0;
  for (Index i = 0; i < one.size(); ++i) {
    CHECK(one[i].image == two[i].image);
    CHECK(*one[i].mask == *two[i].mask);
    CHECK(one[i].label == two[i].label);
    different += one[i].image == other[i].image ? 0 : 1;
  }
  CHECK(different == 30);
}

TEST_CASE("labels, masks and groups") {
  const auto set = data::phantoms({.count = 400, .size = 64});
  CHECK(set.counts() == std::vector<Index>{200, 200});
  CHECK(set.class_names() == std::vector<std::string>{"clear", "opacity"});
  CHECK(set.mask_fraction() > .03);
  CHECK(set.mask_fraction() < .08);
  std::set<std::string> groups;
  double contrast = 0;
  for (Index i = 0; i < set.size(); ++i) {
    REQUIRE(set[i].mask);
    const bool any = std::find(set[i].mask->begin(), set[i].mask->end(), 1.f) != set[i].mask->end();
    CHECK(any == (set[i].label == 1));
    CHECK(std::all_of(set[i].image.begin(), set[i].image.end(), [](float value) { return value >= 0 && value <= 1; }));
    groups.insert(set[i].group);
  }
  CHECK(groups.size() > 150);  // two pictures a patient on average
  CHECK(groups.size() < 250);
  data::check_split(set.split({.seed = 1}));

  // What the mask says is what was painted: the same patient on the same film without the disease differs there.
  const data::PhantomOptions options{.count = 1, .size = 64};
  for (Index i = 0; i < 20; ++i) {
    const auto with = data::phantom::draw(options, i, i, true), without = data::phantom::draw(options, i, i, false);
    double inside = 0, outside = 0, area = 0;
    for (std::size_t k = 0; k < with.mask->size(); ++k) {
      const double difference = static_cast<double>(with.image.data()[k] - without.image.data()[k]);
      const double on = static_cast<double>(with.mask->data()[k]);
      area += on;
      inside += on * difference;
      outside += (1 - on) * std::abs(difference);
    }
    inside /= area;
    outside /= static_cast<double>(with.mask->size()) - area;
    CHECK(inside > 8 * outside);
    contrast += inside / 20;
  }
  CHECK(contrast > .1);
  CHECK(contrast < .35);
}

TEST_CASE("mean brightness does not give the class away") {
  const double auc = brightness_auc(data::phantoms({.count = 400, .size = 32}));
  CHECK(auc > .45);
  CHECK(auc < .65);
}

TEST_CASE("a planted shortcut: a marker that gives the class away, says nothing, or is not there") {
  const data::PhantomOptions plain{.count = 200, .size = 32};
  const auto with = [&](std::optional<float> marker) {
    data::PhantomOptions options = plain;
    options.marker = marker;
    return data::phantoms(options);
  };
  const auto none = with({}), tells = with(1), random = with(.5f), mostly = with(.9f);
  const auto corner = [](const data::Sample& a, const data::Sample& b) {  // where two pictures differ
    Index inside = 0, outside = 0;
    for (std::size_t y = 0; y < 32; ++y)
      for (std::size_t x = 0; x < 32; ++x)
        if (a.image(y, x, 0) != b.image(y, x, 0)) ++(y >= 26 && x < 6 ? inside : outside);
    CHECK(outside == 0);
    return inside > 3;
  };
  Index honest_random = 0, honest_mostly = 0;
  for (Index i = 0; i < 200; ++i) {
    CHECK(tells[i].label == none[i].label);
    CHECK(*tells[i].mask == *none[i].mask);
    CHECK(corner(tells[i], none[i]) == (none[i].label == 1));
    honest_random += corner(random[i], none[i]) == (none[i].label == 1);
    honest_mostly += corner(mostly[i], none[i]) == (none[i].label == 1);
  }
  CHECK(std::abs(honest_random - 100) < 22);  // 3 standard deviations
  CHECK(std::abs(honest_mostly - 180) < 13);
}

TEST_CASE("options of phantoms") {
  const auto colour = data::phantoms({.count = 4, .size = 16, .positive = .25f, .channels = 3});
  CHECK(colour.counts() == std::vector<Index>{3, 1});
  CHECK(colour.channels() == 3);
  CHECK(colour[2].image(7, 7, 0) == colour[2].image(7, 7, 2));
  const auto refused = [](const data::PhantomOptions& options) {
    return support::message<OptionError>([&] { (void)data::phantoms(options); });
  };
  CHECK(holds(refused({.count = 0}), "count must be 1"));
  CHECK(holds(refused({.size = 8}), "size must be 16 to 4096, got 8"));
  CHECK(holds(refused({.positive = 1.5f}), "positive must be 0 to 1, got 1.5"));
  CHECK(holds(refused({.marker = 1.5f}), "marker must be 0 to 1, got 1.5"));
  CHECK(holds(refused({.channels = 2}), "channels must be 1 or 3, got 2"));
}

TEST_CASE("a contact sheet") {
  std::vector<data::Sample> samples;
  for (int i = 0; i < 3; ++i)
    samples.push_back(
        {text("s", i), "", 0, data::Image(data::Image::shape_type{4, 4, 1}, .2f * static_cast<float>(i)), {}});
  samples[1].mask = data::Mask(data::Mask::shape_type{4, 4}, 0.f);
  for (std::size_t y : {1, 2})
    for (std::size_t x : {1, 2}) (*samples[1].mask)(y, x) = 1;
  const data::Dataset set(samples, {"x"});
  const auto sheet = data::contact_sheet(set, {.columns = 2, .rows = 9, .zoom = 2, .outline = true});
  CHECK(sheet.shape()[0] == 18);  // two rows of 8 and a gap of 2
  CHECK(sheet.shape()[1] == 18);
  CHECK(sheet(0, 0, 0) == 0);
  CHECK(sheet(0, 9, 0) == 255);  // the gap
  CHECK(sheet(0, 10, 1) == 51);
  CHECK(sheet(2, 12, 0) == 255);  // the outline is yellow, one zoomed pixel wide
  CHECK(sheet(2, 12, 2) == 0);
  CHECK(sheet(3, 13, 0) == 51);  // inside it
  CHECK(sheet(10, 0, 0) == 102);
  CHECK(sheet(10, 10, 0) == 255);  // an empty place
  CHECK(data::contact_sheet(set, {.columns = 2, .zoom = 2})(2, 12, 2) == 51);
  CHECK_THROWS_AS((void)data::contact_sheet(data::Dataset{}), OptionError);
}
