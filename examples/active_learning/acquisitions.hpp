// The ways to choose of the studies, as acquisitions.
#pragma once

#include <vector>

#include "active_learning/grid.hpp"
#include "active_learning/networks.hpp"
#include "limn/active/disagreement.hpp"
#include "limn/active/diversity.hpp"
#include "limn/active/loop.hpp"
#include "limn/active/misalignment.hpp"

namespace example {

// Where only one class has something to see, an empty mask must not count as misaligned: it would tell the label.
inline const limn::acquire::Misalignment<Cam> misalignment{.empty = limn::metrics::undefined_value};

/// The paper's acquisition (Eq. 3).
inline auto eg_al(float lambda) { return lambda * limn::acquire::Entropy{} + (1 - lambda) * misalignment; }

/// Calls use(acquisition). Entropy and misalignment are shown beside all scores, and count where they have a weight.
template <class Net, class Use>
limn::active::History with_acquisition(const Setup& setup, const std::vector<Net>& committee, const Use& use) {
  using namespace limn;
  const Seed seed{static_cast<std::uint64_t>(setup.seed)};
  const auto shown = 0.f * acquire::Entropy{} + 0.f * misalignment;
  if (setup.strategy == "entropy") return use(acquire::Entropy{} + 0.f * misalignment);
  if (setup.strategy == "margin") return use(acquire::Margin{} + shown);
  if (setup.strategy == "least_confidence") return use(acquire::LeastConfidence{} + shown);
  if (setup.strategy == "bald") return use(acquire::Bald{.seed = seed} + shown);
  if (setup.strategy == "disagreement") return use(acquire::Disagreement<Net>{committee} + shown);
  if (setup.strategy == "core_set") return use(acquire::CoreSet<"avgpool">{} + shown);
  if (setup.strategy == "badge") return use(acquire::Badge<"avgpool">{seed} + shown);
  if (setup.strategy == "misalignment") return use(misalignment + 0.f * acquire::Entropy{});
  if (setup.strategy == "eg_al") return use(eg_al(setup.lambda));
  return use(acquire::Random{seed} + shown);
}

}  // namespace example
