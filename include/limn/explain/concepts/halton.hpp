// The Halton sequence (Halton 1960): points that fill the unit cube evenly, without chance.
#pragma once

#include <vector>

#include "limn/core/tensor.hpp"

namespace limn::explain {

namespace detail {

/// The first `count` prime numbers.
inline std::vector<Index> primes(Index count) {
  std::vector<Index> found;
  for (Index n = 2; static_cast<Index>(found.size()) < count; ++n) {
    bool prime = true;
    for (const Index p : found) {
      if (p * p > n) break;
      if (n % p == 0) prime = false;
    }
    if (prime) found.push_back(n);
  }
  return found;
}

/// The digits of n in this base, behind the point and in reverse.
inline double radical_inverse(Index n, Index base) {
  const double b = static_cast<double>(base);
  double out = 0, place = 1 / b;
  for (; n > 0; n /= base, place /= b) out += static_cast<double>(n % base) * place;
  return out;
}

}  // namespace detail

/// The first `count` points of the unscrambled sequence, the origin being the first: (count, dimensions), numbers in
/// [0, 1). Dimension i has the i-th prime number as its base. What scipy.stats.qmc.Halton(scramble=False) gives.
[[nodiscard]] inline Tensor<CpuDouble> halton(Index count, Index dimensions) {
  require<OptionError>(count >= 1 && dimensions >= 1, "halton: ", count, " points of ", dimensions,
                       " dimensions, expected 1 or more of each");
  const std::vector<Index> base = detail::primes(dimensions);
  Tensor<CpuDouble> points(Shape{count, dimensions});
  for (Index i = 0; i < count; ++i)
    for (Index j = 0; j < dimensions; ++j)
      points.data()[i * dimensions + j] = detail::radical_inverse(i, base[static_cast<std::size_t>(j)]);
  return points;
}

}  // namespace limn::explain
