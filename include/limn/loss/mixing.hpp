// Pictures mixed of two: what DRE and Mixup train on.
#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "limn/core/random.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/explanation/map.hpp"

namespace limn {

namespace detail {

/// Pairs of pictures of a batch, and the share of the first one in each mixture.
template <Backend B>
struct Pairs {
  std::vector<Index> first, second;
  Tensor<B> share;  ///< (pairs, 1, 1, 1)

  [[nodiscard]] bool empty() const { return first.empty(); }
  /// share x[first] + (1 - share) x[second], of pictures or maps (n, h, w, c).
  [[nodiscard]] Var<B> mix(const Var<B>& x) const {
    return pictures(x, first) * Var<B>(share) + pictures(x, second) * (1 - Var<B>(share));
  }
  [[nodiscard]] std::vector<Index> of_first(const std::vector<Index>& labels) const { return of(first, labels); }
  [[nodiscard]] std::vector<Index> of_second(const std::vector<Index>& labels) const { return of(second, labels); }

 private:
  static std::vector<Index> of(const std::vector<Index>& chosen, const std::vector<Index>& labels) {
    std::vector<Index> out;
    for (const Index i : chosen) out.push_back(labels[static_cast<std::size_t>(i)]);
    return out;
  }
};

/// Every picture with another one, in a random order; with `same_class` another one of its class, and pictures that are
/// alone in theirs are left out. Shares are drawn from Beta(alpha, alpha), one for each pair.
template <Backend B>
[[nodiscard, gnu::cold]] Pairs<B> pairs(const std::vector<Index>& labels, bool same_class, float alpha, Random random) {
  std::vector<std::pair<std::uint64_t, Index>> order;  // a random key each
  for (std::size_t i = 0; i < labels.size(); ++i)
    order.emplace_back(static_cast<std::uint64_t>(random()), static_cast<Index>(i));
  const auto group = [&](const auto& entry) {
    return same_class ? labels[static_cast<std::size_t>(entry.second)] : Index{0};
  };
  std::sort(order.begin(), order.end(),
            [&](const auto& a, const auto& b) { return std::pair(group(a), a) < std::pair(group(b), b); });
  std::vector<Index> partner(labels.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {  // in a circle within each group
    while (end < order.size() && group(order[end]) == group(order[begin])) ++end;
    for (std::size_t k = begin; k < end; ++k)
      partner[static_cast<std::size_t>(order[k].second)] = order[k + 1 < end ? k + 1 : begin].second;
  }
  Pairs<B> out;
  for (Index i = 0; i < static_cast<Index>(labels.size()); ++i) {
    if (partner[static_cast<std::size_t>(i)] == i) continue;
    out.first.push_back(i);
    out.second.push_back(partner[static_cast<std::size_t>(i)]);
  }
  out.share = Tensor<B>(Shape{static_cast<Index>(out.first.size()), 1, 1, 1});
  for (auto& v : out.share.span()) {
    const double a = static_cast<double>(alpha);
    v = static_cast<typename B::scalar>(random.beta(a, a));
  }
  return out;
}

[[gnu::cold]] inline void check_alpha(const char* name, float alpha) {
  require<OptionError>(alpha >= .01f && alpha <= 100, name, ": alpha must be .01 to 100, got ", alpha);
}

}  // namespace detail

/// Cross-entropy on pictures mixed of two, against both labels in the same shares (Zhang et al. 2018, "mixup: Beyond
/// Empirical Risk Minimization"): mean of share CE(x~, y_first) + (1 - share) CE(x~, y_second). It stands in the place
/// of CrossEntropy. The pictures as they are pass through the network too: from them come the running statistics. Of a
/// batch of one picture, the plain cross-entropy.
struct Mixup {
  static constexpr const char* name = "mixup";
  float alpha = .2f;  ///< of Beta(alpha, alpha)

  template <Backend B>
  [[gnu::cold]] Var<B> operator()(const Step<B>& step) const {
    detail::check_alpha(name, alpha);
    const std::vector<Index>& labels = step.batch.labels;
    const auto pairs = detail::pairs<B>(labels, false, alpha, Random(step.run.seed, name));
    if (pairs.empty()) return CrossEntropy{}(step);
    const Var<B> logits = step.again(pairs.mix(Var<B>(step.batch.images)).value()).logits;
    const Var<B> share = reshape(Var<B>(pairs.share), {-1, 1});
    return mean(share * cross_entropies(logits, std::span<const Index>(pairs.of_first(labels))) +
                (1 - share) * cross_entropies(logits, std::span<const Index>(pairs.of_second(labels))));
  }
};

}  // namespace limn
