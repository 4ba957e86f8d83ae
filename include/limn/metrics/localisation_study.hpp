// Sums up where one explainer's maps fall over many pictures, picture by picture.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limn/metrics/localisation.hpp"

namespace limn::metrics {

/// Means over the pictures on which a measure is defined, and their sample standard deviations.
struct LocalisationScores {
  std::string explainer;
  Index images = 0;                                                             ///< pictures given
  double iou_threshold = undefined_value, iou_threshold_std = undefined_value;  ///< the explainer's own threshold
  double iou_mean_std = undefined_value, iou_mean_std_std = undefined_value;    ///< above mean + std of the map
  double iou_top_k = undefined_value, iou_top_k_std = undefined_value;          ///< as many pixels as the mask has
  double iou_learned = undefined_value, iou_learned_std = undefined_value;      ///< NaN without a learned threshold
  double rma = undefined_value, rma_std = undefined_value;                      ///< relevance mass accuracy
  double rra = undefined_value, rra_std = undefined_value;                      ///< relevance rank accuracy
  double pointing = undefined_value, pointing_std = undefined_value;            ///< pointing game
  Index undefined = 0;                 ///< pictures on which some measure is undefined
  std::vector<std::string> reasons;    ///< why, each with a count of pictures
  double mask_area = undefined_value;  ///< mean share of the picture inside the mask: a random map's RMA and RRA
};

struct LocalisationOptions {
  bool probability = true;  ///< true: the threshold holds for the values as they are; false: for shares of the maximum
  double threshold = 0.5;
  std::optional<LearnedThreshold> learned = std::nullopt;
};

/// Takes (map, mask) pairs of one explainer and gives their scores.
class LocalisationStudy {
 public:
  explicit LocalisationStudy(std::string explainer, LocalisationOptions options = {})
      : explainer_(std::move(explainer)), options_(options) {
    require<OptionError>(options_.threshold >= 0 && options_.threshold < 1,
                         "localisation study: expected a threshold in [0, 1), got ", options_.threshold);
    require<OptionError>(!options_.learned || options_.learned->fitted(),
                         "localisation study: the learned threshold has seen no validation mask");
  }

  /// Both (H, W), the same size. `ranking`, where it is given, tells in place of the map which pixels are the highest
  /// (top K, ranks, pointing): a map may hold many equal ones. A map that marks nothing scores an IoU of 0 by
  /// threshold; all that needs a ranking is undefined on it. Throws as check_map does.
  [[gnu::cold]] void add(const Map& map, const Map& mask, const std::optional<Map>& ranking = std::nullopt) {
    check_map(map, mask);
    const Map& rank = ranking ? *ranking : map;
    check_map(rank, mask);
    ++images_;
    const Index inside = mask_size(mask);
    const bool positive = largest(map) > 0, ranked = !is_constant(map);
    rma_.add(relevance_mass_accuracy(map, mask));
    rra_.add(relevance_rank_accuracy(rank, mask));
    pointing_.add(pointing_game(rank, mask));
    if (inside == 0) {
      ++empty_masks_;
      return;
    }
    area_.add(static_cast<double>(inside) / static_cast<double>(mask.size()));
    no_positive_ += !positive;
    constant_ += positive && !ranked;
    threshold_.add(
        iou(fixed_threshold(options_.probability || !positive ? map : max_normalised(map), options_.threshold), mask));
    mean_std_.add(ranked ? iou(mean_plus_std(map), mask) : undefined_value);
    top_k_.add(is_constant(rank) ? undefined_value : iou(top_k(rank, inside), mask));
    learned_.add(options_.learned && positive ? iou((*options_.learned)(map), mask) : undefined_value);
  }

  [[nodiscard, gnu::cold]] LocalisationScores scores() const {
    LocalisationScores s;
    s.explainer = explainer_;
    s.images = images_;
    const auto put = [](const Running& from, double& mean, double& std) {
      mean = from.mean();
      std = from.std();
    };
    put(threshold_, s.iou_threshold, s.iou_threshold_std);
    put(mean_std_, s.iou_mean_std, s.iou_mean_std_std);
    put(top_k_, s.iou_top_k, s.iou_top_k_std);
    put(learned_, s.iou_learned, s.iou_learned_std);
    put(rma_, s.rma, s.rma_std);
    put(rra_, s.rra, s.rra_std);
    put(pointing_, s.pointing, s.pointing_std);
    s.mask_area = area_.mean();
    s.undefined = empty_masks_ + no_positive_ + constant_;
    const auto say = [&](Index count, const char* why) {
      if (count > 0) s.reasons.push_back(text(count, " of ", images_, " pictures: ", why));
    };
    say(empty_masks_, "the mask is empty");
    say(no_positive_, "the map has no positive value");
    say(constant_, "the map is the same everywhere");
    return s;
  }

 private:
  std::string explainer_;
  LocalisationOptions options_;
  Index images_ = 0, empty_masks_ = 0, no_positive_ = 0, constant_ = 0;
  Running threshold_, mean_std_, top_k_, learned_, rma_, rra_, pointing_, area_;
};

}  // namespace limn::metrics
