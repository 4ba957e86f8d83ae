// A pool of buffers. Training asks for the same sizes over and over; a buffer given back is handed out again, so that
// the system is not asked (and pages are not cleared) at every step.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "limn/core/config.hpp"

namespace limn {

/// What the pool holds, in bytes.
struct MemoryUse {
  Index live = 0;    ///< in buffers that are in use
  Index peak = 0;    ///< the most that was ever live at once (since reset_peak)
  Index pooled = 0;  ///< kept for the next request
};

class MemoryPool {
 public:
  static constexpr std::size_t alignment = 64;

  /// The pool of the process. It is never destroyed, so buffers may outlive main.
  static MemoryPool& instance() {
    static MemoryPool* pool = new MemoryPool;
    return *pool;
  }

  [[gnu::noinline]] void* take(std::size_t bytes) {
    const std::size_t size = bucket(bytes);
    {
      const std::lock_guard lock(mutex_);
      use_.live += static_cast<Index>(size);
      use_.peak = std::max(use_.peak, use_.live);
      auto& free = free_[shelf(size)];
      if (!free.empty()) {
        void* p = free.back();
        free.pop_back();
        use_.pooled -= static_cast<Index>(size);
        return p;
      }
    }
    if (void* p = allocate(size)) return p;
    trim();
    if (void* p = allocate(size)) return p;
    const std::lock_guard lock(mutex_);
    use_.live -= static_cast<Index>(size);
    throw std::bad_alloc();
  }

  [[gnu::noinline]] void give_back(void* p, std::size_t bytes) noexcept {
    const std::size_t size = bucket(bytes);
    const std::lock_guard lock(mutex_);
    use_.live -= static_cast<Index>(size);
#if !defined(__SANITIZE_ADDRESS__)  // a recycled buffer would hide a use after its end
    try {
      free_[shelf(size)].push_back(p);
      use_.pooled += static_cast<Index>(size);
      return;
    } catch (...) {  // no memory for the list itself: let the buffer go
    }
#endif
    std::free(p);
  }

  /// Gives the kept buffers back to the system.
  void trim() {
    const std::lock_guard lock(mutex_);
    for (std::vector<void*>& list : free_) {
      for (void* p : list) std::free(p);
      list.clear();
    }
    use_.pooled = 0;
  }

  [[nodiscard]] MemoryUse use() const {
    const std::lock_guard lock(mutex_);
    return use_;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    use_.peak = use_.live;
  }

 private:
  MemoryPool() = default;
  /// Large buffers lie on large pages where the system has them: far fewer addresses to look up.
  static void* allocate(std::size_t size) {
#if defined(__linux__)
    constexpr std::size_t page = std::size_t{1} << 21;
    if (size >= page) {
      void* const p = std::aligned_alloc(page, size);
      if (p != nullptr) madvise(p, size / page * page, MADV_HUGEPAGE);  // advice: a refusal changes nothing
      return p;
    }
#endif
    return std::aligned_alloc(alignment, size);
  }
  // Sizes are rounded up to one of eight steps between powers of two: at most 12.5 % is wasted.
  static std::size_t bucket(std::size_t bytes) {
    if (bytes <= 512) return (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    const std::size_t step = std::bit_floor(bytes - 1) / 8;
    return (bytes + step - 1) / step * step;
  }

  /// The number of a rounded size: 1 to 8 up to 512 bytes, then eight for every doubling.
  static std::size_t shelf(std::size_t size) {
    if (size <= 512) return size / alignment;
    const std::size_t below = std::bit_floor(size - 1);
    return 8 * static_cast<std::size_t>(std::countr_zero(below) - 8) + (size - below) / (below / 8);
  }

  mutable std::mutex mutex_;
  std::array<std::vector<void*>, 8 * (64 - 8) + 9> free_;
  MemoryUse use_;
};

/// A reference-counted buffer of `count` numbers from the pool, not initialised.
template <class T>
[[nodiscard]] std::shared_ptr<T> pooled_buffer(Index count) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
  void* p = MemoryPool::instance().take(bytes);
  return {static_cast<T*>(p), [bytes](T* q) { MemoryPool::instance().give_back(q, bytes); }};
}

}  // namespace limn
