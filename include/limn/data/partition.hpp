// Divides labelled samples into parts: every class in its share of every part, no group on two sides.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/core/order.hpp"
#include "limn/core/random.hpp"

namespace limn::data {

/// Shuffles in an order that depends only on the random stream (std::shuffle's is not specified).
template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  for (Index i = static_cast<Index>(items.size()) - 1; i > 0; --i)
    std::swap(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(random.below(i + 1))]);
}

namespace detail {

/// Greedy assignment of groups to parts, then repair of classes that a part misses.
class Partition {
 public:
  [[gnu::cold]] Partition(std::span<const Index> labels, std::span<const std::string> groups,
                          std::span<const double> fractions)
      : fractions_(fractions.begin(), fractions.end()) {
    const Index classes = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
    totals_.resize(static_cast<std::size_t>(classes), 0);
    group_of_ = numbered(groups);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (group_of_[i] == counts_.size()) counts_.push_back(Counts(totals_.size(), 0));
      counts_[group_of_[i]][static_cast<std::size_t>(labels[i])] += 1;
      totals_[static_cast<std::size_t>(labels[i])] += 1;
    }
    part_of_.assign(counts_.size(), none);
    held_.assign(fractions_.size(), Counts(totals_.size(), 0));
    holders_ = held_;
  }

  [[gnu::cold]] void assign(std::uint64_t seed) {
    std::vector<std::size_t> order(counts_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Random random(Seed{seed}, "split");
    shuffle(order, random);
    const auto size = [&](std::size_t g) { return std::accumulate(counts_[g].begin(), counts_[g].end(), Index{0}); };
    // Large groups first: the small ones can then even out what is left.
    stable_order(order, [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
    for (std::size_t group : order) {
      std::size_t best = none;
      for (std::size_t part = 0; part < fractions_.size(); ++part)
        if (fractions_[part] > 0 && (best == none || cost(group, part) < cost(group, best))) best = part;
      move(group, best);
    }
    repair(order);
  }

  /// The class that a part lacks, as (class, part); (none, none) where all is well.
  std::pair<std::size_t, std::size_t> lacking() const {
    for (std::size_t c = 0; c < totals_.size(); ++c)
      for (std::size_t part = 0; part < fractions_.size(); ++part)
        if (fractions_[part] > 0 && totals_[c] > 0 && holders_[part][c] == 0) return {c, part};
    return {none, none};
  }

  Index groups_with(std::size_t c) const {
    return std::count_if(counts_.begin(), counts_.end(), [&](const Counts& counts) { return counts[c] > 0; });
  }
  Index parts() const {
    return std::count_if(fractions_.begin(), fractions_.end(), [](double f) { return f > 0; });
  }
  std::size_t part_of_sample(std::size_t i) const { return part_of_[group_of_[i]]; }

  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

 private:
  using Counts = std::vector<Index>;

  /// By how much the distance from the wanted counts, in chi-square, grows when the group joins the part.
  double cost(std::size_t group, std::size_t part) const {
    double sum = 0;
    for (std::size_t c = 0; c < totals_.size(); ++c) {
      if (counts_[group][c] == 0) continue;
      const double wanted = fractions_[part] * static_cast<double>(totals_[c]);
      const double before = static_cast<double>(held_[part][c]) - wanted;
      const double after = before + static_cast<double>(counts_[group][c]);
      sum += (after * after - before * before) / wanted;
    }
    return sum;
  }

  void move(std::size_t group, std::size_t part) {
    for (std::size_t c = 0; c < totals_.size(); ++c) {
      if (counts_[group][c] == 0) continue;
      if (part_of_[group] != none) {
        held_[part_of_[group]][c] -= counts_[group][c];
        holders_[part_of_[group]][c] -= 1;
      }
      held_[part][c] += counts_[group][c];
      holders_[part][c] += 1;
    }
    part_of_[group] = part;
  }

  /// Moves the smallest group that its part can spare to each part that lacks a class.
  void repair(const std::vector<std::size_t>& order) {
    for (auto [c, part] = lacking(); c != none; std::tie(c, part) = lacking()) {
      std::size_t found = none;
      for (std::size_t group : order) {  // the last that fits is the smallest
        const Counts& counts = counts_[group];
        if (counts[c] == 0) continue;
        bool spare = true;
        for (std::size_t k = 0; k < totals_.size(); ++k) spare &= counts[k] == 0 || holders_[part_of_[group]][k] > 1;
        if (spare) found = group;
      }
      if (found == none) return;
      move(found, part);
    }
  }

  std::vector<double> fractions_;
  Counts totals_;                // samples of each class
  std::vector<Counts> counts_;   // [group][class] samples
  std::vector<Counts> held_;     // [part][class] samples
  std::vector<Counts> holders_;  // [part][class] groups that have the class
  std::vector<std::size_t> group_of_, part_of_;
};

}  // namespace detail

/// The part of each sample, deterministic by the seed. Samples of one group stay together; classes are spread as the
/// fractions say, as far as the groups allow (greedy, largest group first); every part of a fraction > 0 holds every
/// class. Throws OptionError for fractions that are negative or do not sum to 1, and where there are too few groups.
[[nodiscard, gnu::cold]] inline std::vector<std::size_t> partition(std::span<const Index> labels,
                                                                   std::span<const std::string> groups,
                                                                   std::span<const double> fractions,
                                                                   std::uint64_t seed,
                                                                   std::span<const std::string> class_names) {
  double sum = 0;
  for (double fraction : fractions) {
    require<OptionError>(fraction >= 0 && fraction <= 1, "split: expected fractions from 0 to 1, got ", fraction);
    sum += fraction;
  }
  require<OptionError>(std::abs(sum - 1) < 1e-6, "split: the fractions must sum to 1, they sum to ", sum);
  require<OptionError>(!labels.empty(), "split: the data set is empty");
  detail::Partition parts(labels, groups, fractions);
  parts.assign(seed);
  const auto [lacking, part] = parts.lacking();
  if (lacking != parts.none)
    throw OptionError(text("split: class \"", class_names[lacking], "\" has ", parts.groups_with(lacking),
                           " groups, too few for one in each of ", parts.parts(), " parts (part ", part + 1,
                           " got none); use fewer parts, or another column as group"));
  std::vector<std::size_t> out(labels.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = parts.part_of_sample(i);
  return out;
}

}  // namespace limn::data
