// How the learning rate changes in the course of a training run: a factor on the optimiser's rate.
#pragma once

#include <cmath>
#include <string>
#include <variant>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"

namespace limn {

struct Constant {};

/// Linear from 0 to 1 over the warm-up, then half a cosine down to `floor` at the end of the run.
struct Cosine {
  double warmup_epochs = 0, floor = 0;
};

/// Times `factor` after every `every` epochs.
struct StepDecay {
  Index every = 10;
  double factor = .1;
};

using Schedule = std::variant<Constant, Cosine, StepDecay>;

/// The factor when `epoch` (with its fraction; counted from 0) of `epochs` have passed.
[[nodiscard]] inline double lr_factor(const Schedule& schedule, double epoch, double epochs) {
  if (const auto* cosine = std::get_if<Cosine>(&schedule)) {
    if (epoch < cosine->warmup_epochs) return epoch / cosine->warmup_epochs;
    const double share = (epoch - cosine->warmup_epochs) / (epochs - cosine->warmup_epochs);
    return cosine->floor + (1 - cosine->floor) * (1 + std::cos(3.141592653589793 * std::fmin(share, 1))) / 2;
  }
  if (const auto* step = std::get_if<StepDecay>(&schedule))
    return std::pow(step->factor, std::floor(epoch / static_cast<double>(step->every)));
  return 1;
}

/// Throws OptionError for numbers out of range.
inline void check_schedule(const Schedule& schedule, Index epochs) {
  if (const auto* cosine = std::get_if<Cosine>(&schedule)) {
    require<OptionError>(cosine->warmup_epochs >= 0 && cosine->warmup_epochs < static_cast<double>(epochs),
                         "Cosine: warmup_epochs must be at least 0 and below the ", epochs, " epochs, got ",
                         cosine->warmup_epochs);
    require<OptionError>(cosine->floor >= 0 && cosine->floor <= 1, "Cosine: floor must be 0 to 1, got ", cosine->floor);
  }
  if (const auto* step = std::get_if<StepDecay>(&schedule)) {
    require<OptionError>(step->every >= 1, "StepDecay: every must be at least 1, got ", step->every);
    require<OptionError>(step->factor > 0 && step->factor <= 1, "StepDecay: factor must be above 0 and at most 1, got ",
                         step->factor);
  }
}

/// One line with every number that has a say. The length of the run has one in Cosine only.
[[nodiscard]] inline std::string describe(const Schedule& schedule, Index epochs) {
  if (const auto* cosine = std::get_if<Cosine>(&schedule))
    return text("cosine over ", epochs, " epochs, warm-up ", cosine->warmup_epochs, ", floor ", cosine->floor);
  if (const auto* step = std::get_if<StepDecay>(&schedule))
    return text("times ", step->factor, " every ", step->every, " epochs");
  return "constant";
}

}  // namespace limn
