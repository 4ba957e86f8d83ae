// Choosing a batch of pictures: the highest scores; one after the other, where a term depends on what is chosen
// already; or by a selector of your own.
//   const acquire::Chosen next = acquire::choose(acquire::Entropy{} * acquire::CoreSet<"avgpool">{}, net, pool,
//                                                labelled, 60);
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/active/acquire.hpp"

namespace limn::acquire {

/// What was chosen of a pool, the first one first.
struct Chosen {
  std::vector<Index> positions;
  Scores scores;  ///< of these pictures when they were chosen, in this order
};

/// Chooses by itself: a class with a name that is called as choice(net, pool, labelled, count), all pictures without
/// labels but those of `labelled`. It may have check(), as terms may. What can be put as a score of every picture
/// (BatchTerm) can be combined with others; a selector cannot.
template <class S>
concept Selector = requires(const S& selector, const detail::SomeNetwork& net, const data::Dataset& set, Index count) {
  { S::name } -> std::convertible_to<std::string>;
  { selector(net, set, set, count) } -> std::convertible_to<Chosen>;
};
template <class A>
concept Acquisition = AnyScore<A> || Selector<A>;

namespace detail {

/// What a term begins a batch with: its state, nothing for one that does not change.
struct Unchanging {
  static void add(Index) {}
};
template <class T, class Net>
[[nodiscard]] auto begin(const T& term, const Net& net, const data::Dataset& pool, const data::Dataset& labelled) {
  if constexpr (BatchTerm<T>) {
    return term.begin(net, pool, labelled);
  } else {
    return Unchanging{};
  }
}

/// The highest of those that are not taken; ties by lot.
[[nodiscard, gnu::cold]] inline Index highest_left(const std::vector<double>& totals, const std::vector<bool>& taken,
                                                   const std::vector<double>& lots) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < totals.size(); ++i)
    if (!taken[i] && (!best || totals[i] > totals[*best] || (totals[i] == totals[*best] && lots[i] < lots[*best])))
      best = i;
  return static_cast<Index>(best.value());
}

/// A position that is not taken, with probabilities as the totals, 0 for those below; none where all are 0.
[[nodiscard, gnu::cold]] inline std::optional<Index> drawn(const std::vector<double>& totals,
                                                           const std::vector<bool>& taken, limn::Random& random) {
  const auto weight = [&](std::size_t i) { return taken[i] ? 0 : std::max(totals[i], 0.0); };
  double all = 0;
  for (std::size_t i = 0; i < totals.size(); ++i) all += weight(i);
  double left = random.uniform() * all;
  std::optional<Index> last;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    if (weight(i) <= 0) continue;
    last = static_cast<Index>(i);
    left -= weight(i);
    if (left < 0) break;
  }
  return last;
}

/// One after the other, since each changes what the next ones score.
template <class... T, class Net>
[[nodiscard, gnu::cold]] Chosen one_by_one(const Score<T...>& score, const Net& net, const data::Dataset& pool,
                                           const data::Dataset& labelled, Index count) {
  std::vector<std::vector<double>> shown = columns(score, net, pool), used = shown;
  for (std::vector<double>& column : used) fill_unknown(column);
  // Not by std::apply, through which a compiler's message about a wrong layer would be half as long again.
  const auto begun = [&]<std::size_t... K>(std::index_sequence<K...>) {
    return std::tuple(begin(std::get<K>(score.terms), net, pool, labelled)...);
  };
  auto states = begun(std::index_sequence_for<T...>{});
  std::optional<limn::Random> random;
  const auto draws = [&](const auto& term) {
    if constexpr (requires { term.draws(labelled); }) random.emplace(term.draws(labelled));
  };
  std::apply([&](const auto&... term) { (draws(term), ...); }, score.terms);

  Chosen out;
  for (const std::string& name : names(score)) out.scores.terms.emplace_back(name, std::vector<double>{});
  std::vector<bool> taken(static_cast<std::size_t>(pool.size()), false);
  const std::vector<double> lots = detail::lots(taken.size());
  while (static_cast<Index>(out.positions.size()) < count) {
    std::size_t at = 0;
    const auto renew = [&](const auto& state) {
      if constexpr (requires { state.scores(); }) {
        const std::string& name = out.scores.terms[at].first;
        shown[at] = used[at] = state.scores();
        require<ShapeError>(used[at].size() == taken.size(), name, ": ", used[at].size(), " scores for ", taken.size(),
                            " pictures");
        require(std::all_of(used[at].begin(), used[at].end(), [](double v) { return std::isfinite(v); }), name,
                ": a score that is not finite");
      }
      ++at;
    };
    std::apply([&](const auto&... state) { (renew(state), ...); }, states);
    const std::vector<double> now = totals(score.sum, used);
    std::optional<Index> by_chance;
    if (random && !out.positions.empty()) by_chance = drawn(now, taken, *random);
    const Index next = by_chance ? *by_chance : highest_left(now, taken, lots);
    const auto position = static_cast<std::size_t>(next);
    out.positions.push_back(next);
    out.scores.total.push_back(now[position]);
    for (std::size_t k = 0; k < shown.size(); ++k) out.scores.terms[k].second.push_back(shown[k][position]);
    taken[position] = true;
    std::apply([&](auto&... state) { (state.add(next), ...); }, states);
  }
  return out;
}

/// A column of numbers of the chosen alone.
[[nodiscard]] inline std::vector<double> those(const std::vector<double>& all, const std::vector<Index>& positions) {
  std::vector<double> out;
  for (const Index i : positions) out.push_back(all[static_cast<std::size_t>(i)]);
  return out;
}

}  // namespace detail

/// The `count` pictures of the pool to annotate next, of the whole pool, whatever their class: the highest scores; with
/// a BatchTerm again and again the highest one of what is left. Throws OptionError for more than there are.
template <Acquisition A, class Net>
[[nodiscard, gnu::cold]] Chosen choose(const A& how, const Net& net, const data::Dataset& pool,
                                       const data::Dataset& labelled, Index count) {
  if constexpr (JointScore<A>) {
    check(how);
    require<OptionError>(count >= 0 && count <= pool.size(), "acquire: ", count, " of ", pool.size(), " pictures");
    return detail::one_by_one(as_score(how), net, pool, labelled, count);
  } else if constexpr (AnyScore<A>) {
    const Scores all = scores(how, net, pool);
    Chosen out{highest(all.total, count), {}};
    out.scores.total = detail::those(all.total, out.positions);
    for (const auto& [name, values] : all.terms)
      out.scores.terms.emplace_back(name, detail::those(values, out.positions));
    return out;
  } else {
    return how(net, pool, labelled, count);
  }
}

/// The name of a selector.
template <Selector S>
[[nodiscard, gnu::cold]] std::string describe(const S&) {
  return S::name;
}
/// Throws OptionError for options that are out of range.
template <Selector S>
[[gnu::cold]] void check(const S& selector) {
  if constexpr (requires { selector.check(); }) selector.check();
}

}  // namespace limn::acquire
