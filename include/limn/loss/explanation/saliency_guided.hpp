// Saliency-guided training (Ismail et al. 2021, "Improving Deep Learning Interpretability by Saliency Guided
// Training"): what the gradient calls unimportant may be replaced, and the answer should stay.
#pragma once

#include <algorithm>
#include <vector>

#include "limn/explain/gradients/input_gradient.hpp"
#include "limn/explain/saliency.hpp"
#include "limn/loss/loss.hpp"

namespace limn {

/// Mean over the pictures of KL(p(x) || p(x~)), x~ being x with the `share` of its pixels whose gradient of the label's
/// score is smallest (sum of the channels' absolute values, ties by position) replaced by uniform random values between
/// the picture's smallest and largest one. The gradient goes through both answers, not through which pixels were
/// chosen. Beside cross-entropy: CrossEntropy{} + SaliencyGuided{}. Costs a gradient and a pass of the network.
/// Throws OptionError for a share out of range.
struct SaliencyGuided {
  static constexpr const char* name = "saliency_guided";
  float share = .5f;

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    explain::InputGradient{}.watch(net, run);
  }

  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    require<OptionError>(share >= 0 && share <= 1, name, ": share must be 0 to 1, got ", share);
    const Var<B> score = sum(explain::scores(step.logits, step.batch.labels));
    const Var<B> gradient = grad(score, step.run.watched_input(), {.retain_graph = true});
    const Tensor<B> importance = sum(abs(gradient.detach()), {-1}).value();
    const Var<B> before = log_softmax(step.logits),
                 after = log_softmax(step.again(replaced(step.batch.images, importance, step.run.seed)).logits);
    return mean(sum(exp(before) * (before - after), {-1}));
  }

 private:
  /// The pictures (n, h, w, c) with their least important pixels replaced; importance (n, h, w, 1).
  template <Backend B>
  [[nodiscard]] Tensor<B> replaced(const Tensor<B>& images, const Tensor<B>& importance, Seed seed) const {
    const Index n = images.dim(0), pixels = importance.size() / n, channels = images.dim(3);
    const auto taken = static_cast<Index>(static_cast<double>(share) * static_cast<double>(pixels));
    Tensor<B> out = images.clone();
    std::vector<Index> order(static_cast<std::size_t>(pixels));
    for (Index i = 0; i < n; ++i) {
      Random random(seed, name, i);
      auto* const picture = out.data() + i * pixels * channels;
      const auto [low, high] = std::minmax_element(picture, picture + pixels * channels);
      const auto from = static_cast<double>(*low), to = static_cast<double>(*high);
      for (Index k = 0; k < pixels; ++k) order[static_cast<std::size_t>(k)] = k;
      const auto* const of = importance.data() + i * pixels;
      std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return of[a] < of[b]; });
      for (Index k = 0; k < taken; ++k)
        for (Index c = 0; c < channels; ++c)
          picture[order[static_cast<std::size_t>(k)] * channels + c] =
              static_cast<typename B::scalar>(random.uniform(from, to));
    }
    return out;
  }
};

}  // namespace limn
