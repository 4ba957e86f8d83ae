// Philox against the known answers of Random123 (kat_vectors of its distribution), and the promises of Random.
#include "limn/core/random.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

using namespace limn;
using Words = std::array<std::uint32_t, 4>;

TEST_CASE("philox gives Random123's known answers") {
  static_assert(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("mix is SplitMix64") {
  // The first outputs of SplitMix64 seeded with 0 (Vigna, prng.di.unimi.it/splitmix64.c).
  CHECK(mix(0, std::uint64_t{0}) == 0xE220A8397B1DCDAFull);
  CHECK(mix(0, std::uint64_t{1}) == 0x6E789E6AA1B965F4ull);
  CHECK(mix(0, std::uint64_t{2}) == 0x06C45D188009454Full);
}

TEST_CASE("a stream depends on its key alone") {
  const auto draw = [](Random random) {
    std::vector<std::uint32_t> words(9);
    for (auto& word : words) word = random();
    return words;
  };
  const auto first = draw(Random{Seed{7}, 2, 30});
  Random other{Seed{7}, 2, 31};
  other.normal();
  CHECK(draw(Random{Seed{7}, 2, 30}) == first);
  CHECK(draw(Random{Seed{7}, 30, 2}) != first);
  CHECK(draw(Random{Seed{7}, 2, 31}) != first);
  CHECK(draw(Random{Seed{8}, 2, 30}) != first);
  CHECK(draw(Random{Seed{7}, "crop", 30}) != draw(Random{Seed{7}, "flip", 30}));
}

TEST_CASE("streams of neighbouring keys share no words") {
  std::set<std::uint32_t> seen;
  for (int sample = 0; sample < 1000; ++sample) seen.insert(Random{Seed{1}, 0, sample}());
  CHECK(seen.size() >= 999);  // one collision of 32-bit words among 1000 has probability 1e-4
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  Random random{Seed{11}};
  constexpr int count = 100'000, cells = 10;
  std::array<int, cells> histogram{};
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    ++histogram[static_cast<std::size_t>(u * cells)];
    sum += u;
    squares += u * u;
  }
  // Five standard errors: the mean has variance 1/12/n, the mean square 4/45/n.
  CHECK(std::abs(sum / count - 0.5) < 5 * std::sqrt(1.0 / 12 / count));
  CHECK(std::abs(squares / count - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / count));
  double chi_square = 0;
  for (int n : histogram) chi_square += std::pow(n - count / cells, 2) / (count / cells);
  CHECK(chi_square < 33.7);  // 9 degrees of freedom, p = 1e-4
}

TEST_CASE("normal numbers have the moments of the normal distribution") {
  Random random{Seed{12}};
  constexpr int count = 100'000;
  std::array<double, 4> moments{};
  for (int i = 0; i < count; ++i) {
    const double z = random.normal();
    REQUIRE(std::isfinite(z));
    for (std::size_t k = 0; k < 4; ++k) moments[k] += std::pow(z, static_cast<double>(k + 1)) / count;
  }
  // Moments 0, 1, 0, 3 with variances 1, 2, 15, 96 over n; five standard errors each.
  const std::array<double, 4> expected{0, 1, 0, 3}, variance{1, 2, 15, 96};
  for (std::size_t k = 0; k < 4; ++k) {
    CAPTURE(k);
    CHECK(std::abs(moments[k] - expected[k]) < 5 * std::sqrt(variance[k] / count));
  }
}

TEST_CASE("below(n) reaches every number below n, evenly") {
  Random random{Seed{13}};
  constexpr int count = 70'000;
  std::array<int, 7> histogram{};
  for (int i = 0; i < count; ++i) {
    const Index n = random.below(7);
    REQUIRE(n >= 0);
    REQUIRE(n < 7);
    ++histogram[static_cast<std::size_t>(n)];
  }
  double chi_square = 0;
  for (int n : histogram) chi_square += std::pow(n - count / 7, 2) / (count / 7);
  CHECK(chi_square < 27.9);  // 6 degrees of freedom, p = 1e-4
  CHECK(Random{Seed{1}}.below(1) == 0);
}

TEST_CASE("chance and ranges") {
  Random random{Seed{14}};
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    hits += random.chance(0.3);
    const double x = random.uniform(-2, 5);
    REQUIRE(x >= -2);
    REQUIRE(x < 5);
  }
  CHECK(std::abs(hits - 3000) < 5 * std::sqrt(10'000 * 0.3 * 0.7));
  CHECK_FALSE(random.chance(0));
  CHECK(random.chance(1));
}

TEST_CASE("beta: mean and variance, and shapes so small that a gamma draw is 0") {
  for (const auto& [a, b] : {std::pair{.2, .2}, {1., 1.}, {2., 5.}, {.5, 3.}}) {
    Random random(Seed{15}, static_cast<int>(10 * a));
    constexpr int count = 20'000;
    double sum = 0, squares = 0;
    for (int i = 0; i < count; ++i) {
      const double x = random.beta(a, b);
      REQUIRE(x >= 0);
      REQUIRE(x <= 1);
      sum += x;
      squares += x * x;
    }
    const double mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    const double error = std::sqrt(variance / count);
    CHECK(std::abs(sum / count - mean) < 5 * error);
    CHECK(squares / count - sum / count * sum / count == doctest::Approx(variance).epsilon(.05));
  }
  Random random{Seed{16}};
  int ends = 0;
  for (int i = 0; i < 1000; ++i) {
    const double x = random.beta(.001, .001);
    REQUIRE(std::isfinite(x));
    ends += x < .01 || x > .99;
  }
  CHECK(ends > 950);
}
