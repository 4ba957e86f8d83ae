// How the benchmarks measure: medians of several calls after a warm-up.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace bench {

/// Milliseconds of each of `count` calls, sorted; the first call is a warm-up and not counted.
template <class F>
std::vector<double> milliseconds(int count, const F& f) {
  f();
  std::vector<double> out;
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    out.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(out.begin(), out.end());
  return out;
}

inline double median(const std::vector<double>& sorted) { return sorted[sorted.size() / 2]; }

}  // namespace bench
