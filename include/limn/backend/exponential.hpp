// The exponential function and what is made of it, without branches and tables, so that loops over them become vector
// instructions: the C library's functions are called for one number at a time. Single precision only; double goes to
// the C library, as gradients are checked in it, and so does code for a GPU, whose own functions are as fast.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "limn/core/config.hpp"

namespace limn::functor {

/// mask ? yes : no. For single numbers made of bits: the compiler may turn a choice into a branch, which no loop with
/// vector instructions can have.
template <class Bits, class V, class Mask>
[[gnu::always_inline]] inline V choose(Mask mask, V yes, V no) {
  if constexpr (std::is_same_v<Mask, bool>) {
    const Bits all = -static_cast<Bits>(mask);
    return std::bit_cast<V>((all & std::bit_cast<Bits>(yes)) | (~all & std::bit_cast<Bits>(no)));
  } else {
    return mask ? yes : no;
  }
}

/// e^x within 1.1 units in the last place, also where the result is subnormal; 0, infinity and NaN as std::exp gives
/// them. V is float or a vector of floats, Bits an unsigned integer of 32 bits or a vector of as many.
template <class V, class Bits>
[[gnu::always_inline]] inline V exponential_of(V x) {
  // e^x = 2^k e^r with |r| <= ln(2) / 2. The bounds lie where the result has become 0 and infinity; NaN passes them.
  x = choose<Bits>(x > 89.f, 89.f - V{}, x);
  x = choose<Bits>(x < -104.f, -104.f - V{}, x);
  constexpr float to_whole = 0x1.8p23f;  // from here on floats are whole numbers, and k stands in their last bits
  const V shifted = x * 1.44269504f + to_whole, k = shifted - to_whole;
  const V r = x - k * 0x1.63p-1f + k * 0x1.bd0106p-13f;  // ln 2 in two parts: the product with the first is exact
  // The least square relative error, reweighted until it is the same everywhere: 3.3e-9.
  const V power =
      (((0x1.6a1a72p-10f * r + 0x1.123fc6p-7f) * r + 0x1.555916p-5f) * r + 0x1.55548ap-3f) * r + 0x1.fffffcp-2f;
  const V value = power * (r * r) + r + 1.f;
  // 2^k in two factors: one alone would overflow, or lose the last bits of a subnormal result.
  const Bits above = std::bit_cast<Bits>(shifted) - (std::bit_cast<std::uint32_t>(to_whole) - 256u), half = above >> 1;
  return value * std::bit_cast<V>((half - 1u) << 23) * std::bit_cast<V>((above - half - 1u) << 23);
}

/// e^x
LIMN_HD inline double exponential(double x) { return std::exp(x); }
/// ln(1 + x) for x from 0 to 1, in float within 1.3 units in the last place.
LIMN_HD inline double log_one_plus(double x) { return std::log1p(x); }
/// tanh(x), in float within 1.4 units in the last place.
LIMN_HD inline double hyperbolic_tangent(double x) { return std::tanh(x); }

#if defined(__CUDA_ARCH__)
LIMN_HD inline float exponential(float x) { return std::exp(x); }
LIMN_HD inline float log_one_plus(float x) { return std::log1p(x); }
LIMN_HD inline float hyperbolic_tangent(float x) { return std::tanh(x); }
#else
LIMN_HD inline float exponential(float x) { return exponential_of<float, std::uint32_t>(x); }
LIMN_HD inline float log_one_plus(float x) {
  // 2 artanh(s) with s = x / (2 + x), arranged so that small x are exact; the series in s^2 to 4.6e-9.
  const float s = x / (2.f + x), z = s * s;
  const float more = ((0x1.1ef874p-3f * z + 0x1.1eb610p-3f) * z + 0x1.99d27cp-3f) * z + 0x1.5555p-2f;
  return x - s * (x - 2.f * z * more);
}
LIMN_HD inline float hyperbolic_tangent(float x) {
  const float size = x < 0.f ? -x : x, z = x * x;
  const float odd =
      (((-0x1.76ac12p-8f * z + 0x1.5256d6p-6f) * z - 0x1.b84448p-5f) * z + 0x1.110768p-3f) * z - 0x1.555534p-2f;
  const float small = x + x * (z * odd), large = 1.f - 2.f / (exponential(2.f * size) + 1.f);
  return choose<std::uint32_t>(size < 0.625f, small, x < 0.f ? -large : large);
}
#endif

}  // namespace limn::functor
