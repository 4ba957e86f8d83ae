// The pool of buffers: reuse, counting, alignment.
#include "limn/core/memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "limn/core/random.hpp"

using namespace limn;

namespace {
#if defined(__SANITIZE_ADDRESS__)
constexpr bool recycles = false;  // so that the sanitizer sees a use after the end
#else
constexpr bool recycles = true;
#endif
MemoryPool& pool() { return MemoryPool::instance(); }
}  // namespace

TEST_CASE("buffers of every size are aligned and whole") {
  for (Index count : {1, 15, 16, 17, 128, 129, 1000, 4097, 70001}) {
    const auto buffer = pooled_buffer<float>(count);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.get()) % 64 == 0);
    std::memset(buffer.get(), 1, static_cast<std::size_t>(count) * sizeof(float));  // the sanitizer watches the end
  }
  CHECK(pooled_buffer<float>(0) != nullptr);
}

TEST_CASE("a buffer given back is handed out again") {
  pool().trim();
  auto first = pooled_buffer<float>(10000);
  float* const at = first.get();
  first.reset();
  CHECK(pool().use().pooled == (recycles ? 40960 : 0));  // 40000 bytes in steps of 2^15 / 8
  const auto second = pooled_buffer<float>(10001);       // not the same size, but the same bucket
  if (recycles) CHECK(second.get() == at);
  CHECK(pool().use().pooled == 0);
  const auto third = pooled_buffer<float>(10000);  // the first one is in use
  CHECK(third.get() != second.get());
}

TEST_CASE("a buffer is not handed out for a larger size") {
  pool().trim();
  Index last = 0;
  for (Index bytes = 1; bytes < static_cast<Index>(detail::Arena::least) * 7 / 8; bytes += 1 + bytes / 40) {
    const MemoryUse before = pool().use();
    const auto buffer = pooled_buffer<char>(bytes);
    const Index taken = pool().use().live - before.live;
    CHECK(pool().use().pooled == before.pooled - (recycles && taken == last ? taken : 0));
    last = taken;
  }
  pool().trim();
}

TEST_CASE("rounding up wastes an eighth at most") {
  for (Index bytes = 513; bytes < 200000; bytes = bytes * 9 / 8 + 1) {
    const Index before = pool().use().live;
    const auto buffer = pooled_buffer<char>(bytes);
    const Index taken = pool().use().live - before;
    CHECK(taken >= bytes);
    CHECK(taken % 64 == 0);
    CHECK(8 * taken <= 9 * bytes + 8);
  }
}

TEST_CASE("live and peak are counted") {
  pool().reset_peak();
  const Index before = pool().use().live;
  CHECK(pool().use().peak == before);
  {
    const auto a = pooled_buffer<char>(1 << 20);
    CHECK(pool().use().live == before + (1 << 20));
    { const auto b = pooled_buffer<char>(1 << 20); }
    const auto c = pooled_buffer<char>(1 << 20);
  }
  CHECK(pool().use().live == before);
  CHECK(pool().use().peak == before + (2 << 20));
  pool().reset_peak();
  CHECK(pool().use().peak == before);
}

TEST_CASE("trim gives kept buffers back to the system") {
  { const auto a = pooled_buffer<char>(1 << 20); }
  CHECK(pool().use().pooled >= (recycles ? 1 << 20 : 0));
  const Index live = pool().use().live;
  pool().trim();
  CHECK(pool().use().pooled == 0);
  CHECK(pool().use().live == live);
}

TEST_CASE("what large buffers of one size leave serves other sizes") {
  if (!recycles) return;
  pool().trim();
  const Index live = pool().use().live;
  const Index size = Index{1} << 22;
  for (Index part : {1, 2, 4, 8}) {  // eight of one size after eight of another: never more than is live at once
    std::vector<std::shared_ptr<char>> buffers;
    for (Index i = 0; i < 8 * part; ++i) {
      buffers.push_back(pooled_buffer<char>(size / part));
      buffers.back().get()[0] = 1;
    }
    CHECK(pool().use().live == live + 8 * size);
    CHECK(pool().use().pooled == 0);
  }
  CHECK(pool().use().pooled == 8 * size);
  pool().trim();
  CHECK(pool().use().pooled == 0);
  const auto whole = pooled_buffer<char>(8 * size);  // what was given back to the system can be used again
  std::memset(whole.get(), 1, static_cast<std::size_t>(8 * size));
}

TEST_CASE("an arena never gives the same bytes twice, and joins what comes back") {
  using detail::Arena;
  Arena arena;
  if (void* p = arena.take(Arena::grain)) {
    arena.give_back(p, Arena::grain);
  } else {
    MESSAGE("skipped: the system gives no address space");
    return;
  }
  Random random(Seed{5});
  struct Piece {
    unsigned char* at;
    std::size_t size;
    unsigned char mark;
  };
  std::vector<Piece> pieces;
  std::size_t live = 0, most = 0;
  for (int i = 0; i < 3000; ++i) {
    if (pieces.empty() || (pieces.size() < 60 && random.below(2) == 0)) {
      const std::size_t size = Arena::grain * static_cast<std::size_t>(1 + random.below(20));
      auto* const p = static_cast<unsigned char*>(arena.take(size));
      REQUIRE(p != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(p) % Arena::grain == 0);
      CHECK(arena.holds(p));
      pieces.push_back({p, size, static_cast<unsigned char>(i)});
      p[0] = p[size - 1] = pieces.back().mark;
      most = std::max(most, live += size);
    } else {
      const auto k = static_cast<std::size_t>(random.below(static_cast<Index>(pieces.size())));
      const Piece piece = pieces[k];
      CHECK(piece.at[0] == piece.mark);
      CHECK(piece.at[piece.size - 1] == piece.mark);
      pieces[k] = pieces.back();
      pieces.pop_back();
      arena.give_back(piece.at, piece.size);
      live -= piece.size;
    }
  }
  CHECK(arena.kept() + live < 2 * most);  // random sizes and times are the worst case
  for (const Piece& piece : pieces) arena.give_back(piece.at, piece.size);
  const std::size_t all = arena.kept();
  CHECK(arena.take(all) != nullptr);  // one piece again
  CHECK(arena.kept() == 0);
  CHECK(arena.take(std::size_t{1} << 60) == nullptr);
}

TEST_CASE("more than the machine has is refused, and the count stays right") {
  if (!recycles) return;  // the sanitizer ends the program at such a request
  const Index before = pool().use().live;
  CHECK_THROWS_AS((void)pooled_buffer<char>(Index{1} << 60), std::bad_alloc);
  CHECK(pool().use().live == before);
}

TEST_CASE("several threads use the pool at once") {
  const Index before = pool().use().live;
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&wrong, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto buffer = pooled_buffer<int>(100 + i % 7);
        *buffer = static_cast<int>(t);
        std::this_thread::yield();
        if (*buffer != static_cast<int>(t)) ++wrong[t];  // another thread has got the same buffer
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
  CHECK(pool().use().live == before);
}
