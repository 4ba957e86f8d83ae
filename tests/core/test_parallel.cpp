// The promises of parallel_for: every position once, the first exception, nesting, the same bits for any thread count.
#include "limn/core/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "limn/core/random.hpp"

using namespace limn;

namespace {
/// Sets the number of threads for one test case.
struct Threads {
  explicit Threads(int count) { set_threads(count); }
  ~Threads() { set_threads(0); }
};
}  // namespace

TEST_CASE("every position is visited once") {
  for (int threads : {1, 2, 5}) {
    const Threads scope{threads};
    for (Index count : {0, 1, 2, 3, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      parallel_for(count, [&](Index i) { ++visits[static_cast<std::size_t>(i)]; });
      for (const auto& n : visits) CHECK(n == 1);
    }
  }
}

TEST_CASE("pieces cover the range in order") {
  const Threads scope{2};
  std::vector<Index> ends(4, -1);
  parallel_pieces(10, 3, [&](Index begin, Index end) { ends[static_cast<std::size_t>(begin / 3)] = end; });
  CHECK(ends == std::vector<Index>{3, 6, 9, 10});
  int calls = 0;
  parallel_pieces(0, 3, [&](Index, Index) { ++calls; });
  CHECK(calls == 0);
}

TEST_CASE("the first exception by position leaves the loop, whatever the threads do") {
  for (int threads : {1, 2, 4}) {
    const Threads scope{threads};
    for (int repeat = 0; repeat < 50; ++repeat) {
      std::string message;
      try {
        parallel_for(64, [](Index i) {
          if (i >= 5 && i % 2 == 1) throw std::runtime_error("position " + std::to_string(i));
        });
      } catch (const std::runtime_error& error) {
        message = error.what();
      }
      REQUIRE(message == "position 5");
    }
  }
}

TEST_CASE("a loop inside a loop runs, and its exception passes through both") {
  const Threads scope{2};
  std::vector<std::atomic<int>> sums(8);
  parallel_for(8, [&](Index i) {
    parallel_for(100, [&](Index j) { sums[static_cast<std::size_t>(i)] += static_cast<int>(j); });
  });
  for (const auto& sum : sums) CHECK(sum == 4950);
  CHECK_THROWS_WITH(parallel_for(4,
                                 [](Index i) {
                                   parallel_for(4, [&](Index j) {
                                     if (i == 2 && j == 3) throw std::runtime_error("inner");
                                   });
                                 }),
                    "inner");
}

TEST_CASE("floating-point results do not depend on the number of threads") {
  const auto run = [](int threads) {
    const Threads scope{threads};
    std::vector<float> partial(37);
    parallel_pieces(10'000, 271, [&](Index begin, Index end) {
      float sum = 0;
      for (Index i = begin; i < end; ++i) sum += static_cast<float>(Random{Seed{3}, i}.normal());
      partial[static_cast<std::size_t>(begin / 271)] = sum;
    });
    float total = 0;
    for (float sum : partial) total += sum;
    return total;
  };
  const float one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("the number of threads is checked") {
  set_threads(3);
  CHECK(threads() == 3);
  set_threads(0);
  CHECK(threads() >= 1);
  CHECK_THROWS_WITH_AS(set_threads(-1), "threads: expected 0 (all) to 1024, got -1", OptionError);
  CHECK_THROWS_AS(set_threads(1025), OptionError);
}
