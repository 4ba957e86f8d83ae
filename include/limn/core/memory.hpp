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

#include "limn/core/arena.hpp"
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
    const std::lock_guard lock(mutex_);
    void* p = nullptr;
    if (recycles && size >= detail::Arena::least) {
      p = arena_.take(size);
    } else if (auto& free = free_[shelf(size)]; !free.empty()) {
      p = free.back();
      free.pop_back();
      kept_ -= static_cast<Index>(size);
    }
    if (p == nullptr) p = std::aligned_alloc(alignment, size);
    if (p == nullptr) {
      release();
      p = std::aligned_alloc(alignment, size);
    }
    if (p == nullptr) throw std::bad_alloc();
    use_.live += static_cast<Index>(size);
    use_.peak = std::max(use_.peak, use_.live);
    return p;
  }

  [[gnu::noinline]] void give_back(void* p, std::size_t bytes) noexcept {
    const std::size_t size = bucket(bytes);
    const std::lock_guard lock(mutex_);
    use_.live -= static_cast<Index>(size);
    try {
      if (arena_.holds(p)) {
        arena_.give_back(p, size);
        return;
      }
      if (recycles && size < detail::Arena::least) {
        free_[shelf(size)].push_back(p);
        kept_ += static_cast<Index>(size);
        return;
      }
    } catch (...) {  // no memory for the list itself: let the buffer go
      if (arena_.holds(p)) return;
    }
    std::free(p);
  }

  /// Gives the kept buffers back to the system.
  void trim() {
    const std::lock_guard lock(mutex_);
    release();
  }

  [[nodiscard]] MemoryUse use() const {
    const std::lock_guard lock(mutex_);
    MemoryUse out = use_;
    out.pooled = kept_ + static_cast<Index>(arena_.kept());
    return out;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    use_.peak = use_.live;
  }

 private:
  MemoryPool() = default;
#if defined(__SANITIZE_ADDRESS__)
  static constexpr bool recycles = false;  // a recycled buffer would hide a use after its end
#else
  static constexpr bool recycles = true;
#endif

  void release() {
    for (std::vector<void*>& list : free_) {
      for (void* p : list) std::free(p);
      list.clear();
    }
    kept_ = 0;
    arena_.trim();
  }

  // Sizes are rounded up to one of eight steps between powers of two, large ones to multiples of the arena's grain: at
  // most 12.5 % is wasted.
  static std::size_t bucket(std::size_t bytes) {
    if (bytes > detail::Arena::least)
      return (bytes + detail::Arena::grain - 1) / detail::Arena::grain * detail::Arena::grain;
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
  Index kept_ = 0;  // on the shelves
  detail::Arena arena_;
};

namespace detail {
[[nodiscard]] inline std::shared_ptr<void> pooled_bytes(std::size_t bytes) {
  return {MemoryPool::instance().take(bytes), [bytes](void* p) { MemoryPool::instance().give_back(p, bytes); }};
}
}  // namespace detail

/// A reference-counted buffer of `count` numbers from the pool, not initialised.
template <class T>
[[nodiscard]] std::shared_ptr<T> pooled_buffer(Index count) {
  return std::static_pointer_cast<T>(detail::pooled_bytes(static_cast<std::size_t>(count) * sizeof(T)));
}

}  // namespace limn
