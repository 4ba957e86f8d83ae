// Loops over several threads. What a loop computes never depends on the number of threads: work is cut into pieces
// by its size alone, and each piece is done in order by one thread.
#pragma once

#include <algorithm>
#include <exception>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/core/function_ref.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace limn {

namespace detail {
inline int& thread_limit() {
  static int limit = 0;
  return limit;
}
}  // namespace detail

/// Sets how many threads limn uses (0: as many as OpenMP offers).
inline void set_threads(int count) {
  require<OptionError>(count >= 0 && count <= 1024, "threads: expected 0 (all) to 1024, got ", count);
  detail::thread_limit() = count;
}

/// How many threads limn uses.
[[nodiscard]] inline int threads() {
#if defined(_OPENMP)
  return detail::thread_limit() > 0 ? detail::thread_limit() : omp_get_max_threads();
#else
  return 1;
#endif
}

/// Calls body(i) for i in [0, count). Inside another parallel loop it runs in the calling thread.
/// The first exception (by position) is thrown again when all have ended.
[[gnu::noinline]] inline void parallel_for(Index count, const FunctionRef<void(Index)>& body) {
#if defined(_OPENMP)
  const int team = static_cast<int>(std::min<Index>(threads(), count));
  if (team > 1 && !omp_in_parallel()) {
    std::exception_ptr failure;
    Index first = count;
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (Index i = 0; i < count; ++i) {
      try {
        body(i);
      } catch (...) {
#pragma omp critical(limn_parallel_for)
        if (i < first) {
          first = i;
          failure = std::current_exception();
        }
      }
    }
    if (failure) std::rethrow_exception(failure);
    return;
  }
#endif
  for (Index i = 0; i < count; ++i) body(i);
}

/// Cuts [0, count) into pieces of `piece` (the last one may be shorter) and calls body(begin, end) for each.
inline void parallel_pieces(Index count, Index piece, const FunctionRef<void(Index, Index)>& body) {
  parallel_for((count + piece - 1) / piece, [&](Index i) { body(i * piece, std::min<Index>(count, (i + 1) * piece)); });
}

}  // namespace limn
