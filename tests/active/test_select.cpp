// Choosing a batch jointly: k-center by hand, BADGE against gradients that are written out.
#include <doctest/doctest.h>

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
  // (5, 1) is sqrt(26) away; then (0, 4), 4; (1, 0) and (5, 0) are both 1 from the next, so the first comes first.
  CHECK(found.positions == std::vector<Index>{3, 2, 0, 1});
  CHECK(found.scores.total[0] == Approx(std::sqrt(26.)));
  CHECK(found.scores.total[1] == Approx(4));
  CHECK(found.scores.total[2] == Approx(1));
  CHECK(found.scores.terms[0].first == "distance");
  CHECK(acquire::describe(acquire::CoreSet<"before">{}) == "core_set");
  CHECK(message_of([&] { (void)acquire::choose(acquire::CoreSet<"before">{}, Head{}, pool, labelled, 5); }) ==
        "core_set: 5 of 4 pictures");

  // Pictures that are all the same are still chosen once each.
  const data::Dataset same = points({{1, 1}, {1, 1}, {1, 1}});
  CHECK(acquire::choose(acquire::CoreSet<"before">{}, Head{}, same, same, 3).positions == std::vector<Index>{0, 1, 2});
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
    CHECK(found.scores.total[step] == Approx(std::sqrt(squared(next, -1))).epsilon(1e-4));
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
