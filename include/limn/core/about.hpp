// What a program is made of: version, compiler, instruction set, threads. For the first line of a log, for bug reports.
#pragma once

#include <string>

#include "limn/core/backend.hpp"
#include "limn/core/threads.hpp"

namespace limn {

/// The instruction set that this program was built for, as far as the kernels are concerned, and how many floats its
/// registers hold. Whoever chooses it: LIMN_ARCH in CMake, or -march.
struct InstructionSet {
  const char* name;
  int floats;
};
inline constexpr InstructionSet instruction_set =
#if defined(__AVX512F__)
    {"AVX-512", 16};
#elif defined(__AVX2__)
    {"AVX2", 8};
#elif defined(__AVX__)
    {"AVX", 8};
#elif defined(__SSE2__)
    {"SSE2", 4};
#else
    {"no vector instructions known to limn", 4};
#endif

/// What this program was built for and this processor lacks ("AVX-512"), null where nothing is missing. Such a program
/// ends by SIGILL sooner or later: a main that asks first can say why.
[[nodiscard, gnu::noinline]] inline const char* lacking_instructions() {
#if defined(__x86_64__)
#if defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512";
#endif
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#if defined(__FMA__)
  if (!__builtin_cpu_supports("fma")) return "FMA";
#endif
#if defined(__AVX__)
  if (!__builtin_cpu_supports("avx")) return "AVX";
#endif
#endif
  return nullptr;
}

/// "limn 0.1.0, g++ 12.2.0, AVX2 (8 floats at once), 2 threads, no CUDA"
[[nodiscard, gnu::cold]] inline std::string about() {
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  const int count = threads();
  std::string out = text("limn ", version, ", ", compiler, ", ", instruction_set.name, " (", instruction_set.floats,
                         " floats at once), ", count, count == 1 ? " thread" : " threads");
#if !defined(_OPENMP)
  out += " (built without OpenMP)";
#endif
  out += Cuda::available ? ", CUDA" : ", no CUDA";
  if (const char* lacking = lacking_instructions()) out += text("; this processor has no ", lacking);
  return out;
}

}  // namespace limn
