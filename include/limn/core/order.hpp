// Sorting, once for all who need it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "limn/core/function_ref.hpp"

namespace limn {

/// Sorts positions so that a stands before b where before(a, b); equal ones keep their order. Every other sort of other
/// types would be compiled anew. For lists that are short, or sorted once.
[[gnu::cold, gnu::noinline]] inline void stable_order(std::vector<std::size_t>& positions,
                                                      const FunctionRef<bool(std::size_t, std::size_t)>& before) {
  std::stable_sort(positions.begin(), positions.end(), before);
}

}  // namespace limn
