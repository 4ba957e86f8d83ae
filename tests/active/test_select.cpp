// Choosing a batch jointly: k-center by hand, BADGE against gradients that are written out.
#include <doctest/doctest.h>

#include "limn/active/diversity.hpp"
#include "limn/active/uncertainty.hpp"
#include "limn/ops/losses.hpp"
#include "pools.hpp"

using namespace limn;
using doctest::Approx;
using testing::message_of, testing::points;

namespace {

/// A linear head on the picture's numbers.
struct Head {
  Identity<Cpu> before;
  Linear<Cpu, 2, 3> fc;
  static constexpr auto fields = Fields{field<"before">(&Head::before), field<"fc">(&Head::fc)};
  Head() { initialise(*this, Seed{4}); }
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(fc, flatten(run(before, x))); }
};

/// 1 for two pictures, 0 for the others.
struct OneAndTwo {
  static constexpr const char* name = "one_and_two";
  template <class Net>
  std::vector<double> operator()(const acquire::View<Net>& view) const {
    std::vector<double> out;
    for (const std::string& id : view.ids) out.push_back(id == "1" || id == "2" ? 1 : 0);
    return out;
  }
};

data::Dataset cloud(Index count) {
  Random random(Seed{3}, "cloud");
  std::vector<std::vector<float>> rows;
  for (Index i = 0; i < count; ++i)
    rows.push_back({static_cast<float>(random.normal()), static_cast<float>(2 * random.normal())});
  return points(rows, 3);
}

}  // namespace

TEST_CASE("core-set: the furthest from all that is known, one after the other") {
  const data::Dataset pool = points({{1, 0}, {5, 0}, {0, 4}, {5, 1}}), labelled = points({{0, 0}});
  const auto found = acquire::choose(acquire::CoreSet<"before">{}, Head{}, pool, labelled, 4);
  // (5, 1) is sqrt(26) away; then (0, 4), 4; (1, 0) and (5, 0) are both 1 from the next.
  CHECK(std::vector<Index>(found.positions.begin(), found.positions.begin() + 2) == std::vector<Index>{3, 2});
  CHECK(found.positions[2] + found.positions[3] == 1);
  CHECK(found.scores.total[0] == Approx(std::sqrt(26.)));
  CHECK(found.scores.total[1] == Approx(4));
  CHECK(found.scores.total[2] == Approx(1));
  CHECK(found.scores.terms[0].first == "core_set");
  CHECK(acquire::describe(acquire::CoreSet<"before">{}) == "core_set");
  CHECK(message_of([&] { (void)acquire::choose(acquire::CoreSet<"before">{}, Head{}, pool, labelled, 5); }) ==
        "acquire: 5 of 4 pictures");

  CHECK(message_of([&] { (void)acquire::choose(acquire::CoreSet<"before">{}, Head{}, pool, points({}), 1); }) ==
        "core_set: nothing is labelled yet");

  // Pictures that are all the same are still chosen once each.
  const data::Dataset same = points({{1, 1}, {1, 1}, {1, 1}});
  std::vector<Index> all = acquire::choose(acquire::CoreSet<"before">{}, Head{}, same, same, 3).positions;
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<Index>{0, 1, 2});
}

TEST_CASE("BADGE: k-means++ on the gradients of the last layer") {
  const Head net;
  const data::Dataset pool = cloud(30);
  const auto found = acquire::choose(acquire::Badge<"before">{Seed{5}}, net, pool, pool.subset({0, 1}), 8);
  REQUIRE(found.positions.size() == 8);

  // The gradients of the cross-entropy with the predicted class, by the tape, written out.
  std::vector<std::vector<double>> gradients;
  for (Index i = 0; i < pool.size(); ++i) {
    Run<Cpu> run;
    const Var<Cpu> logits = run(net, Var<Cpu>(batch_of_one<Cpu>(pool[i].image)));
    const std::vector<Index> said = predicted_classes(softmax(logits).value());
    const Tensor<Cpu> g = grad(cross_entropy(logits, std::span<const Index>(said)), net.fc.weight).value();
    gradients.emplace_back(g.data(), g.data() + g.size());
  }
  const auto squared = [&](Index a, Index b) {
    double sum = 0;
    for (std::size_t k = 0; k < 6; ++k) {
      const double d =
          gradients[static_cast<std::size_t>(a)][k] - (b < 0 ? 0 : gradients[static_cast<std::size_t>(b)][k]);
      sum += d * d;
    }
    return sum;
  };
  Index longest = 0;
  for (Index i = 0; i < pool.size(); ++i)
    if (squared(i, -1) > squared(longest, -1)) longest = i;
  CHECK(found.positions[0] == longest);
  CHECK(found.scores.total[0] == Approx(squared(longest, -1)).epsilon(1e-4));
  Random random(Seed{5}, "badge", 2);
  for (std::size_t step = 1; step < 8; ++step) {
    std::vector<double> nearest;
    double all = 0;
    for (Index i = 0; i < pool.size(); ++i) {
      double least = INFINITY;
      for (std::size_t k = 0; k < step; ++k) least = std::min(least, squared(i, found.positions[k]));
      nearest.push_back(least);
      all += least;
    }
    double left = random.uniform() * all;
    Index next = 0;
    while ((left -= nearest[static_cast<std::size_t>(next)]) >= 0) ++next;
    CAPTURE(step);
    CHECK(found.positions[step] == next);
    CHECK(found.scores.total[step] == Approx(nearest[static_cast<std::size_t>(next)]).epsilon(1e-4));
  }
  CHECK(acquire::choose(acquire::Badge<"before">{Seed{6}}, net, pool, pool.subset({0, 1}), 8).positions !=
        found.positions);
}

TEST_CASE("BADGE: every picture can be chosen, and none twice") {
  const data::Dataset same = points({{1, 1}, {1, 1}, {2, 0}}, 3);
  auto found = acquire::choose(acquire::Badge<"before">{}, Head{}, same, same, 3).positions;
  std::sort(found.begin(), found.end());
  CHECK(found == std::vector<Index>{0, 1, 2});
}

TEST_CASE("a batch that is high in a score and different from each other at once") {
  // Two pairs of neighbours far from what is labelled; the upper ones are unsure.
  const data::Dataset pool = points({{4, 0}, {4, .5}, {-3, -3}, {-3, -3.5}}), labelled = points({{0, 0}});
  const auto chosen = [&](const auto& how, Index count) {
    return acquire::choose(how, testing::Channels{}, pool, labelled, count);
  };
  const acquire::Entropy unsure;
  const acquire::CoreSet<"same"> far;
  CHECK(chosen(unsure, 2).positions == std::vector<Index>{2, 3});  // neighbours
  CHECK(chosen(far, 2).positions == std::vector<Index>{3, 1});  // far from each other, the surer one of the second pair

  // sum and product by hand: H x distance, H + .1 distance. The first is (-3, -3.5) at sqrt(21.25) with H(p = .62).
  const auto entropy = [](double difference) {
    const double p = 1 / (1 + std::exp(-difference));
    return -p * std::log(p) - (1 - p) * std::log(1 - p);
  };
  const auto product = chosen(unsure * far, 3);
  CHECK(product.positions[0] == 3);
  CHECK(product.scores.total[0] == Approx(entropy(.5) * std::sqrt(21.25)).epsilon(1e-5));
  // Then (-3, -3): ln 2 x .5 = .35; (4, 0): .09 x 4; (4, .5): .13 x 4.03 = .54.
  CHECK(product.positions[1] == 1);
  CHECK(product.scores.total[1] == Approx(entropy(3.5) * std::sqrt(16.25)).epsilon(1e-5));
  CHECK(product.positions[2] == 2);
  CHECK(product.scores.total[2] == Approx(std::log(2.) * .5).epsilon(1e-5));
  CHECK(product.scores.terms[0].first == "entropy");
  CHECK(product.scores.terms[0].second[2] == Approx(std::log(2.)).epsilon(1e-5));
  CHECK(product.scores.terms[1].second[2] == Approx(.5).epsilon(1e-5));
  const auto sum = chosen(unsure + .1f * far, 2);
  CHECK(sum.positions ==
        std::vector<Index>{3, 2});  // .663 + .461 against .693 + .424; then .693 + .05 against .13 + .40
  CHECK(sum.scores.total[0] == Approx(entropy(.5) + .1 * std::sqrt(21.25)).epsilon(1e-5));
  CHECK(sum.scores.total[1] == Approx(std::log(2.) + .05).epsilon(1e-5));
  CHECK(acquire::describe(unsure + .1f * far) == "entropy + 0.1 core_set");
  CHECK(std::isnan(acquire::largest(unsure + .1f * far, 2)));

  // What cannot be chosen by a draw is not: a weight of 0 for all but one.
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<Index> two = chosen(OneAndTwo{} * acquire::Badge<"same">{Seed{seed}}, 2).positions;
    std::sort(two.begin(), two.end());
    CHECK(two == std::vector<Index>{1, 2});
  }
}
