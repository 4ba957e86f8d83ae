// How many of so many elements a share is.
#pragma once

#include <algorithm>
#include <cmath>

#include "limn/core/config.hpp"

namespace limn {

/// ceil(share * count), 0 to count. The small number forgives that 0.1f * 10 is above 1.
[[nodiscard]] inline Index elements(float share, Index count) {
  return std::clamp<Index>(
      static_cast<Index>(std::ceil(static_cast<double>(share) * static_cast<double>(count) - 1e-6)), 0, count);
}

}  // namespace limn
