// The mask of a masker as an explanation: what the network would be shown of a picture, whatever the class.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/explanation.hpp"
#include "limn/models/masker.hpp"

namespace limn::explain {

/// For evaluation, galleries and faithfulness studies beside other explainers: MaskOf{masker}. The masker must live,
/// where it is, as long as this.
template <models::MaskNetwork M>
struct MaskOf {
  static constexpr const char* name = "Mask";
  static constexpr bool probability = true;

  explicit MaskOf(const M& masker) : masker_(&masker) {}
  explicit MaskOf(const M&& masker) = delete;

  /// One explanation per image (n, h, w, c), of its size.
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net&, const Tensor<B>& images,
                                                               std::span<const Index>) const {
    const NoRecord no_record;
    Run<B> run;
    const Tensor<B> masks = models::mask_of(*masker_, Var<B>(images), run).value();
    std::vector<Explanation> out;
    for (Index i = 0; i < masks.dim(0); ++i) out.push_back({.map = map_of(masks, i)});
    return out;
  }

 private:
  const M* masker_;
};

}  // namespace limn::explain
