// What a layer gives, shown as it is: the mean over its channels, whatever the class. Of an attention gate's alpha that
// is the attention itself; of a feature map it is what fusion networks are explained by (Abbaspour Onari et al. 2025,
// section 4.3).
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "limn/explain/explanation.hpp"
#include "limn/explain/saliency.hpp"

namespace limn::explain {

/// The layer is named as in at<"fusion.alpha">(net): a wrong name does not compile.
template <Name Layer>
struct Activation {
  static constexpr const char* name = "Activation";
  static constexpr bool probability = false;  ///< values have no scale of their own
  /// The map is brought to the picture's size, and values beyond these shares of its sorted values are moved to the
  /// value there (linear between ranks): .01 as in the paper's code. 0: the map stays as it is.
  double clip = 0;

  /// One explanation per image (n, h, w, c). Throws OptionError unless 0 <= clip < .5.
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index>) const {
    require<OptionError>(clip >= 0 && clip < .5, "explain::Activation: clip must be at least 0 and below .5, got ",
                         clip);
    const NoRecord no_record;
    Run<B> run;
    const std::size_t tap = run.tap(at<Layer>(net));
    (void)run(net, Var<B>(images));
    const Tensor<B> maps = mean_map(run.tapped(tap)).value();
    std::vector<Explanation> out;
    for (Index i = 0; i < maps.dim(0); ++i) {
      const auto grid = run.grid_of(tap);
      if (clip > 0)
        out.push_back({.map = clipped(over_picture(map_of(maps, i), grid, images.dim(1), images.dim(2)))});
      else
        out.push_back({.map = map_of(maps, i), .grid = grid});
    }
    return out;
  }

  /// The same inside training (explain/saliency.hpp).
  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<Layer>(net);
  }
  template <Backend B>
  [[nodiscard]] Var<B> saliency(const Question<B>& question) const {
    return mean_map(question.run.watched(Layer.view()));
  }

 private:
  template <Backend B>
  static Var<B> mean_map(const Var<B>& activation) {
    require<ShapeError>(activation.rank() == 4, "explain::Activation: the layer gives ", activation.shape(),
                        ", expected a map (n, h, w, c)");
    return mean(activation, {-1});
  }
  [[nodiscard]] Map clipped(Map map) const {
    std::vector<float> sorted(map.begin(), map.end());
    std::sort(sorted.begin(), sorted.end());
    const auto at = [&](double share) {
      const double rank = share * static_cast<double>(sorted.size() - 1);
      const auto low = static_cast<std::size_t>(rank), high = std::min(low + 1, sorted.size() - 1);
      return sorted[low] + static_cast<float>(rank - static_cast<double>(low)) * (sorted[high] - sorted[low]);
    };
    const float low = at(clip), high = at(1 - clip);
    for (float& v : map) v = std::clamp(v, low, high);
    return map;
  }
};

}  // namespace limn::explain
