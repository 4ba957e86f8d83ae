// What the studies of ALIGN try: methods, each with the same network, optimiser and number of steps.
#pragma once

#include <limn/limn.hpp>
#include <string>
#include <vector>

#include "align/masks.hpp"
#include "common/options.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/loss/domain_risks.hpp"
#include "limn/loss/explanation/align.hpp"
#include "limn/loss/explanation/saliency_guided.hpp"
#include "limn/loss/later.hpp"
#include "limn/loss/mixing.hpp"

namespace example {

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
  if (options.study == "methods") methods.insert(methods.end(), {"irm", "group_dro"});
  methods.insert(methods.end(), {"mixup", "grey_masks", "superpixel_masks", "align"});
  std::vector<Setup> out;
  for (const auto& method : methods)
    for (const auto& domain : data.domain_names()) out.push_back({method, domain});
  return out;
}

/// Epochs of the classifier before masks guide it, whoever made them.
inline limn::Index alone(const RunOptions& options) { return options.epochs / 2; }

/// Calls train(loss, pictures) with what the method minimises, and the pictures with the masks that it learns from.
template <class Cam, class Train>
void with_method(const std::string& method, const limn::data::Dataset& pictures, const RunOptions& options,
                 const Train& train) {
  using namespace limn;
  const CrossEntropy plain;
  const AlignWeights weights;  // for what other methods share with ALIGN
  const auto dre = plain + weights.regulariser * Dre<Cam>{};
  if (method == "erm") return train(plain, pictures);
  if (method == "saliency_guided") return train(plain + SaliencyGuided{}, pictures);
  if (method == "dre") return train(dre, pictures);
  if (method == "irm") return train(plain + later(.3, IrmPenalty{}), pictures);
  if (method == "group_dro") return train(GroupDro(static_cast<Index>(pictures.domain_names().size())), pictures);
  if (method == "mixup") return train(Mixup{}, pictures);
  const double share = static_cast<double>(alone(options)) / static_cast<double>(options.epochs);
  const auto guided = dre + later(share, weights.guidance * ExplanationLoss<Cam, Bce>{});  // as ALIGN: masks that stay
  const data::Dataset ruled = with_rule(method, pictures);
  require<OptionError>(!ruled.empty(), "no such method: ", method);
  train(guided, ruled);
}

}  // namespace example
