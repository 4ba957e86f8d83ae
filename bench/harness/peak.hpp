// The most multiply-adds that this machine does: registers that depend on nothing but themselves, on all threads.
#pragma once

#include "limn/core/parallel.hpp"
#include "timing.hpp"

namespace bench {

namespace detail {
#if defined(__AVX512F__)
inline constexpr int register_bytes = 64;
#elif defined(__AVX__)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif
using Register [[gnu::vector_size(register_bytes)]] = float;
inline constexpr int in_flight = register_bytes == 64 ? 24 : 12;  // latency times ports, and no more than registers

[[gnu::noinline]] inline float multiply_adds(limn::Index rounds, float by, float plus) {
  Register sum[in_flight];  // all different, or the compiler would compute one
#pragma GCC unroll 24
  for (int k = 0; k < in_flight; ++k) sum[k] = static_cast<float>(k) - Register{};
  const Register factor = by - Register{}, term = plus - Register{};
  for (limn::Index i = 0; i < rounds; ++i)
#pragma GCC unroll 24
    for (auto& s : sum) s = s * factor + term;
  Register all{};
#pragma GCC unroll 24
  for (const auto& s : sum) all += s;
  return all[0];
}
}  // namespace detail

/// The time that so many multiply-adds would take at the peak of all threads.
inline Contender peak(double count) {
  constexpr limn::Index rounds = 200000;
  const int threads = limn::threads();
  const double done = static_cast<double>(threads * rounds * detail::in_flight * detail::register_bytes / 4);
  return {"peak", [=](int calls) {
            std::vector<float> sink(static_cast<std::size_t>(threads));
            std::vector<double> times = milliseconds(calls, [&] {
#pragma omp parallel num_threads(threads)
              sink[static_cast<std::size_t>(omp_get_thread_num())] = detail::multiply_adds(rounds, .5f, 1.f);
            });
            for (double& t : times) t *= count / done;
            return times;
          }};
}

}  // namespace bench
