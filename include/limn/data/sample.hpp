// One picture with what is known about it.
#pragma once

#include <optional>
#include <string>
#include <xtensor/xtensor.hpp>

#include "limn/core/config.hpp"

namespace limn::data {

using Image = xt::xtensor<float, 3>;  // (H, W, C), values in [0, 1]
using Mask = xt::xtensor<float, 2>;   // (H, W), 0 or 1

struct Sample {
  std::string id;
  std::string group;  // samples of one group (a patient, say) must not be split apart; the id where nothing is known
  Index label = 0;    // position in Dataset::class_names()
  Image image;
  std::optional<Mask> mask;               // none: not annotated. All 0: annotated, and there is nothing to see.
  Index file_height = 0, file_width = 0;  // of the file that the image was read from; 0: of none
};

}  // namespace limn::data
