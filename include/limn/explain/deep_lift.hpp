// DeepLIFT (Shrikumar et al. 2017, rescale rule): how much every number of the picture contributes to the difference
// between the class score of the picture and that of a baseline. Contributions add up to that difference.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "limn/explain/attribution.hpp"
#include "limn/explain/rules/deep_lift.hpp"

namespace limn::explain {

struct DeepLift {
  static constexpr const char* name = "DeepLIFT";
  static constexpr bool probability = false;

  float baseline = 0;                         ///< the number that stands everywhere in the baseline
  std::vector<std::string> elementwise = {};  ///< operations of yours that are functions of one number
  bool captum_softmax = false;                ///< a softmax inside the network as in Captum; not complete

  /// multiplier * (picture - baseline), of the shape of the images (n, h, w, c). Residual: their sum less the
  /// difference of the scores. `baselines` has the images' shape.
  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images, const Tensor<B>& baselines,
                                            std::span<const Index> classes) const {
    require<ShapeError>(baselines.shape() == images.shape(), "DeepLIFT: images ", images.shape(), ", baselines ",
                        baselines.shape());
    const Index n = images.dim(0);
    require<ShapeError>(static_cast<Index>(classes.size()) == n, "DeepLIFT: ", n, " images, but ", classes.size(),
                        " classes");
    Shape doubled = images.shape();
    doubled[0] = 2 * n;
    Tensor<B> both(doubled);
    std::copy_n(images.data(), images.size(), both.data());
    std::copy_n(baselines.data(), images.size(), both.data() + images.size());

    const RecordedPass<B> pass = record_pass(net, both, true);
    std::vector<Index> of(classes.begin(), classes.end());
    of.insert(of.end(), classes.begin(), classes.end());
    const Tensor<B> start = one_hot(pass.logits.value(), std::span<const Index>(of));
    Rules<B> rules = deep_lift::rules<B>();
    for (const std::string& operation : elementwise) rules.on(operation, deep_lift::elementwise<B>);
    if (captum_softmax) rules.on("softmax", deep_lift::captum_softmax<B>);
    const Var<B> multipliers = grad(pass.logits, pass.images, {.upstream = {Var<B>(start)}, .rules = &rules});

    const NoRecord no_record;
    Attribution<B> out{(deep_lift::pictures(multipliers) * (Var<B>(images) - Var<B>(baselines))).value(), {}};
    out.residual = row_sums(out.values);
    const std::vector<double> scores = row_sums((pass.logits.detach() * Var<B>(start)).value());
    for (std::size_t i = 0; i < classes.size(); ++i) out.residual[i] -= scores[i] - scores[i + classes.size()];
    return out;
  }
  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    return attributions(net, images, Tensor<B>(images.shape(), static_cast<typename B::scalar>(baseline)), classes);
  }
  /// The sum over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::sum);
  }
};

}  // namespace limn::explain
