// Loops over several threads. What a loop computes never depends on the number of threads: work is cut into pieces
// by its size alone, and each piece is done in order by one thread.
#pragma once

#include <algorithm>
#include <exception>

#include "limn/core/config.hpp"
#include "limn/core/function_ref.hpp"
#include "limn/core/threads.hpp"

namespace limn {

#if defined(_OPENMP)
namespace detail {
/// The loop with helpers. Positions are handed out one by one; a helper that is one too many leaves between two.
[[gnu::noinline]] inline void loop_with_helpers(Index count, int helpers, const FunctionRef<void(Index)>& body) {
  std::exception_ptr failure;
  Index first = count;
  std::atomic<Index> next{0};
#pragma omp parallel num_threads(1 + helpers)
  {
    const bool helps = omp_get_thread_num() > 0;
    if (!helps) Crew::send_home(1 + helpers - omp_get_num_threads());  // OpenMP may bring fewer
    while (!(helps && Crew::too_many())) {
      const Index i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) {
        if (helps) Crew::send_home(1);
        break;
      }
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
  }
  if (failure) std::rethrow_exception(failure);
}
}  // namespace detail
#endif

/// Calls body(i) for i in [0, count), with as many threads as are free, the calling one included (core/threads.hpp).
/// Inside another parallel loop it runs in the calling thread. A body must not wait for a loop in another thread.
/// The first exception (by position) is thrown again when all have ended.
[[gnu::noinline]] inline void parallel_for(Index count, const FunctionRef<void(Index)>& body) {
#if defined(_OPENMP)
  if (count > 1 && !detail::at_work() && !omp_in_parallel()) {
    const detail::Place place(static_cast<int>(std::min<Index>(threads(), count)) - 1);
    if (place.helpers() > 0) return detail::loop_with_helpers(count, place.helpers(), body);
    for (Index i = 0; i < count; ++i) body(i);
    return;
  }
#endif
  for (Index i = 0; i < count; ++i) body(i);
}

/// Cuts [0, count) into pieces of `piece` (the last one may be shorter) and calls body(begin, end) for each.
[[gnu::noinline]] inline void parallel_pieces(Index count, Index piece, const FunctionRef<void(Index, Index)>& body) {
  parallel_for((count + piece - 1) / piece, [&](Index i) { body(i * piece, std::min<Index>(count, (i + 1) * piece)); });
}

}  // namespace limn
