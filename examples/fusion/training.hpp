// Cross-validation by group, and how the networks of the study learn.
#pragma once

#include <algorithm>
#include <filesystem>
#include <set>
#include <vector>

#include "common/study.hpp"
#include "fusion/networks.hpp"
#include "limn/loss/branches.hpp"

namespace example {

struct Sets {
  limn::data::Dataset train, val, test;
};

/// Run k is tested on part k of five (of as many as there are groups, where there are fewer); what validation stops the
/// training by is taken from the other parts. No group is in two sets.
inline Sets sets_of(const limn::data::Dataset& all, const RunOptions& options, limn::Index run) {
  const std::vector<std::string> groups = all.groups();
  const auto parts = std::min<limn::Index>(5, std::ssize(std::set(groups.begin(), groups.end())));
  const std::uint64_t seed = options.seed + static_cast<std::uint64_t>((run - 1) / parts);
  const auto [rest, test] = all.folds({.count = parts, .seed = seed}).at(static_cast<std::size_t>((run - 1) % parts));
  const auto [train, val, none] = rest.split({.fractions = {.85, .15, 0}, .seed = seed});
  return {train, val, test};
}

/// Tested on these pictures, learned from those of other groups.
inline Sets sets_around(const limn::data::Dataset& test, const limn::data::Dataset& all, const RunOptions& options) {
  const auto [train, val, none] = all.apart_from(test).split({.fractions = {.85, .15, 0}, .seed = options.seed});
  return {train, val, test};
}

/// Three losses, and for the branches learning rate and weight decay of their own: three optimisers. The paper's weight
/// decays; its learning rates are for pretrained branches, ours begin with nothing.
template <class Net>
void train_network(Net& net, const Sets& sets, const RunOptions& options, limn::Index seed,
                   const std::filesystem::path& folder) {
  using namespace limn;
  const train::FitOptions how{.epochs = options.epochs,
                              .batch = options.batch,
                              .out = folder,
                              .seed = Seed{static_cast<std::uint64_t>(seed)},
                              .augment = {.flip = true, .rotate_degrees = 5, .shift = .05f},
                              .schedule = StepDecay{.every = (options.epochs + 1) / 2, .factor = .1},
                              .patience = 10,
                              .resume = options.resume,
                              .quiet = true};
  const auto learn = [&](const auto& loss, const Sgd& optimisers) {
    const auto fit = train::fit(net, loss, optimisers, sets.train, sets.val, how);
    require(fit.ending != train::Ending::interrupted, "stopped; --resume goes on");
  };
  constexpr SgdOptions global{.lr = .05, .momentum = .9, .weight_decay = 2.6e-4};
  constexpr SgdOptions local{.lr = .02, .momentum = .9, .weight_decay = 5e-4};
  constexpr SgdOptions fusion{.lr = .001, .momentum = .9, .weight_decay = 4.4e-4};
  if constexpr (IsJoined<Net>) {
    learn(branch_losses({.global = .3f, .local = .3f, .fused = .4f}),
          {fusion,
           {{.prefix = "global", .lr = global.lr, .weight_decay = global.weight_decay},
            {.prefix = "local", .lr = local.lr, .weight_decay = local.weight_decay}}});
  } else {
    learn(CrossEntropy{}, {std::is_same_v<Net, Global<Net::out_channels>> ? global : local, {}});
  }
  keep_weights_only(net, folder);
}

}  // namespace example
