// Scores picture by picture, on a net and an explainer whose answers are known.
#include "limn/evaluate/pictures.hpp"

#include <doctest/doctest.h>

#include "../io/support.hpp"
#include "bright.hpp"
#include "itself.hpp"
#include "limn/evaluate/side_by_side.hpp"
#include "limn/evaluate/study_values.hpp"

using namespace limn;
using doctest::Approx;
using testing::Bright, testing::Itself, testing::pictures;

namespace {
/// The same maps, whose values have no scale.
struct ItselfRelative : Itself {
  static constexpr bool probability = false;
};
/// Its map is the number of the class.
struct OfClass : Itself {
  template <class Net, Backend B>
  std::vector<explain::Explanation> operator()(const Net&, const Tensor<B>&, std::span<const Index> classes) const {
    return {{.map = data::Mask(data::Mask::shape_type{1, 1}, static_cast<float>(classes[0]))}};
  }
};

}  // namespace

TEST_CASE("every picture is scored, right or wrong; what cannot be measured is NaN") {
  const auto scores = score_pictures(Bright{}, pictures(), Itself{});
  REQUIRE(scores.size() == 7);
  const PictureScores &hit = scores[0], &missed = scores[2], &no_mask = scores[3], &empty = scores[4],
                      &alarm = scores[6];
  CHECK(hit.id == "hit");
  CHECK(hit.correct == 1);
  CHECK(hit.top_precision == 1);                  // the two highest of four are the two that are marked
  CHECK(hit.all_precision == Approx(1.6 / 2.1));  // less the smallest: .8 .8 .5 0
  CHECK(hit.coverage == 1);
  CHECK(hit.iou == 0);  // nothing is above mean + deviation
  CHECK(hit.mask_area == .5);
  // .9 .9 / .6 .1 with .9 .9 marked.
  CHECK(hit.rma == Approx(1.8 / 2.5));
  CHECK(hit.rra == 1);
  CHECK(hit.pointing == 1);
  CHECK(hit.iou_threshold == Approx(2. / 3));
  CHECK(hit.iou_top_k == 1);
  CHECK(std::isnan(hit.iou_learned));
  CHECK(hit.captured == 0);
  CHECK(hit.captured_threshold == 1);
  CHECK(hit.truncated_iou == 0);
  CHECK(hit.truncated_iou_threshold == .5);  // one of two is wanted, the other left out; .6 is outside
  CHECK(missed.label == 1);
  CHECK(missed.predicted == 0);
  CHECK(missed.correct == 0);  // and yet its map is scored
  CHECK(missed.top_precision == .5);
  CHECK(missed.all_precision == 1);
  CHECK(missed.iou == 1);
  CHECK(no_mask.correct == 1);
  for (const PictureScores* p : {&no_mask, &empty, &alarm}) CHECK(std::isnan(p->all_precision));
  CHECK(std::isnan(empty.mask_area));
  CHECK(alarm.mask_area == .25);  // marked, but the map is the same everywhere

  const StudyValues values = study_values(scores);
  const auto value = [&](const char* name) {
    return StudyRun{.settings = {}, .values = values, .folder = {}}.value(name);
  };
  CHECK(value("mask_area") == Approx((.5 + .5 + .25 + .25 + .25) / 5));
  CHECK(value("dead_maps") == 1);

  const support::Folder folder("pictures");
  save_pictures(folder.path / "p.csv", scores);
  const auto again = load_pictures(folder.path / "p.csv");
  REQUIRE(again.size() == 7);
  CHECK(again[2].id == "missed");
  CHECK(again[2].predicted == 0);
  CHECK(again[0].all_precision == hit.all_precision);
  CHECK(std::isnan(again[3].all_precision));
}

TEST_CASE("a learned threshold, from correctly predicted pictures of a class") {
  // hit: inside 1 1, outside 2/3 1/9; exact (.2 1 .9 .4): inside 1 .9, outside .2 .4. Means .975 and .3444: .6597.
  const auto learned = learn_threshold(Bright{}, pictures(), Itself{}, 1);
  REQUIRE(learned.has_value());
  CHECK(learned->threshold() == Approx((.975 + (2. / 3 + 1. / 9 + .6) / 4) / 2));
  const auto scores = score_pictures(Bright{}, pictures(), Itself{}, {.learned = learned});
  CHECK(scores[0].iou_learned == Approx(2. / 3));  // .6 / .9 is above
  CHECK(scores[1].iou_learned == 1);
  CHECK(scores[0].captured_threshold == 1);  // a probability keeps its own threshold
  CHECK_FALSE(learn_threshold(Bright{}, pictures().subset({3, 4}), Itself{}).has_value());
  const auto relative = score_pictures(Bright{}, pictures(), ItselfRelative{}, {.learned = learned});
  CHECK(relative[2].iou_threshold == 1);  // .6 is more than half of .6, .1 is not
  CHECK(relative[0].truncated_iou_threshold == .5);
  CHECK(std::isnan(score_pictures(Bright{}, pictures(), ItselfRelative{})[0].captured_threshold));
}

TEST_CASE("scores as values of a run") {
  const StudyValues values = study_values(evaluate(Bright{}, pictures(), metrics::Classification{}).classification);
  REQUIRE(values.size() == 9);
  CHECK(values[0] == std::pair<std::string, double>{"accuracy", 5. / 7});
  CHECK(values[4].first == "auc_low");
  CHECK(values[4].second < values[3].second);
  CHECK(values[8].first == "f1_high");
}

TEST_CASE("pictures side by side: some of each class, a map for every network") {
  const data::Dataset set = pictures();
  CHECK(some_of_each(set, 2) == std::vector<Index>{0, 1, 4, 5});
  report::Gallery gallery = pictures_of(set, {2, 6});
  add_maps(gallery, "bright", Bright{}, Itself{}, set.class_names(), 1);
  add_maps(gallery, "again", Bright{}, Itself{}, set.class_names(), 1);
  REQUIRE(gallery.pictures.size() == 2);
  const report::Picture& missed = gallery.pictures[0];
  CHECK(missed.id == "missed");
  CHECK(missed.truth == "yes");
  CHECK(missed.predicted.empty());
  REQUIRE(missed.maps.size() == 2);
  CHECK(missed.maps[0].name == "bright: no 90%");  // sigmoid(8 (.5 - .225)) = .900
  CHECK(missed.maps[1].name == "again: no 90%");
  CHECK(missed.maps[0].probability);
  CHECK(missed.maps[0].map == data::Mask{{.1f, .1f}, {.6f, .1f}});
  CHECK(gallery.pictures[1].maps[0].name == "bright: yes 96%");

  // The class of the map: the one that is asked for, or the one that is there.
  gallery = pictures_of(set, {2, 4});  // "yes" and "no"
  add_maps(gallery, "asked", Bright{}, OfClass{}, set.class_names(), 1);
  add_maps(gallery, "there", Bright{}, OfClass{}, set.class_names(), -1);
  CHECK(gallery.pictures[0].maps[1].map(0, 0) == 1);
  CHECK(gallery.pictures[1].maps[0].map(0, 0) == 1);
  CHECK(gallery.pictures[1].maps[1].map(0, 0) == 0);
}

TEST_CASE("a map over each picture of a set, in its order") {
  const data::Dataset set = pictures();
  const std::vector<explain::Map> maps = maps_over(Bright{}, set, Itself{});
  REQUIRE(static_cast<Index>(maps.size()) == set.size());
  CHECK(maps[2] == data::Mask{{.1f, .1f}, {.6f, .1f}});
}
