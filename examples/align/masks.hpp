// The masks that methods learn from: by a rule, or a masker's.
#pragma once

#include <limn/limn.hpp>
#include <string>
#include <vector>

#include "align/networks.hpp"
#include "limn/data/masks.hpp"
#include "limn/evaluate/superpixel_mask.hpp"
#include "limn/metrics/comparison.hpp"

namespace example {

/// The pictures with the masks of a method that has a rule for them; empty for other methods.
inline limn::data::Dataset with_rule(const std::string& method, const limn::data::Dataset& pictures) {
  if (method == "grey_masks") return limn::data::with_masks(pictures, limn::data::grey_mask);
  if (method == "superpixel_masks") return limn::data::with_masks(pictures, limn::SuperpixelMask{});
  return {};
}

/// The pictures with the masks that a method learned from; empty for a method without any.
inline limn::data::Dataset masks_of(const std::string& method, const Masker& masker,
                                    const limn::data::Dataset& pictures) {
  using namespace limn;
  if (method != "align") return with_rule(method, pictures);
  return data::with_masks(pictures, [&](const data::Image& image) {
    Run<Cpu> run;
    return explain::map_of(models::mask_of(masker, Var<Cpu>(batch_of_one<Cpu>(image)), run).value(), 0);
  });
}

/// Of the mass of these masks, the share that is inside what a person marked: mean over the pictures with such marks.
inline double share_inside(const limn::data::Dataset& masks, const limn::data::Dataset& marked) {
  using namespace limn;
  std::vector<double> shares;
  for (Index i = 0; i < masks.size(); ++i)
    if (marked[i].mask) shares.push_back(metrics::relevance_mass_accuracy(*masks[i].mask, *marked[i].mask));
  return metrics::summary(shares).mean;
}

}  // namespace example
