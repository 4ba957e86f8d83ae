// The networks that are compared: one architecture, without LAPs, with LAPs beside it, with LAPs in it, and as the
// backbone of a BotCL.
#pragma once

#include <filesystem>
#include <type_traits>

#include "lap/setups.hpp"
#include "limn/data/dataset.hpp"
#include "limn/models/resnet.hpp"
#include "limn/models/weights.hpp"
#include "limn/nn/attach.hpp"
#include "limn/nn/botcl.hpp"

namespace example {

using Plain = limn::models::SlimResNet18<limn::Cpu, 1, 2>;
using PluggedIn = limn::models::SlimResNet18<limn::Cpu, 1, 2, limn::pool::Lap>;
/// A BotCL, which classifies by 20 concepts in what layer4 gives.
using Concepts = limn::BotClNet<Plain, "layer4", 20>;

/// The network explains itself by LAPs, in it or beside it.
template <class Net>
inline constexpr bool has_laps = !std::is_same_v<Net, Plain> && !std::is_same_v<Net, Concepts>;

/// LAPs on the feature maps that they pool in PluggedIn.
inline auto beside(const Plain& net, limn::Seed seed = {}) {
  return limn::lap::attach<"layer1", "layer2", "layer3", "layer4">(net, limn::lap::binary(), seed);
}

struct Sets {
  limn::data::Dataset train, val, test;
};

/// Trains the network of a setup and keeps its weights in the folder. What it starts from is a run of the study that is
/// done. All networks see the same pictures; LAPs by the schedule of the plain network, detached ones and fine-tuned
/// networks for half its epochs; BotCL by its authors' schedule, which leaves all but the last stage as it is.
/// Says how fast it learned: seconds_per_epoch, of the fastest one, and the most memory in use, training_megabytes.
limn::StudyValues train(const Setup& setup, const limn::Study& study, const Sets& sets, const RunOptions& options,
                        const std::filesystem::path& folder);

template <class Net>
void load(Net& net, const std::filesystem::path& folder) {
  (void)limn::load_weights(net, folder / "weights.safetensors");
}

/// The run whose network stays as it is while its LAPs learn.
inline const limn::StudyRun& plain_run(const limn::Study& study, const Setup& setup) {
  return study.at({{"network", "plain"}, {"seed", limn::text(setup.seed)}});
}

/// Calls visit(net) with the network of a setup, whose weights are in the folder.
template <class Visit>
void with_network(const Setup& setup, const limn::Study& study, const std::filesystem::path& folder,
                  const Visit& visit) {
  const auto visit_loaded = [&](auto net) {
    load(net, folder);
    visit(net);
  };
  if (setup.kind == Kind::plain) {
    visit_loaded(Plain{});
  } else if (setup.kind == Kind::botcl) {
    visit_loaded(Concepts{});
  } else if (setup.kind == Kind::detached) {
    Plain net;
    load(net, plain_run(study, setup).folder);
    visit_loaded(beside(net));
  } else {
    visit_loaded(PluggedIn{});
  }
}

}  // namespace example
