// Sorting, once for all who need it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "limn/core/function_ref.hpp"

namespace limn {

/// Sorts positions so that a stands before b where before(a, b); equal ones keep their order. Every other sort of other
/// types would be compiled anew. For lists that are short, or sorted once.
[[gnu::cold, gnu::noinline]] inline void stable_order(std::vector<std::size_t>& positions,
                                                      const FunctionRef<bool(std::size_t, std::size_t)>& before) {
  std::stable_sort(positions.begin(), positions.end(), before);
}

/// The number of every name: the first one is 0, a name that was there before has its number again, others the next.
[[nodiscard, gnu::cold]] inline std::vector<std::size_t> numbered(std::span<const std::string> names) {
  std::vector<std::size_t> order(names.size()), out(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) order[i] = i;
  stable_order(order, [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  for (std::size_t k = 0; k < order.size(); ++k) {  // out[i]: where the name of i is for the first time
    const bool again = k > 0 && names[order[k]] == names[order[k - 1]];
    out[order[k]] = again ? out[order[k - 1]] : order[k];
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] == i ? count++ : out[out[i]];
  return out;
}

}  // namespace limn
