// How many threads limn uses: in the whole process, and in one scope of one thread. Loops that run at once in several
// threads share the number, so two networks trained side by side do not use twice as many.
#pragma once

#include <time.h>  // NOLINT(modernize-deprecated-headers): nanosleep is POSIX's

#include <algorithm>
#include <atomic>
#include <utility>

#include "limn/core/error.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace limn {

namespace detail {

inline constexpr int most_threads = 1024;
inline constinit std::atomic<int> thread_setting{0};

/// The limit of the innermost ThreadLimit of this thread.
inline int& thread_limit() {
  thread_local int limit = most_threads;
  return limit;
}

/// How many threads may be at work at once in the process.
inline int process_threads() {
#if defined(_OPENMP)
  static const int offered = omp_get_max_threads();  // one number for all threads: they share it
  const int set = thread_setting.load(std::memory_order_relaxed);
  return set > 0 ? set : offered;
#else
  return 1;
#endif
}

}  // namespace detail

/// Sets how many threads limn uses in this process (0: as many as OpenMP offered at the first use).
inline void set_threads(int count) {
  require<OptionError>(count >= 0 && count <= detail::most_threads, "threads: expected 0 (all) to 1024, got ", count);
  detail::thread_setting = count;
}

/// How many threads a loop that begins here may use.
[[nodiscard]] inline int threads() {
  int most = std::min(detail::process_threads(), detail::thread_limit());
#if defined(_OPENMP)
  if (detail::thread_setting == 0) most = std::min(most, omp_get_max_threads());  // omp_set_num_threads() still narrows
#endif
  return most;
}

/// While it lives, loops of this thread use at most so many threads (1 to 1024). It narrows only: neither an outer
/// limit nor set_threads() is exceeded. Results are the same for any number.
class [[nodiscard]] ThreadLimit {
 public:
  explicit ThreadLimit(int most) : before_(detail::thread_limit()) {
    require<OptionError>(most >= 1 && most <= detail::most_threads, "ThreadLimit: expected 1 to 1024, got ", most);
    detail::thread_limit() = std::min(before_, most);
  }
  ~ThreadLimit() { detail::thread_limit() = before_; }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
};

namespace detail {

/// The threads at work in the process, in one number so that they are taken and given back by one atomic operation:
/// callers, each in its own thread, and the helpers that they took.
///
/// A caller is never refused. Where it makes them too many, helpers of other loops leave after the piece they are at,
/// and the caller waits for that. Who has helpers never waits, so somebody always goes on.
class Crew {
 public:
  /// Adds a caller and up to `wanted` helpers, as far as there are free ones. Returns how many.
  [[gnu::noinline]] static int join(int wanted) {
    int now = count_.load(), free;
    do {
      free = std::clamp(process_threads() - total(now) - 1, 0, wanted);
    } while (!count_.compare_exchange_weak(now, now + caller + free));
    now += caller + free;
    while (free == 0 && total(now) > process_threads() && now % caller > 0) {
      const timespec moment{.tv_sec = 0, .tv_nsec = 50'000};
      nanosleep(&moment, nullptr);
      now = count_.load();
    }
    return free;
  }
  static void leave() { count_ -= caller; }
  static void send_home(int helpers) { count_ -= helpers; }
  /// Asked by a helper before each piece: takes one out where there are too many.
  static bool too_many() {
    int now = count_.load(std::memory_order_relaxed);
    while (total(now) > process_threads())
      if (count_.compare_exchange_weak(now, now - 1)) return true;
    return false;
  }

 private:
  static constexpr int caller = 1 << 16;
  static int total(int count) { return count / caller + count % caller; }

  static inline constinit std::atomic<int> count_{0};
};

/// This thread is at work: loops inside run in the calling thread.
inline bool& at_work() {
  thread_local bool yes = false;
  return yes;
}

/// While it lives, this thread counts among those at work, with the helpers it got. Inside another one it is nothing.
class [[nodiscard]] Place {
 public:
  explicit Place(int wanted) : mine_(!std::exchange(at_work(), true)), helpers_(mine_ ? Crew::join(wanted) : 0) {}
  ~Place() {
    if (!mine_) return;
    at_work() = false;
    Crew::leave();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  [[nodiscard]] int helpers() const { return helpers_; }

 private:
  bool mine_;
  int helpers_;
};

}  // namespace detail

}  // namespace limn
