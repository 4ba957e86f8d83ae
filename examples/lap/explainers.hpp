// The explainers that are compared. One more is one more line.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include "lap/networks.hpp"
#include "limn/evaluate/predict.hpp"
#include "limn/explain/botcl.hpp"
#include "limn/explain/cam/grad_cam.hpp"
#include "limn/explain/cam/relevance_cam.hpp"
#include "limn/explain/craft.hpp"
#include "limn/explain/deep_lift.hpp"
#include "limn/explain/gradients/guided_backprop.hpp"
#include "limn/explain/lap/lap.hpp"
#include "limn/explain/lap/lap_alone.hpp"

namespace example {

/// How the report calls LAPs on a network, whether they are in it or beside it.
inline constexpr const char* joined_laps = "LAP";
inline constexpr std::size_t depths = 4;

/// CRAFT with the concepts of the finding: of the first 100 training pictures that have one.
template <limn::Name Layer, class Net>
limn::explain::Craft<Layer> learned_concepts(const Net& net, const limn::data::Dataset& train) {
  const auto found = train.filter([](const limn::data::Sample& s) { return s.label == 1; });
  auto pictures = limn::data::Loader(found, {.batch = std::min<limn::Index>(found.size(), 100)}).epoch(0).next();
  limn::explain::Craft<Layer> craft;
  craft.fit(net, limn::to_batch<limn::Cpu>(std::move(*pictures)).images, 1);
  return craft;
}

/// Calls visit(name, explainer) for each explainer of a network that does not explain itself. Class activation maps at
/// several layers: deep ones know the class, shallow ones are fine.
template <class Net, class Visit>
void each_compared(const Net& net, const limn::data::Dataset& train, const Visit& visit) {
  using namespace limn::explain;
  visit("Grad-CAM, layer4", GradCam<"layer4">{});
  visit("Grad-CAM, layer3", GradCam<"layer3">{});
  visit("Grad-CAM, layer2", GradCam<"layer2">{});
  visit("Guided backprop", GuidedBackprop{});
  visit("Guided Grad-CAM, layer4", GuidedGradCam<"layer4">{});
  visit("DeepLIFT", DeepLift{});
  visit("Relevance-CAM, layer4", RelevanceCam<"layer4">{});
  visit("Relevance-CAM, layer3", RelevanceCam<"layer3">{});
  visit("Relevance-CAM, layer2", RelevanceCam<"layer2">{});
  visit("CRAFT, layer4", learned_concepts<"layer4">(net, train));
  visit("CRAFT, layer3", learned_concepts<"layer3">(net, train));
}

/// Calls visit(name, explainer) for the explainers of a study: what a network says of itself, each depth alone in the
/// study of depths, and the compared methods beside them where there is something to compare.
template <class Net, class Visit>
void each_explainer(const Net& net, const limn::data::Dataset& train, const RunOptions& options, const Visit& visit) {
  if constexpr (has_laps<Net>) {
    visit(joined_laps, limn::explain::Lap{});
    if (options.study == "depths")
      for (std::size_t l = 1; l <= depths; ++l) visit("LAP " + std::to_string(l), limn::explain::LapAlone{l});
  }
  if constexpr (std::is_same_v<Net, Concepts>) visit("BotCL", limn::explain::BotCl{});
  // Detached LAPs leave the network as it is: all else is the plain network's.
  if constexpr (std::is_same_v<Net, Plain> || std::is_same_v<Net, PluggedIn>)
    if (options.study != "depths" && options.study != "ablation") each_compared(net, train, visit);
}

}  // namespace example
