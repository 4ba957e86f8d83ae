// Phantoms from several clinics: how often what goes with what, and that the chest knows nothing of it.
#include "limn/data/phantom/domains.hpp"

#include <array>
#include <cmath>

#include "../io/support.hpp"

using namespace limn;
using support::message;

namespace {

constexpr Index size = 48;

/// What lies along the border of a picture, but for the corner of the mark: is it striped, is it light? By the spread
/// and the mean of what differs from the phantom that it was made of.
struct Border {
  double mean = 0, deviation = 0;
};
Border border(const data::Image& image, const data::Image& plain) {
  double sum = 0, squares = 0, count = 0;
  for (std::size_t x = 12; x < size - 1; ++x) {
    const double d = static_cast<double>(image(size - 1, x, 0)) - static_cast<double>(plain(size - 1, x, 0));
    sum += d;
    squares += d * d;
    count += 1;
  }
  return {sum / count, std::sqrt(squares / count - sum / count * sum / count)};
}

}  // namespace

TEST_CASE("each clinic has its own chances") {
  const data::PhantomDomainsOptions options{
      .count = 300, .size = size, .seed = 4, .domains = {{"x", 1, .5f, .9f}, {"y", .5f, 0, .5f}}};
  const auto set = data::phantom_domains(options);
  CHECK(set.size() == 600);
  CHECK(set.domain_names() == std::vector<std::string>{"x", "y"});
  CHECK(set.class_names() == std::vector<std::string>{"clear", "opacity"});
  for (const std::size_t d : {std::size_t{0}, std::size_t{1}}) {
    const auto one = data::in_domain(set, set.domain_names()[d]);
    const auto& chances = options.domains[d];
    const auto plain =
        data::phantoms({.count = 300, .size = size, .seed = mix(options.seed, chances.name), .marker = chances.mark});
    std::array<Index, 2> agree{};  // texture and light
    for (Index i = 0; i < one.size(); ++i) {
      CHECK(one[i].id == chances.name + "/" + plain[i].id);
      CHECK(one[i].group == chances.name + "/" + plain[i].group);
      CHECK(one[i].label == plain[i].label);
      CHECK(one[i].mask == plain[i].mask);
      for (std::size_t y = 8; y < size - 8; ++y)
        for (std::size_t x = 8; x < size - 8; ++x) REQUIRE(one[i].image(y, x, 0) == plain[i].image(y, x, 0));
      const Border found = border(one[i].image, plain[i].image);
      agree[0] += (found.deviation > .04) == (one[i].label > 0);
      agree[1] += (found.mean > .06) == (one[i].label > 0);
    }
    const double expected[] = {static_cast<double>(chances.texture), static_cast<double>(chances.light)};
    for (std::size_t k = 0; k < 2; ++k) {
      const double chance = expected[k], deviation = std::sqrt(300 * chance * (1 - chance));
      CHECK(std::abs(static_cast<double>(agree[k]) - 300 * chance) <= 4 * deviation + 12);
    }
  }
  CHECK(data::phantom_domains(options)[5].image == set[5].image);
}

TEST_CASE("four clinics as they come, and what is refused") {
  const auto set = data::phantom_domains({.count = 20, .size = 32, .channels = 3});
  CHECK(set.size() == 80);
  CHECK(set.channels() == 3);
  CHECK(set[7].image(1, 30, 0) == set[7].image(1, 30, 2));
  CHECK(message<OptionError>([] {
          (void)data::phantom_domains({.count = 5, .domains = {{"x", 1.5f}}});
        }) == "phantom_domains: \"x\": chances must be 0 to 1, got 1.5");
  CHECK(message<OptionError>([] { (void)data::phantom_domains({.domains = {}}); }) == "joined: no data sets");
  CHECK(message<OptionError>([] {
          (void)data::phantom_domains({.count = 5, .domains = {{"x"}, {"x"}}});
        }).find("is there twice") != std::string::npos);
}
