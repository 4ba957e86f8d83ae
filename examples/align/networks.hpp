// The networks of the studies, and the maps by which the classifier explains itself.
#pragma once

#include <limn/limn.hpp>

#include "limn/models/masker.hpp"

namespace example {

/// For pictures of other channels and classes (VLCS: 3 and 5, Terra Incognita: 3 and 10) change these two numbers.
inline constexpr int channels = 1, classes = 2;

using Net = limn::models::SlimResNet18<limn::Cpu, channels, classes>;
using Masker = limn::models::Masker<limn::Cpu, channels>;

/// Where the classifier looks: the last stage, as in the paper, or for pictures so small that its map is hardly one (2
/// x 2 at 32 pixels) the second.
using LastStage = limn::GradCam<"layer4">;
using SecondStage = limn::GradCam<"layer2">;

}  // namespace example
