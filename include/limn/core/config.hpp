// What every header of limn may use: the version, the index type, and the mark of code that also runs on a GPU.
#pragma once

#include <cstdint>

#define LIMN_VERSION_MAJOR 0
#define LIMN_VERSION_MINOR 1
#define LIMN_VERSION_PATCH 0

#if defined(__CUDACC__)
#define LIMN_HD __host__ __device__
#else
#define LIMN_HD
#endif

namespace limn {

/// Sizes and positions. Signed, so that differences of positions are ordinary numbers.
using Index = std::int64_t;

inline constexpr const char* version = "0.1.0";

}  // namespace limn
