// Losses of networks with several heads: each head has its own cross-entropy.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "limn/loss/classification.hpp"

namespace limn {

/// Mean over the batch of -ln p(label), of the logits (n, classes) that a named layer gives:
/// CrossEntropyAt<"global.fc">.
template <Name Layer>
struct CrossEntropyAt {
 private:
  static constexpr auto full_name = [] {
    constexpr std::string_view what = "cross_entropy at ", where = Layer.view();
    std::array<char, what.size() + where.size() + 1> out{};
    std::copy(where.begin(), where.end(), std::copy(what.begin(), what.end(), out.begin()));
    return out;
  }();

 public:
  static constexpr const char* name = full_name.data();

  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template listen<Layer>(net);
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return cross_entropy(step.run.watched(Layer.view()), std::span<const Index>(step.batch.labels));
  }
};

/// The weights of the three losses of a models::TwoBranch.
struct BranchWeights {
  float global = .3f, local = .3f, fused = .4f;
};

/// The weighted sum of the cross-entropies of both branches and of the decision (Abbaspour Onari et al. 2025, Eq. 7).
/// Throws OptionError unless the weights are at least 0 and sum to one.
[[nodiscard]] inline auto branch_losses(const BranchWeights& weights = {}) {
  const auto [global, local, fused] = weights;
  require<OptionError>(global >= 0 && local >= 0 && fused >= 0 && std::abs(global + local + fused - 1) < 1e-5f,
                       "branch_losses: weights must be at least 0 and sum to one, got ", global, ", ", local, ", ",
                       fused);
  return global * CrossEntropyAt<"global.fc">{} + local * CrossEntropyAt<"local.fc">{} + fused * CrossEntropy{};
}

}  // namespace limn
