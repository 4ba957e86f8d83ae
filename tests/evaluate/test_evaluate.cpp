// evaluate() on a net made by hand, whose answers and maps are known.
#include <doctest/doctest.h>

#include "bright.hpp"
#include "itself.hpp"
#include "limn/evaluate/evaluate.hpp"

using namespace limn;
using testing::Bright, testing::Itself, testing::message_of, testing::pictures, testing::sample;

namespace {

/// Has a map for class 1 only.
struct OnlyOne : Itself {
  template <class Net, Backend B>
  std::vector<explain::Explanation> operator()(const Net& net, const Tensor<B>& images,
                                               std::span<const Index> classes) const {
    auto out = Itself::operator()(net, images, classes);
    for (std::size_t i = 0; i < out.size(); ++i)
      if (classes[i] == 0) out[i] = {};
    return out;
  }
};

}  // namespace

TEST_CASE("classification: the scores of the answers") {
  const auto scores = evaluate(Bright{}, pictures(), metrics::Classification{});
  // Right: hit, exact, no mask, empty mask, healthy: 5 of 7. Sensitivity 3 of 4, specificity 2 of 3.
  CHECK(scores.classification.accuracy == doctest::Approx(5. / 7));
  CHECK(scores.classification.sensitivity == doctest::Approx(3. / 4));
  CHECK(scores.classification.specificity == doctest::Approx(2. / 3));
  CHECK(scores.classification.class_names == std::vector<std::string>{"no", "yes"});
  CHECK(scores.localisation.empty());
  // AUC: of 12 pairs, by means .625 .625 .225 .9 against .1 .3 .9: hit 2, exact 2, missed 1, no mask 2.5: 7.5 / 12.
  CHECK(scores.classification.auc == doctest::Approx(7.5 / 12));
}

TEST_CASE("localisation leaves out wrong answers, missing and empty masks, and classes without a map") {
  const auto scores =
      evaluate(Bright{}, pictures(), metrics::Classification{}, metrics::Localisation{Itself{}, OnlyOne{}});
  REQUIRE(scores.localisation.size() == 2);
  const auto &all = scores.localisation[0], &one = scores.localisation[1];
  CHECK(all.explainer == "itself");
  CHECK(all.images == 3);
  CHECK(all.iou_threshold == doctest::Approx((2. / 3 + 1 + 0) / 3));
  CHECK(all.rma == doctest::Approx((1.8 / 2.5 + 1.9 / 2.5 + 0.1 / 1.2) / 3));
  CHECK(all.mask_area == doctest::Approx((.5 + .5 + .25) / 3));
  CHECK(one.images == 2);
  CHECK(one.iou_threshold == doctest::Approx((2. / 3 + 1) / 2));
  CHECK(std::isnan(one.iou_learned));
  CHECK(scores.classification.accuracy == doctest::Approx(5. / 7));
}

TEST_CASE("pictures of one class alone can be compared") {
  const auto scores = evaluate(Bright{}, pictures(), metrics::Localisation{Itself{}, OnlyOne{}}.of_class(1));
  const auto &all = scores.localisation.at(0), &one = scores.localisation.at(1);
  CHECK(all.images == 2);
  CHECK(all.iou_threshold == doctest::Approx((2. / 3 + 1) / 2));
  CHECK(all.iou_threshold == one.iou_threshold);
  CHECK(evaluate(Bright{}, pictures(), metrics::Localisation{Itself{}}.of_class(0)).localisation.at(0).images == 1);
  CHECK(message_of([] { (void)evaluate(Bright{}, pictures(), metrics::Localisation{Itself{}}.of_class(2)); }) ==
        "localisation: of_class 2, expected 0 to 1");
}

TEST_CASE("the learned threshold is learned on the pictures that are given") {
  const auto scores = evaluate(Bright{}, pictures(), metrics::Localisation{OnlyOne{}}.learning_from(pictures()));
  CHECK(std::isfinite(scores.localisation.at(0).iou_learned));
}

TEST_CASE("more pictures than a pass takes are all counted") {
  std::vector<data::Sample> many;
  for (int i = 0; i < 70; ++i) {
    const float bright = static_cast<float>(i < 60 ? i % 2 : 1 - i % 2);  // the last ten are answered wrongly
    many.push_back(sample(std::to_string(i), i % 2, {bright, .5f, .5f, .5f}, "1111"));
  }
  const auto scores =
      evaluate(Bright{}, {many, {"no", "yes"}}, metrics::Classification{}, metrics::Localisation{Itself{}});
  CHECK(scores.classification.accuracy == doctest::Approx(60. / 70));
  CHECK(scores.localisation.at(0).images == 60);
}

TEST_CASE("nothing to evaluate is refused") {
  CHECK(message_of([] { (void)evaluate(Bright{}, data::Dataset{}, metrics::Classification{}); }) ==
        "evaluate: the data set is empty");
}
