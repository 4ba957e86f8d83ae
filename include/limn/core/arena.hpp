// Large buffers in one piece of address space, cut and joined as they come and go. A list of kept buffers by size would
// hold, for every size, as much as that size ever needed at once; here what one size leaves serves another, and the
// memory in use stays close to the most that was ever live.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace limn::detail {

/// Not safe for several threads: MemoryPool locks.
class Arena {
 public:
  /// Sizes are multiples of `grain`; requests of `least` and more are worth it.
  static constexpr std::size_t grain = std::size_t{1} << 14, least = std::size_t{1} << 18;

  /// Null where the system gives no address space, or no more of it.
  void* take(std::size_t size) {
    if (base_ == nullptr && !reserve()) return nullptr;
    auto best = free_.end();  // the smallest that is large enough
    for (auto block = free_.begin(); block != free_.end(); ++block)
      if (block->size >= size && (best == free_.end() || block->size < best->size)) best = block;
    if (best != free_.end()) {
      char* const p = base_ + best->at;
      best->at += size;
      best->size -= size;
      if (best->size == 0) free_.erase(best);
      return p;
    }
    // Nothing fits: the end moves, from the last free block on if that touches it.
    const bool joins = !free_.empty() && free_.back().at + free_.back().size == top_;
    const std::size_t at = joins ? free_.back().at : top_;
    if (size > room_ - at) return nullptr;
    if (joins) free_.pop_back();
    top_ = at + size;
    return base_ + at;
  }

  void give_back(void* p, std::size_t size) {
    Block block{static_cast<std::size_t>(static_cast<char*>(p) - base_), size, false};
    auto next = std::lower_bound(free_.begin(), free_.end(), block.at,
                                 [](const Block& b, std::size_t at) { return b.at < at; });
    if (next != free_.end() && block.at + block.size == next->at) {
      block.size += next->size;
      next = free_.erase(next);
    }
    if (next != free_.begin() && (next - 1)->at + (next - 1)->size == block.at) {
      (next - 1)->size += block.size;
      (next - 1)->empty = false;
    } else {
      free_.insert(next, block);
    }
  }

  [[nodiscard]] bool holds(const void* p) const { return base_ != nullptr && p >= base_ && p < base_ + room_; }
  /// Bytes that are free here and not with the system.
  [[nodiscard]] std::size_t kept() const {
    std::size_t sum = 0;
    for (const Block& block : free_) sum += block.empty ? 0 : block.size;
    return sum;
  }
  /// Gives what is free back to the system.
  void trim() {
#if defined(__linux__)
    for (Block& block : free_) {
      madvise(base_ + block.at, block.size, MADV_DONTNEED);
      block.empty = true;
    }
#endif
  }

 private:
  struct Block {
    std::size_t at, size;
    bool empty;  ///< its memory is with the system
  };

  /// As much address space as the machine has memory; memory itself comes when it is first written. On large pages
  /// where the system has them: far fewer addresses to look up.
  bool reserve() {
#if defined(__linux__)
    if (refused_) return false;
    const auto bytes =
        static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    constexpr std::size_t page = std::size_t{1} << 21;
    const std::size_t size = bytes / page * page + page;
    void* const p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    refused_ = p == MAP_FAILED;
    if (refused_) return false;
    madvise(p, size, MADV_HUGEPAGE);  // advice: a refusal changes nothing
    const std::size_t skipped = (page - reinterpret_cast<std::size_t>(p) % page) % page;
    base_ = static_cast<char*>(p) + skipped;
    room_ = size - skipped;
    return true;
#else
    return false;
#endif
  }

  char* base_ = nullptr;
  std::size_t room_ = 0, top_ = 0;
  std::vector<Block> free_;  // by position; no two touch
  bool refused_ = false;
};

}  // namespace limn::detail
