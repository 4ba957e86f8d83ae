// What an optimiser is told: plain values, the same for every back end and network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/optim/schedule.hpp"

namespace limn {

/// Parameters whose path is `prefix` or lies inside it ("layer4" is for "layer4.0.conv1.weight", not for "layer40") and
/// that are treated apart. Of several groups that fit, the longest prefix counts.
struct ParameterGroup {
  std::string prefix = {};
  std::optional<double> lr = {}, weight_decay = {};  ///< not given: as the others
  /// Constants: see Parameter::set_trainable. They stay frozen when the optimiser is gone.
  bool frozen = false;
  std::optional<Schedule> schedule = {};  ///< in train::fit; not given: that of FitOptions
};

struct SgdOptions {
  double lr = 1e-2, momentum = 0;
  double weight_decay = 0;  ///< times the weight, added to the gradient
  bool nesterov = false;
};

/// torch.optim.SGD, dampening 0: Sgd{{.lr = .1, .momentum = .9}}.
struct Sgd {
  SgdOptions options = {};
  std::vector<ParameterGroup> groups = {};
};

struct AdamOptions {
  double lr = 1e-3, beta1 = .9, beta2 = .999, eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient; with `decoupled` taken from the weight (AdamW)
  bool decoupled = false;
};

/// torch.optim.Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019):
/// Adam{{.lr = 1e-4f}, {{.prefix = "avgpool", .lr = 1e-3f}, {.prefix = "conv1", .frozen = true}}}.
struct Adam {
  AdamOptions options = {};
  std::vector<ParameterGroup> groups = {};
};

namespace detail {
[[gnu::cold]] inline void check_rate(const char* who, const char* name, double value) {
  require<OptionError>(value >= 0 && value <= 1e6, who, ": ", name, " must be 0 to 1e6, got ", value);
}
[[gnu::cold]] inline void check_share(const char* who, const char* name, double value) {
  require<OptionError>(value >= 0 && value < 1, who, ": ", name, " must be at least 0 and below 1, got ", value);
}
[[gnu::cold]] inline void check_options(const SgdOptions& o) {
  check_rate("Sgd", "lr", o.lr);
  check_rate("Sgd", "weight_decay", o.weight_decay);
  check_share("Sgd", "momentum", o.momentum);
  require<OptionError>(!o.nesterov || o.momentum > 0, "Sgd: nesterov needs a momentum above 0");
}
[[gnu::cold]] inline void check_options(const AdamOptions& o) {
  check_rate("Adam", "lr", o.lr);
  check_rate("Adam", "weight_decay", o.weight_decay);
  check_share("Adam", "beta1", o.beta1);
  check_share("Adam", "beta2", o.beta2);
  require<OptionError>(o.eps > 0 && o.eps <= 1, "Adam: eps must be above 0 and at most 1, got ", o.eps);
}

[[gnu::cold]] inline std::string describe(const std::vector<ParameterGroup>& groups, Index epochs) {
  std::string out;
  for (const ParameterGroup& group : groups) {
    out += "; " + group.prefix + ":";
    if (group.lr) out += text(" lr ", *group.lr);
    if (group.weight_decay) out += text(" weight_decay ", *group.weight_decay);
    if (group.frozen) out += " frozen";
    if (group.schedule) out += " " + describe(*group.schedule, epochs);
  }
  return out;
}
}  // namespace detail

/// One line with every setting, as it is kept in checkpoints of a run of so many epochs.
[[nodiscard, gnu::cold]] inline std::string describe(const Sgd& rule, Index epochs) {
  const SgdOptions& o = rule.options;
  return text("Sgd lr ", o.lr, " momentum ", o.momentum, " weight_decay ", o.weight_decay,
              o.nesterov ? " nesterov" : "", detail::describe(rule.groups, epochs));
}
[[nodiscard, gnu::cold]] inline std::string describe(const Adam& rule, Index epochs) {
  const AdamOptions& o = rule.options;
  return text("Adam lr ", o.lr, " beta1 ", o.beta1, " beta2 ", o.beta2, " eps ", o.eps, " weight_decay ",
              o.weight_decay, o.decoupled ? " decoupled" : "", detail::describe(rule.groups, epochs));
}

}  // namespace limn
