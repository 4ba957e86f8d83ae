// Gradient SHAP (Lundberg and Lee 2017; as in the shap package and Captum): integrated gradients with a background
// drawn from a distribution and one random point of the way for each sample.
#pragma once

#include <span>
#include <vector>

#include "limn/explain/gradients/averaged_gradients.hpp"

namespace limn::explain {

/// The mean over samples of (picture - background) * the gradient at a random point between them. Adds up to the
/// difference between the picture's score and the mean score of the background, as far as the mean is the expectation.
struct GradientShap {
  static constexpr const char* name = "Gradient SHAP";
  static constexpr bool probability = false;

  Index samples = 50;
  double deviation = 0;         ///< of normal noise on the picture
  Tensor<Cpu> background = {};  ///< (m, h, w, c), each sample draws one; empty: zeros
  Seed seed = {};

  /// Of the shape of the images (n, h, w, c). What is drawn depends on the seed and the number of the sample alone, so
  /// a picture is explained in a batch as it is alone. Throws OptionError for no samples, ShapeError for a background
  /// of other pictures.
  template <class Net, Backend B>
  [[nodiscard]] Attribution<B> attributions(const Net& net, const Tensor<B>& images,
                                            std::span<const Index> classes) const {
    using S = typename B::scalar;
    const Index n = images.dim(0), size = images.size() / std::max<Index>(n, 1);
    require<OptionError>(samples >= 1 && deviation >= 0, "gradient SHAP: ", samples, " samples, deviation ", deviation,
                         ": expected at least one, and no deviation below 0");
    require<ShapeError>(
        background.empty() ||
            (background.rank() == 4 && background.dim(0) >= 1 && background.size() / background.dim(0) == size &&
             background.dim(1) == images.dim(1) && background.dim(3) == images.dim(3)),
        "gradient SHAP: a background ", background.shape(), " for images ", images.shape());
    Attribution<B> out{Tensor<B>(images.shape(), 0), std::vector<double>(static_cast<std::size_t>(n), 0)};
    for (Index sample = 0; sample < samples; ++sample) {
      Random random(seed, "gradient shap", sample);
      const S at = static_cast<S>(random.uniform());
      const Index drawn = background.empty() ? 0 : random.below(background.dim(0));
      Tensor<B> way(images.shape()), point(images.shape()), start(images.shape());
      for (Index p = 0; p < size; ++p) {
        const S from = background.empty() ? S(0) : static_cast<S>(background.data()[drawn * size + p]);
        const S noise = deviation > 0 ? static_cast<S>(deviation * random.normal()) : S(0);
        for (Index i = p; i < images.size(); i += size) {
          start.data()[i] = from;
          way.data()[i] = images.data()[i] + noise - from;
          point.data()[i] = from + at * way.data()[i];
        }
      }
      const Tensor<B> g = score_gradient(net, point, classes);
      for (Index i = 0; i < images.size(); ++i)
        out.values.data()[i] += way.data()[i] * g.data()[i] / static_cast<S>(samples);
      const auto from = class_scores(net, start, classes);
      for (std::size_t i = 0; i < from.size(); ++i) out.residual[i] += from[i] / static_cast<double>(samples);
    }
    const auto sums = row_sums(out.values), to = class_scores(net, images, classes);
    for (std::size_t i = 0; i < to.size(); ++i) out.residual[i] += sums[i] - to[i];
    return out;
  }
  /// The sum over channels.
  template <class Net, Backend B>
  [[nodiscard]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                    std::span<const Index> classes) const {
    return explanations(attributions(net, images, classes), Channels::sum);
  }
};

}  // namespace limn::explain
