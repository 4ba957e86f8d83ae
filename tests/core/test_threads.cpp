// How many threads are at work at once: limits of a scope, and loops in several threads that share what there is.
#include "limn/core/threads.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "limn/core/parallel.hpp"

using namespace limn;

namespace {

/// Sets the number of threads for one test case.
struct Threads {
  explicit Threads(int count) { set_threads(count); }
  ~Threads() { set_threads(0); }
};

/// Counts who is at work at once.
struct Counted {
  std::atomic<int> now{0}, most{0};
  void work() {
    const int mine = ++now;
    int seen = most;
    while (seen < mine && !most.compare_exchange_weak(seen, mine)) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    --now;
  }
};

/// Loops of different lengths, one after the other.
void loops(Counted& counted, int rounds) {
  for (int round = 0; round < rounds; ++round) parallel_for(2 + round % 13, [&](Index) { counted.work(); });
}

/// The most threads that were seen in a loop; tried again while they are fewer than expected, as a thread may come
/// late.
[[maybe_unused]] int most_at_once(int expected) {
  Counted counted;
  for (int i = 0; i < 50 && counted.most < expected; ++i) parallel_for(200, [&](Index) { counted.work(); });
  return counted.most;
}

}  // namespace

#if defined(_OPENMP)
TEST_CASE("a limit holds for its scope and its thread, and only narrows") {
  const Threads process{4};
  CHECK(threads() == 4);
  {
    const ThreadLimit two(2);
    CHECK(threads() == 2);
    {
      const ThreadLimit three(3), one(1);
      CHECK(threads() == 1);
    }
    {
      const ThreadLimit three(3);
      CHECK(threads() == 2);
    }
    int other = 0;
    std::thread([&] { other = threads(); }).join();
    CHECK(other == 4);
    set_threads(1);
    CHECK(threads() == 1);
    set_threads(4);
  }
  CHECK(threads() == 4);
  CHECK_THROWS_WITH_AS(ThreadLimit(0), "ThreadLimit: expected 1 to 1024, got 0", OptionError);
  CHECK_THROWS_AS(ThreadLimit(1025), OptionError);
}

TEST_CASE("a loop uses as many threads as its limit says") {
  const Threads process{4};
  for (const int most : {1, 2, 3, 4, 9}) {
    const ThreadLimit limit(most);
    CHECK(most_at_once(std::min(most, 4)) == std::min(most, 4));
  }
}
#endif

TEST_CASE("loops in several threads together never use more threads than there are") {
  for (const int most : {2, 3, 5, 8})
    for (const std::size_t callers : {2, 3}) {
      const Threads process{most};
      Counted counted;
      std::vector<std::thread> others;
      for (std::size_t i = 0; i < callers; ++i) others.emplace_back([&] { loops(counted, 40); });
      for (auto& other : others) other.join();
      CAPTURE(callers);
      CHECK(counted.most <= std::max(most, static_cast<int>(callers)));  // nobody is refused his own thread
      CHECK(counted.now == 0);
    }
}

TEST_CASE("a thread beside a loop takes the place of a helper, and gives it back") {
  const Threads process{2};
  Counted counted;
  std::thread other([&] {
    for (int i = 0; i < 40; ++i) {
      const detail::Place place(0);
      for (int k = 0; k < 5; ++k) counted.work();
    }
  });
  loops(counted, 40);
  other.join();
  CHECK(counted.most <= 2);
#if defined(_OPENMP)
  CHECK(most_at_once(2) == 2);
#endif
}

TEST_CASE("places are given back after exceptions and inner loops") {
  const Threads process{3};
  for (int i = 0; i < 20; ++i) {
    CHECK_THROWS(
        parallel_for(8, [](Index k) { parallel_for(3, [&](Index j) { require(k != 4 || j != 2, "inner"); }); }));
  }
#if defined(_OPENMP)
  CHECK(most_at_once(3) == 3);
#endif
}
