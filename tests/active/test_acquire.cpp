// Acquisitions: their values by hand, how they are put together, and who is chosen.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "limn/active/disagreement.hpp"
#include "limn/active/misalignment.hpp"
#include "limn/data/phantom/phantom.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/models/densenet.hpp"
#include "pools.hpp"

using namespace limn;
using doctest::Approx;
using testing::Channels, testing::logits_of, testing::message_of, testing::points;
using Cam = explain::GradCam<"same">;

namespace {

/// Pictures of three classes, of which the network is less and less sure.
data::Dataset unsure() { return points({logits_of({.9, .05, .05}), logits_of({.5, .25, .25}), {0, 0, 0}}, 3); }

std::vector<double> values(const auto& score, const data::Dataset& pool) {
  return acquire::scores(score, Channels{}, pool).total;
}
void check_values(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-5));
  }
}

/// The first channel, whatever it is.
struct First {
  static constexpr const char* name = "first";
  template <class Net>
  std::vector<double> operator()(const acquire::View<Net>& view) const {
    std::vector<double> out;
    for (Index i = 0; i < view.size(); ++i) out.push_back(static_cast<double>(view.images(i, 0, 0, 0)));
    return out;
  }
};

/// A picture of 2 x 2 with two channels and a mask.
data::Sample picture(const std::string& id, const std::vector<float>& a, const std::vector<float>& b,
                     const std::optional<std::vector<float>>& mask) {
  data::Sample out{.id = id, .group = id, .image = data::Image::from_shape({2, 2, 2}), .mask = std::nullopt};
  for (std::size_t i = 0; i < 4; ++i) {
    out.image.data()[2 * i] = a[i];
    out.image.data()[2 * i + 1] = b[i];
  }
  if (mask) {
    out.mask = data::Mask::from_shape({2, 2});
    std::copy(mask->begin(), mask->end(), out.mask->begin());
  }
  return out;
}

/// Dropout, then the channels.
struct Dropping {
  Dropout<Cpu> dropout;
  static constexpr auto fields = Fields{field<"dropout">(&Dropping::dropout)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return flatten(run(dropout, x)); }
};

/// Says the same of every picture.
struct Opinion {
  std::vector<float> logits;
  static constexpr auto fields = Fields{};
  Var<Cpu> operator()(const Var<Cpu>& x, auto&) const {
    const Tensor<Cpu> row(Shape{1, static_cast<Index>(logits.size())}, std::span<const float>(logits));
    return repeat_to(Var<Cpu>(row), Shape{x.dim(0), row.dim(1)});
  }
};

}  // namespace

TEST_CASE("uncertainties by hand") {
  const double one = -(.9 * std::log(.9) + .1 * std::log(.05)), two = -(.5 * std::log(.5) + .5 * std::log(.25));
  check_values(values(acquire::Entropy{}, unsure()), {one, two, std::log(3.)});
  check_values(values(acquire::Entropy{.normalised = true}, unsure()), {one / std::log(3.), two / std::log(3.), 1});
  check_values(values(acquire::Margin{}, unsure()), {.15, .75, 1});
  check_values(values(acquire::LeastConfidence{}, unsure()), {.1, .5, 2. / 3});
  check_values(values(acquire::Entropy{}, points({{200, 0, 0}}, 3)), {0});  // probabilities of 0 say nothing
}

TEST_CASE("chance depends on the seed and the picture alone") {
  const data::Dataset pool = points(std::vector<std::vector<float>>(50, {0, 0}));
  const auto all = values(acquire::Random{Seed{1}}, pool);
  CHECK(all == values(acquire::Random{Seed{1}}, pool));
  CHECK(all != values(acquire::Random{Seed{2}}, pool));
  CHECK(values(acquire::Random{Seed{1}}, pool.subset({40, 3})) == std::vector<double>{all[40], all[3]});
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  CHECK(*low >= 0);
  CHECK(*high < 1);
  CHECK(*high - *low > .8);  // of 50: a chance of .0002
}

TEST_CASE("scores are put together by + and *, and every term keeps its own") {
  const data::Dataset pool = unsure();
  const auto h = values(acquire::Entropy{}, pool), m = values(acquire::Margin{}, pool);
  const auto sum = .3f * acquire::Entropy{} + .7f * acquire::Margin{};
  const acquire::Scores found = acquire::scores(sum, Channels{}, pool);
  check_values(found.total, {.3 * h[0] + .7 * m[0], .3 * h[1] + .7 * m[1], .3 * h[2] + .7 * m[2]});
  REQUIRE(found.terms.size() == 2);
  CHECK(found.terms[0].first == "entropy");
  CHECK(found.terms[0].second == h);
  CHECK(found.terms[1].second == m);
  CHECK(acquire::describe(sum) == "0.3 entropy + 0.7 margin");

  check_values(values(acquire::Entropy{} * acquire::Margin{}, pool), {h[0] * m[0], h[1] * m[1], h[2] * m[2]});
  // Products of sums: every one with every one.
  const auto both = 2.f * (sum * (acquire::Margin{} + acquire::Entropy{.normalised = true}));
  CHECK(acquire::describe(both) ==
        "0.6 entropy x margin_2 + 0.6 entropy x entropy_2 + 1.4 margin x margin_2 + 1.4 margin x entropy_2");
  const double n = h[1] / std::log(3.);
  CHECK(values(both, pool)[1] == Approx(2 * (.3 * h[1] + .7 * m[1]) * (m[1] + n)));

  // A weight of 0: worked out, shown, and not counted.
  const acquire::Scores shown = acquire::scores(acquire::Margin{} + 0.f * acquire::Entropy{}, Channels{}, pool);
  CHECK(shown.total == m);
  CHECK(shown.terms[1].second == h);
}

TEST_CASE("the largest score of the paper's acquisition with three classes") {
  // 0.8 ln 3 + 0.2 = 1.0789: the example's 1.079 needs a lambda of .8 and more.
  const auto of = [](float lambda) {
    return acquire::largest(lambda * acquire::Entropy{} + (1 - lambda) * acquire::Misalignment<Cam>{}, 3);
  };
  CHECK(of(.8f) == Approx(1.0789).epsilon(1e-4));
  CHECK(of(.7f) == Approx(1.0690).epsilon(1e-4));
  CHECK(of(0) == 1);
  CHECK(acquire::largest(acquire::Margin{} + -1.f * acquire::LeastConfidence{}, 3) == 1);
  CHECK(acquire::largest(acquire::Bald{.passes = 2}, 3) == Approx(std::log(2.)));
  CHECK(std::isnan(acquire::largest(First{} + acquire::Margin{}, 3)));
}

TEST_CASE("the highest scores of all are chosen") {
  const std::vector<Index> most = acquire::highest({1, 3, 2, 4, 0, 2.5}, 4);
  CHECK(most == std::vector<Index>{3, 1, 5, 2});
  CHECK(acquire::highest({1, 3}, 0).empty());
  CHECK(message_of([] { (void)acquire::highest({1, 3}, 3); }) == "acquire: 3 of 2 pictures");
  // One class can have them all.
  const data::Dataset pool = points({{1, 0}, {2, 0}, {3, 0}, {0, 9}, {0, 8}});
  const acquire::Chosen next = acquire::choose(acquire::Margin{}, Channels{}, pool, pool, 3);
  CHECK(next.positions == std::vector<Index>{0, 1, 2});
  CHECK(next.scores.total.size() == 3);
  CHECK(next.scores.terms[0].second == next.scores.total);
}

TEST_CASE("equal scores are chosen by lot, whatever the order of the files") {
  // 300 pictures sorted by class, a hundred of each; nobody can tell them apart.
  const std::vector<double> same(300, .5);
  const std::vector<Index> chosen = acquire::highest(same, 60);
  CHECK(chosen == acquire::highest(same, 60));
  std::vector<int> of_class(3, 0);
  for (const Index i : chosen) ++of_class[static_cast<std::size_t>(i / 100)];
  for (const int count : of_class) CHECK(count > 8);  // 20 +- 3.3 of each: 8 are more than three deviations
  // The lot decides among equals alone.
  std::vector<double> scores = same;
  scores[299] = .6;
  scores[0] = .4;
  const std::vector<Index> most = acquire::highest(scores, 299);
  CHECK(most.front() == 299);
  CHECK(std::find(most.begin(), most.end(), 0) == most.end());
}

TEST_CASE("what a term cannot tell is drawn from what it can") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Opinion any{{0, 0}};
  const auto found = acquire::scores(First{} + acquire::Margin{} * First{}, any, points({{1, 0}, {nan, 0}, {3, 0}}));
  CHECK(found.total[0] == 2);
  CHECK((found.total[1] == 2 || found.total[1] == 6));  // the same in both places
  CHECK(found.total[2] == 6);
  CHECK(std::isnan(found.terms[0].second[1]));
  check_values(acquire::scores(First{}, any, points({{nan, 0}, {nan, 0}})).total, {0, 0});
  CHECK(message_of([&] {
          (void)acquire::scores(First{}, any, points({{1, 0}, {INFINITY, 0}}));
        }) == "first: the score of picture 1 is inf");

  // Half of the pictures are known: so are half of the highest. 50 +- 5 of 100; 20 are four deviations.
  std::vector<std::vector<float>> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back({i % 2 == 0 ? nan : static_cast<float>(i), 0});
  Index unknown = 0;
  for (const Index i : acquire::highest(acquire::scores(First{}, any, points(rows)).total, 100)) unknown += i % 2 == 0;
  CHECK(unknown > 30);
  CHECK(unknown < 70);
}

TEST_CASE("misalignment by hand: Grad-CAM of the predicted class") {
  // Grad-CAM at "same" is relu(channel of the class) / 4. Class 0: 0, 1, 2, 4 scaled to 0, .25, .5, 1.
  const data::Dataset pool({picture("0", {0, 1, 2, 4}, {0, 0, 0, 0}, std::vector<float>{0, 0, 1, 1}),
                            // Class 1 is predicted, and looks at the second pixel alone.
                            picture("1", {1, 1, 1, 1}, {0, 8, 0, 0}, std::vector<float>{1, 0, 0, 0}),
                            picture("2", {0, 1, 2, 4}, {0, 0, 0, 0}, std::vector<float>{0, 0, 0, 0}),
                            picture("3", {0, 1, 2, 4}, {0, 0, 0, 0}, std::nullopt),
                            picture("4", {1, 1, 1, 1}, {0, 0, 0, 0}, std::vector<float>{1, 1, 0, 0}),
                            picture("5", {1, 1, 1, 1}, {0, 0, 0, 0}, std::vector<float>{0, 0, 0, 0})},
                           {"a", "b"});
  const auto found = acquire::scores(acquire::Misalignment<Cam>{}, Channels{}, pool).terms[0].second;
  CHECK(found[0] == Approx(1 - 2 * 1.5 / (1.75 + 2)));
  CHECK(found[1] == Approx(1));
  CHECK(found[2] == 1);         // the mask is empty
  CHECK(std::isnan(found[3]));  // no mask
  CHECK(found[4] == 1);         // the map is the same everywhere: it says nothing
  CHECK(found[5] == 1);         // both are empty
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto neutral = acquire::scores(acquire::Misalignment<Cam>{.empty = static_cast<double>(nan)}, Channels{}, pool);
  CHECK(std::isnan(neutral.terms[0].second[2]));
  CHECK((neutral.total[2] == found[0] || neutral.total[2] == found[1]));
}

TEST_CASE("misalignment in a network, element by element") {
  const models::SlimDenseNet<Cpu, 1, 2> net{Seed{1}};
  const data::Dataset pool =
      data::phantoms({.count = 40, .size = 32}).filter([](const auto& s) { return s.label == 1; });
  using Block = explain::GradCam<"features.denseblock3">;
  const auto found = acquire::scores(acquire::Entropy{} * acquire::Misalignment<Block>{}, net, pool);
  for (Index i = 0; i < pool.size(); ++i) {
    Run<Cpu> run;
    const Tensor<Cpu> image = batch_of_one<Cpu>(pool[i].image);
    const std::vector<Index> said = predicted_classes(probabilities(net, image, run));
    const explain::Explanation e = Block{}(net, image, said).front();
    explain::Map map = explain::over_picture(e.map, e.grid, 32, 32);
    const float low = xt::amin(map)(), high = xt::amax(map)();
    double both = 0, all = 0;
    for (std::size_t k = 0; k < map.size(); ++k) {
      const double a = high > low ? static_cast<double>((map.data()[k] - low) / (high - low)) : 0;
      both += a * static_cast<double>(pool[i].mask->data()[k]);
      all += a + static_cast<double>(pool[i].mask->data()[k]);
    }
    const double d = found.terms[1].second[static_cast<std::size_t>(i)];
    CHECK(d == Approx(1 - 2 * both / all).epsilon(1e-4));
    CHECK(found.total[static_cast<std::size_t>(i)] ==
          Approx(d * found.terms[0].second[static_cast<std::size_t>(i)]).epsilon(1e-5));
  }
}

TEST_CASE("the extremes of lambda are entropy and misalignment") {
  const models::SlimDenseNet<Cpu, 1, 2> net{Seed{1}};
  const data::Dataset pool = data::phantoms({.count = 20, .size = 32});
  const acquire::Misalignment<explain::GradCam<"features.denseblock3">> away;
  const auto of = [&](float lambda) {
    return acquire::scores(lambda * acquire::Entropy{} + (1 - lambda) * away, net, pool).total;
  };
  CHECK(of(1) == acquire::scores(acquire::Entropy{}, net, pool).total);
  CHECK(of(0) == acquire::scores(away, net, pool).total);
  CHECK(of(.5f) != of(0));
}

TEST_CASE("ways to fail, about the medians") {
  const double nan = metrics::undefined_value;
  using Positions = std::vector<Index>;
  const acquire::Patterns found = acquire::patterns({1, 9, 2, 3, 4}, {8, nan, 1, 7, 9});
  CHECK(found.first_median == 2.5);
  CHECK(found.second_median == 7.5);
  CHECK(found.high_high == Positions{4});                                 // 4, 9
  CHECK(found.high_low == Positions{3});                                  // 3, 7
  CHECK(found.low_high == Positions{0});                                  // 1, 8
  CHECK(found.low_low == Positions{2});                                   // 2, 1
  const acquire::Patterns odd = acquire::patterns({1, 2, 3}, {1, 2, 3});  // the middle one is not above the middle
  CHECK(odd.high_high == Positions{2});
  CHECK(odd.low_low == Positions{0, 1});
  const acquire::Patterns of_net = acquire::patterns(
      Channels{}, data::Dataset({picture("0", {0, 1, 2, 4}, {0, 0, 0, 0}, std::vector<float>(4, 1))}, {"a", "b"}),
      acquire::Misalignment<Cam>{});
  CHECK(of_net.low_low == Positions{0});
  CHECK(study_values(of_net)[3] == std::pair<std::string, double>{"low_low", 1});
}

TEST_CASE("BALD is the information that dropout hides") {
  // The logits (a, 0) are (2 a, 0) or (0, 0), each half of the times.
  const auto h = [](double p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); };
  const double p = 1 / (1 + std::exp(-4.));
  const data::Dataset pool = points({{2, 0}, {0, 0}});
  const auto found = acquire::scores(acquire::Bald{.passes = 4000}, Dropping{}, pool).total;
  CHECK(found[0] == Approx(h((p + .5) / 2) - (h(p) + h(.5)) / 2).epsilon(.03));
  CHECK(found[1] == Approx(0));
  CHECK(acquire::scores(acquire::Bald{.seed = Seed{3}}, Dropping{}, pool).total ==
        acquire::scores(acquire::Bald{.seed = Seed{3}}, Dropping{}, pool).total);
  CHECK(message_of([&] { (void)acquire::scores(acquire::Bald{}, Channels{}, pool); }) ==
        "bald: all passes would be the same: the network needs a Dropout with a rate above 0");
  CHECK(message_of([] { acquire::check(acquire::Margin{} + acquire::Bald{.passes = 1}); }) ==
        "bald: passes must be at least 2, got 1");
}

TEST_CASE("a committee disagrees by votes or by probabilities") {
  const data::Dataset pool = points({{0, 0}});
  const std::vector<Opinion> three{{logits_of({.9, .1})}, {logits_of({.6, .4})}, {logits_of({.3, .7})}};
  const auto of = [&](acquire::Disagree how) {
    return acquire::scores(acquire::Disagreement<Opinion>{three, how}, Channels{}, pool).total[0];
  };
  CHECK(of(acquire::Disagree::votes) == Approx(-(2. / 3 * std::log(2. / 3) + 1. / 3 * std::log(1. / 3))));
  const auto kl = [](double p) { return p * std::log(p / .6) + (1 - p) * std::log((1 - p) / .4); };  // mean .6, .4
  CHECK(of(acquire::Disagree::probability) == Approx((kl(.9) + kl(.6) + kl(.3)) / 3));
  const std::vector<Opinion> one{{logits_of({.9, .1})}};
  CHECK(message_of([&] { (void)acquire::scores(acquire::Disagreement<Opinion>{one}, Channels{}, pool); }) ==
        "disagreement: a committee of 1, expected 2 networks or more");
}
