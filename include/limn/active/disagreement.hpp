// Acquisitions by several opinions: of one network with changing dropout, or of several networks.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "limn/active/uncertainty.hpp"

namespace limn::acquire {

namespace detail {

/// H(mean of the opinions) - mean of their entropies, in nats, of picture i: the mutual information between the answer
/// and who gives it, which is also the mean Kullback-Leibler divergence of the opinions from their mean.
template <Backend B>
[[nodiscard]] double information(const std::vector<Tensor<B>>& opinions, Index i) {
  const auto count = static_cast<double>(opinions.size());
  const Index classes = opinions.front().dim(1);
  double within = 0;
  for (const Tensor<B>& p : opinions)
    within += entropy(classes, [&](Index k) { return static_cast<double>(p(i, k)); }) / count;
  const double whole = entropy(classes, [&](Index k) {
    double mean = 0;
    for (const Tensor<B>& p : opinions) mean += static_cast<double>(p(i, k)) / count;
    return mean;
  });
  return std::max(0.0, whole - within);
}

}  // namespace detail

/// BALD (Houlsby et al. 2011) by dropout (Gal et al. 2017): H(mean p) - mean H(p) over passes in which dropout drops
/// and everything else is as in evaluation, in nats. Same seed, same pool: same scores. Throws Error where nothing in
/// the network draws: it needs a Dropout of a rate above 0.
struct Bald {
  static constexpr const char* name = "bald";
  Index passes = 20;
  Seed seed = {};

  template <class Net>
  std::vector<double> operator()(const View<Net>& view) const {
    using B = typename View<Net>::B;
    std::vector<Tensor<B>> opinions;
    for (Index pass = 0; pass < passes; ++pass) {
      Run<B> run;
      run.dropping = true;
      // What is dropped depends on the pictures, or those at one place of every batch would share it.
      run.seed = {mix(mix(seed.value, static_cast<std::uint64_t>(pass)), view.ids.front())};
      opinions.push_back(probabilities(view.net, view.images, run));
      require(run.drew(), name, ": all passes would be the same: the network needs a Dropout with a rate above 0");
    }
    return detail::each(view, [&](Index i) { return detail::information(opinions, i); });
  }
  void check() const { require<OptionError>(passes >= 2, name, ": passes must be at least 2, got ", passes); }
  [[nodiscard]] double largest(Index classes) const { return std::log(static_cast<double>(std::min(classes, passes))); }
};

/// How several networks are said to disagree.
enum class Disagree {
  votes,       ///< entropy of the shares of their votes (Dagan and Engelson 1995)
  probability  ///< mean Kullback-Leibler divergence from their mean (McCallum and Nigam 1998)
};

/// The disagreement of a committee, in nats. The networks are yours: train them anew whenever the other one is, from
/// other seeds. The network that is asked about the pool has no part in it.
///   std::vector<Net> committee;   // filled by the function that trains
///   acquire::Disagreement<Net>{committee}
template <class Member>
struct Disagreement {
  static constexpr const char* name = "disagreement";
  const std::vector<Member>& committee;
  Disagree how = Disagree::votes;

  template <class Net>
  std::vector<double> operator()(const View<Net>& view) const {
    using B = backend_of<Member>;
    require<OptionError>(committee.size() >= 2, name, ": a committee of ", committee.size(),
                         ", expected 2 networks or more");
    std::vector<Tensor<B>> opinions;
    for (const Member& member : committee) {
      Run<B> run;
      opinions.push_back(probabilities(member, view.images, run));
    }
    if (how == Disagree::probability)
      return detail::each(view, [&](Index i) { return detail::information(opinions, i); });
    std::vector<std::vector<Index>> votes;
    for (const Tensor<B>& p : opinions) votes.push_back(predicted_classes(p));
    return detail::each(view, [&](Index i) {
      return detail::entropy(view.classes(), [&](Index k) {
        double share = 0;
        for (const auto& vote : votes) share += vote[static_cast<std::size_t>(i)] == k ? 1 : 0;
        return share / static_cast<double>(votes.size());
      });
    });
  }
  [[nodiscard]] double largest(Index classes) const {
    return std::log(static_cast<double>(std::min(classes, static_cast<Index>(committee.size()))));
  }
};

}  // namespace limn::acquire
