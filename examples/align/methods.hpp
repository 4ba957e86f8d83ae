// What the studies of ALIGN try: methods, each with the same network, optimiser and number of steps.
#pragma once

#include <limn/limn.hpp>
#include <string>
#include <vector>

#include "common/options.hpp"
#include "limn/data/masks.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/evaluate/superpixel_mask.hpp"
#include "limn/loss/align.hpp"
#include "limn/loss/domain_risks.hpp"
#include "limn/loss/mixing.hpp"
#include "limn/loss/saliency_guided.hpp"

namespace example {

/// For pictures of other channels and classes (VLCS: 3 and 5, Terra Incognita: 3 and 10) change these two numbers.
inline constexpr int channels = 1, classes = 2;

using Net = limn::models::SlimResNet18<limn::Cpu, channels, classes>;
using Masker = limn::models::Masker<limn::Cpu, channels>;
using Cam = limn::GradCam<"layer2">;  // 8 x 8 at 32 pixels; the last stage would have 2 x 2

struct Setup {
  std::string method, domain;  ///< domain: the one that is left out, or the only one that is learned from
  limn::Index seed = 1;

  [[nodiscard]] limn::StudySettings settings() const {
    return {{"method", method}, {"domain", domain}, {"seed", limn::text(seed)}};
  }
};

/// Every method with every domain. Methods that compare domains need more than one.
inline std::vector<Setup> grid(const RunOptions& options, const limn::data::Dataset& data) {
  std::vector<std::string> methods{"erm", "saliency_guided", "dre"};
  if (options.study == "methods") methods.insert(methods.end(), {"irm", "group_dro", "mixup"});
  methods.insert(methods.end(), {"grey_masks", "superpixel_masks", "align"});
  std::vector<Setup> out;
  for (const auto& method : methods)
    for (const auto& domain : data.domain_names()) out.push_back({method, domain});
  return out;
}

/// Calls train(loss, pictures) with what the method minimises, and the pictures with the masks that it learns from.
template <class Train>
void with_method(const std::string& method, const limn::data::Dataset& pictures, const Train& train) {
  using namespace limn;
  const CrossEntropy plain;
  const AlignWeights weights;  // for what other methods share with ALIGN
  const auto dre = plain + weights.regulariser * Dre<Cam>{};
  if (method == "erm") return train(plain, pictures);
  if (method == "saliency_guided") return train(plain + SaliencyGuided{}, pictures);
  if (method == "dre") return train(dre, pictures);
  if (method == "irm") return train(plain + 10.f * IrmPenalty{.warm_up = .3f}, pictures);
  if (method == "group_dro") return train(GroupDro(static_cast<Index>(pictures.domain_names().size())), pictures);
  if (method == "mixup") return train(Mixup{}, pictures);
  const auto guided = dre + weights.guidance * ExplanationLoss<Cam, Bce>{};  // as ALIGN, with masks that stay
  if (method == "grey_masks") return train(guided, data::with_masks(pictures, data::grey_mask));
  require<OptionError>(method == "superpixel_masks", "no such method: ", method);
  train(guided, data::with_masks(pictures, SuperpixelMask{}));
}

}  // namespace example
