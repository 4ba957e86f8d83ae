// Classification scores against scikit-learn and scipy (oracle.py), by hand where those are silent, and bad input.
#include <doctest/doctest.h>

#include <cmath>

#include "limn/metrics/classification.hpp"
#include "recorded/oracle.hpp"

using namespace limn;
using metrics::classification;

namespace {

using Table = xt::xtensor<float, 2>;

Table two_classes(const std::vector<float>& positive) {
  Table t(std::array<std::size_t, 2>{positive.size(), 2});
  for (std::size_t i = 0; i < positive.size(); ++i) {
    t(i, 0) = 1 - positive[i];
    t(i, 1) = positive[i];
  }
  return t;
}

bool mentions(const std::vector<std::string>& list, const std::string& part) {
  for (const std::string& s : list)
    if (s.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("two classes: every score as scikit-learn, scipy and the pairwise definition give it") {
  const auto s = classification(two_classes(oracle::binary_probability), oracle::binary_labels);
  const std::vector<double> got{s.accuracy,
                                s.balanced_accuracy,
                                s.sensitivity,
                                s.specificity,
                                s.precision,
                                s.f1,
                                s.auc,
                                s.auc_interval[0],
                                s.auc_interval[1],
                                s.calibration_error,
                                s.accuracy_interval[0],
                                s.accuracy_interval[1]};
  REQUIRE(got.size() == oracle::binary_scores.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i] == doctest::Approx(oracle::binary_scores[i]).epsilon(1e-9));
  }
  for (std::size_t i = 0; i < 4; ++i) CHECK(s.confusion.data()[i] == oracle::binary_confusion[i]);
  REQUIRE(s.roc.size() * 2 == oracle::binary_roc.size());
  for (std::size_t i = 0; i < s.roc.size(); ++i) {
    CHECK(s.roc[i].false_positive_rate == doctest::Approx(oracle::binary_roc[2 * i]));
    CHECK(s.roc[i].true_positive_rate == doctest::Approx(oracle::binary_roc[2 * i + 1]));
    if (i > 0) CHECK(s.roc[i].threshold == oracle::binary_roc_thresholds[i - 1]);
  }
  CHECK(std::isinf(s.roc[0].threshold));
  CHECK(s.count == 40);
  CHECK(s.undefined.empty());
}

TEST_CASE("three classes: means over the classes, and a class that is never predicted is named") {
  const std::size_t n = oracle::many_labels.size();
  Table p(std::array<std::size_t, 2>{n, 3});
  std::copy(oracle::many_probability.begin(), oracle::many_probability.end(), p.data());
  const auto s = classification(p, oracle::many_labels);
  const std::vector<double> got{s.accuracy, s.balanced_accuracy, s.sensitivity, s.specificity, s.precision, s.f1,
                                s.auc,      s.calibration_error};
  REQUIRE(got.size() == oracle::many_scores.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i] == doctest::Approx(oracle::many_scores[i]).epsilon(1e-7));
  }
  for (std::size_t i = 0; i < 9; ++i) CHECK(s.confusion.data()[i] == oracle::many_confusion[i]);
  CHECK(s.roc.empty());
  CHECK(std::isnan(s.auc_interval[0]));
  CHECK(mentions(s.undefined, "precision of class 2: it was never predicted"));
  CHECK(mentions(s.undefined, "interval of the AUC: given for two classes only"));
}

TEST_CASE("what is undefined is NaN and says why") {
  SUBCASE("one class only") {
    const auto s = classification(two_classes({.25f, .75f}), {0, 0});
    CHECK(s.accuracy == 0.5);
    CHECK(s.specificity == 0.5);
    CHECK(s.precision == 0.0);  // one false alarm, no hit: defined
    CHECK(s.f1 == 0.0);
    CHECK(std::isnan(s.sensitivity));
    CHECK(std::isnan(s.auc));
    CHECK(s.roc.empty());
    CHECK(mentions(s.undefined, "sensitivity of class 1: no sample has this class"));
    CHECK(mentions(s.undefined, "AUC of class 1"));
  }
  SUBCASE("one positive: an AUC, no interval") {
    const auto s = classification(two_classes({.1f, .4f, .8f}), {0, 0, 1});
    CHECK(s.auc == 1.0);
    CHECK(std::isnan(s.auc_interval[0]));
    CHECK(mentions(s.undefined, "two samples of each class"));
  }
  SUBCASE("never positive") {
    const auto s = classification(two_classes({.1f, .2f}), {0, 1});
    CHECK(std::isnan(s.precision));
    CHECK(s.f1 == 0.0);
    CHECK(s.sensitivity == 0.0);
  }
  SUBCASE("nothing at all") {
    const auto s = classification(two_classes({}), {});
    CHECK(std::isnan(s.accuracy));
    CHECK(std::isnan(s.calibration_error));
    CHECK(s.undefined == std::vector<std::string>{"all: there are no predictions"});
  }
}

TEST_CASE("even probabilities decide for the first class, and all ties give an AUC of one half") {
  const auto s = classification(two_classes({.5f, .5f, .5f, .5f}), {0, 1, 0, 1});
  CHECK(s.confusion(0, 0) == 2);
  CHECK(s.confusion(1, 0) == 2);
  CHECK(s.auc == 0.5);
  CHECK(s.roc.size() == 2);
}

TEST_CASE("calibration error by hand: neighbouring bins are not merged") {
  // .90 and wrong lies in (13/15, 14/15], .97 and right in (14/15, 1]: (.90 + .03) / 2.
  CHECK(classification(two_classes({.9f, .97f}), {0, 1}).calibration_error == doctest::Approx(.465).epsilon(1e-6));
}

TEST_CASE("bad predictions are refused with the place and the value") {
  const Table good = two_classes({.2f, .7f});
  CHECK_THROWS_WITH_AS((void)classification(good, {0}), "classification scores: 2 rows of probabilities but 1 labels",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)classification(good, {0, 2}), "classification scores: label 2 of row 1 is outside 0 to 1",
                       Error);
  CHECK_THROWS_WITH_AS((void)classification(two_classes({.2f, NAN}), {0, 1}),
                       "classification scores: row 1, class 0: expected a probability, got nan", Error);
  Table logits = good;
  logits(1, 0) = .9f;
  CHECK_THROWS_WITH_AS((void)classification(logits, {0, 1}),
                       doctest::Contains("row 1 sums to 1.6: expected probabilities that sum to 1"), Error);
  logits(1, 0) = -3.f;
  CHECK_THROWS_WITH_AS((void)classification(logits, {0, 1}),
                       "classification scores: row 1, class 0: expected a probability, got -3", Error);
  CHECK_THROWS_WITH_AS((void)classification(Table(std::array<std::size_t, 2>{2, 1}, 1.f), {0, 0}),
                       "classification scores: expected probabilities of 2 or more classes, got 1", ShapeError);
}

TEST_CASE("precision weighted by how often the classes occur; a class that is never predicted counts nothing") {
  // Truth 0 0 0 1 1 2, predicted 0 0 1 1 0 1: precisions 2/3, 1/3 and none.
  const xt::xtensor<float, 2> p{{1, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 1, 0}, {1, 0, 0}, {0, 1, 0}};
  const auto scores = metrics::classification(p, {0, 0, 0, 1, 1, 2});
  CHECK(scores.weighted_precision == doctest::Approx((3 * 2. / 3 + 2 * 1. / 3 + 1 * 0.) / 6));
  CHECK(std::isnan(metrics::classification(xt::zeros<float>({0, 2}), {}).weighted_precision));
}

TEST_CASE("the interval of F1 is Wilson's of TP / (TP + FP + FN)") {
  // 8 true positives, 1 false, 2 missed, 3 true negatives. Wilson (1927) for 8 of 11: 0.434355 to 0.902539.
  std::vector<float> said(8, .9f);
  std::vector<Index> labels(8, 1);
  for (const auto& [p, label] : {std::pair{.9f, 0}, {.1f, 1}, {.1f, 1}, {.1f, 0}, {.1f, 0}, {.1f, 0}}) {
    said.push_back(p);
    labels.push_back(label);
  }
  const auto s = classification(two_classes(said), labels);
  CHECK(s.f1 == doctest::Approx(16. / 19));
  CHECK(s.f1_interval[0] == doctest::Approx(2 * .43435470 / 1.43435470).epsilon(1e-7));
  CHECK(s.f1_interval[1] == doctest::Approx(2 * .90253941 / 1.90253941).epsilon(1e-7));
  // Neither truth nor answer has class 1: nothing to tell.
  CHECK(std::isnan(classification(two_classes({.1f}), {0}).f1_interval[0]));
}
