// Random numbers that depend only on their key, never on the order or the thread in which they are drawn.
// Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011).
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string_view>

#include "limn/core/config.hpp"

namespace limn {

/// A seed as a type of its own, so that `Net{Seed{7}}` cannot be mistaken for a size.
struct Seed {
  std::uint64_t value = 0;
};

/// One block of Philox4x32-10: four random words from a counter and a key.
LIMN_HD constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xD2511F53ull * counter[0], b = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// Mixes a number into a seed (SplitMix64). Different parts give unrelated streams.
constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t part) {
  std::uint64_t z = seed + 0x9E3779B97F4A7C15ull * (part + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

/// Mixes a name into a seed (FNV-1a).
constexpr std::uint64_t mix(std::uint64_t seed, std::string_view name) {
  std::uint64_t h = 0xCBF29CE484222325ull;
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return mix(seed, h);
}

/// A stream of random numbers. `Random{seed, epoch, sample}` is the same stream wherever it is made.
class Random {
 public:
  using result_type = std::uint32_t;
  template <class... Parts>
  explicit Random(Seed seed, const Parts&... parts) : key_(seed.value) {
    ((key_ = mix(key_, part(parts))), ...);
  }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xFFFFFFFFu; }
  result_type operator()() {
    if (next_ == 4) {
      block_ = philox({static_cast<std::uint32_t>(counter_), static_cast<std::uint32_t>(counter_ >> 32), 0, 0},
                      {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)});
      ++counter_;
      next_ = 0;
    }
    return block_[static_cast<std::size_t>(next_++)];
  }

  /// Uniform in [0, 1), 53 bits.
  double uniform() {
    const std::uint64_t high = (*this)(), low = (*this)();
    return static_cast<double>(((high << 32) | low) >> 11) * 0x1.0p-53;
  }
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform whole number in [0, n).
  Index below(Index n) {
    return static_cast<Index>(
        (static_cast<unsigned __int128>((static_cast<std::uint64_t>((*this)()) << 32) | (*this)()) *
         static_cast<unsigned __int128>(n)) >>
        64);
  }
  bool chance(double probability) { return uniform() < probability; }
  /// Normal with mean 0 and standard deviation 1 (Box-Muller).
  double normal() {
    const double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
  }
  /// Beta(a, b) of a, b > 0, which lies in [0, 1], from two gamma draws. In logarithms: small a and b are safe.
  double beta(double a, double b) {
    const double x = log_gamma_draw(a), y = log_gamma_draw(b);
    return 1 / (1 + std::exp(y - x));
  }

 private:
  static constexpr std::uint64_t part(std::string_view name) { return mix(0, name); }
  template <class T>
  requires(!std::convertible_to<T, std::string_view>) static constexpr std::uint64_t part(T number) {
    return static_cast<std::uint64_t>(number);
  }
  /// ln of a Gamma(shape, 1) draw (Marsaglia and Tsang 2000, with their boost of shapes below 1).
  double log_gamma_draw(double shape) {
    const double boost = shape < 1 ? std::log(1.0 - uniform()) / shape : 0;
    const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal(), v = 1 + c * x;
      if (v <= 0) continue;
      const double cube = v * v * v;
      if (std::log(1.0 - uniform()) < .5 * x * x + d - d * cube + d * std::log(cube)) return std::log(d * cube) + boost;
    }
  }
  std::uint64_t key_ = 0, counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int next_ = 4;
};

}  // namespace limn
