// LAP maps made up for the tests, for the library and for the naive reference.
#pragma once

#include "../nn/helpers.hpp"
#include "limn/loss/lap.hpp"
#include "naive_lap.hpp"

namespace limn::testing {

/// A pass that left these LAPs, and a batch with these labels.
template <Backend B>
struct Pass {
  Batch<B> batch;
  Run<B> run;
  Var<B> logits;
  [[nodiscard]] Step<B> step() const { return {batch, logits, run}; }
};

template <Backend B>
Pass<B> make_pass(std::vector<Index> labels) {
  return {{{}, std::move(labels), {}, {}}, {}, {}};
}

inline naive::Maps to_naive(const Tensor<CpuDouble>& t) {
  if (t.empty()) return {};
  return {t.dim(0), t.dim(1), t.dim(2), t.dim(3), {t.data(), t.data() + t.size()}};
}

inline std::vector<naive::Lap> to_naive(const Run<CpuDouble>& run, double centre = .5) {
  std::vector<naive::Lap> out;
  for (const auto& lap : run.laps)
    out.push_back({to_naive(lap.logits.value()), to_naive(lap.discriminative.value()), centre});
  return out;
}

inline std::vector<std::vector<int>> to_naive(const ClueTable& clues) {
  std::vector<std::vector<int>> out(static_cast<std::size_t>(clues.clues));
  for (Index m = 0; m < clues.clues; ++m)
    for (Index y = 0; y < clues.classes; ++y) out[static_cast<std::size_t>(m)].push_back(clues.side(m, y));
  return out;
}

inline constexpr auto one_clue = lap::binary();
inline constexpr auto three_clues = lap::one_vs_others<3>();

}  // namespace limn::testing
