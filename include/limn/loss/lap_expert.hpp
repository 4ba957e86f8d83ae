// Supervision of LAPs by what experts marked (Distinguishing Clues, appendix C.6), for data of which all, some or no
// samples are annotated.
#pragma once

#include <algorithm>
#include <vector>

#include "limn/loss/explanation/map.hpp"
#include "limn/loss/lap.hpp"

namespace limn {

namespace detail {

/// Brings the masks of a batch onto the elements of a map. An element is marked where half or more of what it stands
/// for is (Run::grid); where none is, the elements that come closest are, so that a finding of any size teaches every
/// depth. Empty masks are none.
struct MarkedByMasks {
  template <Backend B>
  Marked<B> operator()(const Step<B>& step, const Shape& map) const {
    using T = typename B::scalar;
    const Batch<B>& batch = step.batch;
    const int axes = map.rank();  // a picture's 4 or a volume's 5
    const Index n = map[0], size = map.product(1, axes - 1);
    Shape one = map;
    one[axes - 1] = 1;
    Marked<B> out{Tensor<B>(one, T(0)), std::vector<Index>(static_cast<std::size_t>(n), 0)};
    if (std::none_of(batch.has_mask.begin(), batch.has_mask.end(), [](auto has) { return has != 0; })) return out;
    require<ShapeError>(static_cast<Index>(batch.has_mask.size()) == n && batch.masks.rank() == axes &&
                            batch.masks.dim(0) == n && batch.masks.dim(-1) == 1,
                        "lap_expert_supervision: ", n, " labels, but masks of ", batch.masks.shape(), ", ",
                        batch.has_mask.size(), " of them given");
    const Tensor<B> covered = mask_on(batch.masks, one, step.run.grid(map));
    for (Index i = 0; i < n; ++i) {
      const T* share = covered.data() + i * size;
      const T most = *std::max_element(share, share + size);
      if (batch.has_mask[static_cast<std::size_t>(i)] == 0 || !(most > 0)) continue;
      const T enough = std::min(T(0.5), most) * (1 - T(1e-5));  // forgives rounding
      for (Index e = 0; e < size; ++e) {
        if (share[e] < enough) continue;
        out.inside.data()[i * size + e] = 1;
        ++out.count[static_cast<std::size_t>(i)];
      }
    }
    return out;
  }
};

}  // namespace detail

/// LapSupervision with masks (Eq. 8): in samples with a mask, MinAR takes the marked elements in place of the highest,
/// and MaxAR all others in place of the lowest; each clue that speaks for the sample's class gets the mask. Where the
/// clue is absent, IAR takes as many of the highest as are marked on average in the batch's samples that have it. The
/// paper multiplies that mean number of marked elements by their number; it must be their mean share.
///
/// Samples without a mask, or with an empty one, are taught as by LapSupervision, by the shares of the options; so is
/// IAR in a batch without a mask for the clue. A term that the options switch off is off for all samples. The
/// discriminative scorers learn as ever.
struct LapExpertSupervision {
  static constexpr const char* name = "lap_expert_supervision";
  LapSupervisionOptions options = {};

  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return detail::supervise_laps(name, step, options, detail::MarkedByMasks{});
  }
};

}  // namespace limn
