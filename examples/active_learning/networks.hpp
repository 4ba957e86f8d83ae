// The networks of the studies, the explainer that looks into all of them, and how a network learns from few labels.
#pragma once

#include <algorithm>
#include <limn/limn.hpp>

#include "common/options.hpp"
#include "limn/evaluate/prototypes.hpp"
#include "limn/loss/prototypical.hpp"
#include "limn/models/densenet.hpp"
#include "limn/models/prototypical.hpp"

namespace example {

/// A small relative of DenseNet-121, with a linear head or with a prototype for every class.
template <int Classes>
using LinearHead = limn::models::SlimDenseNet<limn::Cpu, 1, Classes>;
template <int Classes>
using Prototypes = limn::models::Prototypical<limn::models::SlimDenseFeatures<limn::Cpu, 1>, Classes, 512>;

template <class Net>
concept HasPrototypes = requires(const Net& net) {
  net.prototypes;
};

using Cam = limn::GradCam<"features.denseblock3">;  // the explainer: in the loss, in the score, in the measures

/// A network that begins with nothing and has seen these pictures. An episode has five shots of every class and asks
/// for as many, fewer where fewer are labelled; as it is larger than a batch, there are more epochs.
template <class Net>
Net trained(const limn::data::Dataset& labelled, const RunOptions& options, limn::Seed seed) {
  using namespace limn;
  Net net{seed};
  train::FitOptions how{.epochs = options.epochs,
                        .batch = options.batch,
                        .seed = seed,
                        .augment = {.flip = true, .shift = .05f},
                        .schedule = Cosine{},
                        .restore_best = false,  // there is no validation set: its labels would cost as much
                        .quiet = true};
  const auto learn = [&](const auto& loss) {
    const auto fit = train::fit(net, loss, Adam{{.lr = 3e-3, .weight_decay = 1e-4}}, labelled, labelled, how);
    require(fit.ending == train::Ending::epochs, "stopped; --resume goes on");
  };
  const auto guide = .1f * ExplanationLoss<Cam, Dice>{};
  if constexpr (HasPrototypes<Net>) {
    const Index classes = labelled.classes(), most = std::ranges::max(labelled.counts());
    how.batch = classes * std::min<Index>(10, most);
    how.epochs = std::max<Index>(options.epochs * how.batch / options.batch, 1);
    how.drop_last = true;
    how.before_validation = [&] { set_prototypes(net, labelled); };
    how.before_validation();
    learn(PrototypicalLoss{.shots = how.batch / classes / 2} + guide);
  } else {
    net.dropout.rate = .3;
    learn(CrossEntropy{} + guide);
  }
  return net;
}

}  // namespace example
