// The networks of the study, and the maps by which each of them explains itself.
#pragma once

#include <limn/limn.hpp>
#include <string>

#include "limn/explain/cam/activation.hpp"
#include "limn/explain/shap.hpp"
#include "limn/models/bagnet.hpp"
#include "limn/models/two_branch.hpp"

namespace example {

using limn::Cpu;

/// Small relatives of ResNet-50 and BagNet-33: maps of 128 channels, patches of 17 pixels. The decision reads the fused
/// map that pictures of 64 x 64 have; maps of larger ones are resized to it.
template <int Classes>
using Global = limn::models::SlimResNet18<Cpu, 1, Classes>;
template <int Classes>
using Local = limn::models::BagNet<Cpu, 1, Classes, 3, 4, limn::models::Blocks{1}>;
template <int Classes, class Fusion>
using Joined = limn::models::TwoBranch<Global<Classes>, Local<Classes>, Fusion, 64>;
template <int Classes>
using Gate = Joined<Classes, limn::AttentionGate<Cpu, 128, 128>>;

/// Concatenation and multiplication, with the paper's dropout.
template <int Classes, class Fusion>
Joined<Classes, Fusion> with_dropout(limn::Seed seed) {
  Joined<Classes, Fusion> net(seed);
  net.fusion.block.dropout.rate = .25;
  return net;
}

template <class Net>
concept IsJoined = requires(const Net& net) {
  net.fusion;
};

/// Calls use(net) with a new network. "global alone" and "local alone" are branches that are trained by themselves.
template <int Classes, class Use>
auto with_network(const std::string& name, limn::Seed seed, const Use& use) {
  if (name == "gate") return use(Gate<Classes>(seed));
  if (name == "concatenation") return use(with_dropout<Classes, limn::Concatenate<Cpu, 128, 128>>(seed));
  if (name == "product") return use(with_dropout<Classes, limn::Multiply<Cpu, 128>>(seed));
  if (name == "global alone") return use(Global<Classes>(seed));
  return use(Local<Classes>(seed));
}

/// Calls use(model, network, map, explainer) for every map of a trained network, and for those of the gate's branches,
/// which are networks too: the paper's ten configurations; and the attention itself, and the branches alone.
template <class Net, class Use>
void each_map(const std::string& name, const Net& net, const Use& use) {
  using namespace limn::explain;
  const auto both = [&](const std::string& model, const auto& network, const auto& saliency) {
    use(model, network, "saliency", saliency);
    use(model, network, "SHAP", Shap{.evaluations = 100, .cover = {.with = limn::FillWith::inpaint}});
  };
  constexpr double clip = .01;
  if constexpr (IsJoined<Net>) {
    both(name, net, Activation<"fusion">{clip});
  } else {
    use(name, net, "saliency", Activation<"layer4">{clip});
  }
  if constexpr (requires { net.fusion.alpha; }) {
    use(name, net, "attention", Activation<"fusion.alpha">{});
    both("global", net.global, Activation<"layer4">{clip});
    both("local", net.local, Activation<"layer4">{clip});
  }
}

}  // namespace example
