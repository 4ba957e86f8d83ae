// The explanation that a network with a BotCL gives of itself (Wang et al. 2023): where the concepts are that speak for
// a class.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "limn/explain/explanation.hpp"
#include "limn/nn/botcl.hpp"

namespace limn::explain {

/// The attention of the concepts, each times the weight that the classifier gives it for the class. At: the path of the
/// BotCl in the network; "botcl", as in a BotClNet, goes without saying.
template <Name At = "botcl">
struct BotCl {
  static constexpr const char* name = "BotCL";
  static constexpr bool probability = false;  ///< weights have no scale of their own
  /// Concepts that speak against the class count too, with their sign. The authors' code leaves them out.
  bool against = false;

  /// `parts` has the attention of every concept, 0 to 1.
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    require<ShapeError>(images.dim(0) == static_cast<Index>(classes.size()), "explain::BotCl: images ", images.shape(),
                        ", but ", classes.size(), " classes");
    const NoRecord no_record;
    const auto& head = at<At>(net);
    Run<B> run;
    const std::size_t tap = run.listen(head.attention);
    (void)run(net, Var<B>(images));
    const Tensor<B>& attention = run.tapped(tap).value();
    const Tensor<B>& weights = head.classify.weight.value();
    const Grid grid = run.grid_of(tap);
    std::vector<Explanation> out;
    for (Index i = 0; i < images.dim(0); ++i) {
      const Index of_class = classes[static_cast<std::size_t>(i)];
      require(of_class >= 0 && of_class < weights.dim(0), "explain::BotCl: class ", of_class, ", expected 0 to ",
              weights.dim(0) - 1);
      Explanation e;
      e.grid = grid;
      for (Index k = 0; k < weights.dim(1); ++k) {
        const auto weight = static_cast<float>(weights(of_class, k));
        Map one = map_of(attention, i, k);
        if (k == 0) e.map = Map(one.shape(), 0.f);
        if (weight > 0 || against)
          for (std::size_t p = 0; p < one.size(); ++p) e.map.data()[p] += weight * one.data()[p];
        e.parts.push_back({text("concept ", k + 1, " (weight ", weight, ")"), std::move(one), grid});
      }
      out.push_back(std::move(e));
    }
    return out;
  }
};

}  // namespace limn::explain
