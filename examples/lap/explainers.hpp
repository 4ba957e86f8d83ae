// The explainers that are compared. One more is one more line.
#pragma once

#include <type_traits>

#include "lap/networks.hpp"
#include "limn/explain/deep_lift.hpp"
#include "limn/explain/grad_cam.hpp"
#include "limn/explain/guided_backprop.hpp"
#include "limn/explain/lap.hpp"
#include "limn/explain/lap_alone.hpp"
#include "limn/explain/relevance_cam.hpp"

namespace example {

/// How the report calls LAPs on a network, whether they are in it or beside it.
inline constexpr const char* joined_laps = "LAP";
inline constexpr std::size_t depths = 4;

/// Calls visit(name, explainer) for each explainer of a network without LAPs. Class activation maps at several layers:
/// deep ones know the class, shallow ones are fine.
template <class Visit>
void each_compared(const Visit& visit) {
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
}

/// Calls visit(name, explainer) for the explainers of a study: a network's LAPs, each depth alone in the study of
/// depths, and the compared methods beside them where there is something to compare.
template <class Net, class Visit>
void each_explainer(const Net&, const RunOptions& options, const Visit& visit) {
  if constexpr (!std::is_same_v<Net, Plain>) visit(joined_laps, limn::explain::Lap{});
  if (options.study == "depths")
    for (std::size_t l = 1; l <= depths; ++l)
      if constexpr (!std::is_same_v<Net, Plain>) visit("LAP " + std::to_string(l), limn::explain::LapAlone{l});
  // Beside the network stand LAPs alone: all else is the plain network's.
  if constexpr (std::is_same_v<Net, Plain> || std::is_same_v<Net, PluggedIn>)
    if (options.study == "localisation" || options.study == "time") each_compared(visit);
}

}  // namespace example
