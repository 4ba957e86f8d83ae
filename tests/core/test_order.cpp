// Order and numbers of names, against what a map of the standard library gives.
#include "limn/core/order.hpp"

#include <doctest/doctest.h>

#include <map>

#include "limn/core/random.hpp"

using namespace limn;

TEST_CASE("equal ones keep their order") {
  const std::vector<int> keys{2, 1, 2, 0, 1};
  std::vector<std::size_t> positions{0, 1, 2, 3, 4};
  stable_order(positions, [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  CHECK(positions == std::vector<std::size_t>{3, 1, 4, 0, 2});
}

TEST_CASE("names are numbered as they come") {
  CHECK(numbered({}).empty());
  const std::vector<std::string> few{"b", "a", "b", "", "a", "c"};
  CHECK(numbered(few) == std::vector<std::size_t>{0, 1, 0, 2, 1, 3});

  Random random(Seed{3}, "names");
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::vector<std::string> names;
    std::vector<std::size_t> expected;
    std::map<std::string, std::size_t> known;
    for (int i = 0; i < 40; ++i) {
      names.push_back(std::to_string(static_cast<int>(random.uniform() * 20)));
      expected.push_back(known.emplace(names.back(), known.size()).first->second);
    }
    CHECK(numbered(names) == expected);
  }
}
