// Active learning: train, measure, choose, ask, round after round (Algorithm 1 of the active learning paper).
//   const auto history = active::run(pool, oracle, active::balanced_start(all, 150, Seed{1}), score,
//       [&](const data::Dataset& labelled) { Net net{Seed{1}}; train::fit(net, loss, Adam{}, labelled, val); return
//       net; },
//       [&](const Net& net, const data::Dataset& left) { return study_values(score_pictures(net, test, Cam{})); },
//       {.rounds = 7, .per_round = 60, .out = "runs/active"});
// Nothing here and nothing that is called from here sees a label that was not asked for.
#pragma once

#include <concepts>
#include <functional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "limn/active/select.hpp"
#include "limn/active/state.hpp"
#include "limn/core/function_ref.hpp"

namespace limn::active {

struct Options {
  Index rounds = 7;      ///< of choosing; a network is trained before the first and after the last of them
  Index per_round = 60;  ///< pictures that are asked for in each
  /// Folder for samples.csv, rounds.csv, settings.csv; made where it is missing, and an earlier run in it is replaced
  /// unless `resume` is set. Empty: nothing is written.
  std::filesystem::path out = {};
  /// Goes on after the last round in `out`, with the same result as if it had not been stopped; starts where there is
  /// none. A run with other settings is refused.
  bool resume = false;
  /// What else must be the same then: network, loss, seeds, options of the terms (their names and weights are kept).
  StudySettings settings = {};
  std::function<void(const Round&)> on_round = {};  ///< when its files are written
};

/// Makes a network of labelled pictures, from the start: train(labelled).
template <class F>
concept Trainer = requires(const F& train, const data::Dataset& labelled) {
  { train(labelled) } -> std::move_constructible;
};
/// Measures the network that Train makes: measure(net, left), `left` being the pictures of the pool that are not
/// labelled, without labels.
template <class F, class Train>
concept Measure = requires(const F& measure, const std::invoke_result_t<const Train&, const data::Dataset&>& net,
                           const data::Dataset& left) {
  { measure(net, left) } -> std::convertible_to<StudyValues>;
};

namespace detail {

/// A run without the types of network, acquisition and oracle.
struct Parts {
  FunctionRef<StudyValues(const data::Dataset& labelled, const data::Dataset& left)> train_and_measure;
  FunctionRef<acquire::Chosen(const data::Dataset& left, const data::Dataset& labelled, Index count)> choose;
  FunctionRef<Answers(const std::vector<std::string>& ids)> ask;
  FunctionRef<std::string()> waits_for;
};

[[gnu::cold]] inline void check_options(const Pool& pool, const std::vector<std::string>& start,
                                        const Options& options) {
  require<OptionError>(options.rounds >= 0, "active learning: rounds must be at least 0, got ", options.rounds);
  require<OptionError>(options.per_round >= 1, "active learning: per_round must be at least 1, got ",
                       options.per_round);
  require<OptionError>(!options.resume || !options.out.empty(), "active learning: resume needs the folder of the run");
  require<OptionError>(!start.empty(), "active learning: no pictures to begin with");
  const Index all = static_cast<Index>(start.size()) + options.rounds * options.per_round;
  require<OptionError>(all <= pool.size(), "active learning: ", start.size(), " pictures and ", options.rounds, " x ",
                       options.per_round, " more are ", all, ", the pool has ", pool.size());
  std::set<std::string> seen;
  for (const std::string& id : start) {
    (void)pool.find(id);
    require<OptionError>(seen.insert(id).second, "active learning: \"", id, "\" is there twice to begin with");
  }
}

/// The pool without what was picked.
[[nodiscard, gnu::cold]] inline std::vector<Index> left_of(const Pool& pool, const std::vector<Pick>& picks) {
  std::vector<bool> taken(static_cast<std::size_t>(pool.size()), false);
  for (const Pick& pick : picks) taken[static_cast<std::size_t>(pool.find(pick.id))] = true;
  std::vector<Index> out;
  for (Index i = 0; i < pool.size(); ++i)
    if (!taken[static_cast<std::size_t>(i)]) out.push_back(i);
  return out;
}

/// Asks for the labels that are missing. False where not all are known yet.
[[nodiscard, gnu::cold]] inline bool ask(const Parts& parts, Index classes, std::vector<Pick>& picks) {
  std::vector<std::string> ids;
  for (const Pick& pick : picks)
    if (!pick.label) ids.push_back(pick.id);
  if (ids.empty()) return true;
  const Answers answers = parts.ask(ids);
  require(answers.size() == ids.size(), "oracle: ", answers.size(), " answers for ", ids.size(), " pictures");
  std::size_t at = 0;
  bool all = true;
  for (Pick& pick : picks) {
    if (pick.label) continue;
    pick.label = answers[at++];
    all = all && pick.label;
    require(!pick.label || (*pick.label >= 0 && *pick.label < classes), "oracle: label ", pick.label.value_or(0),
            " of picture ", pick.id, ", expected 0 to ", classes - 1);
  }
  return all;
}

[[nodiscard, gnu::cold]] inline History run(const Pool& pool, const std::vector<std::string>& start, const Parts& parts,
                                            const Options& options, StudySettings settings) {
  append(settings, options.settings);
  const State state(options.out, pool.class_names(), std::move(settings));
  History run = state.begin(options.resume);
  if (run.picks.empty())
    for (const std::string& id : start) run.picks.push_back({.id = id, .label = std::nullopt});
  while (static_cast<Index>(run.rounds.size()) <= options.rounds) {
    const bool known = ask(parts, static_cast<Index>(pool.class_names().size()), run.picks);
    state.save_samples(run);
    if (!known) {
      run.waits_for = parts.waits_for();
      return run;
    }
    std::vector<Index> positions, labels;
    for (const Pick& pick : run.picks) {
      positions.push_back(pool.find(pick.id));
      labels.push_back(*pick.label);
    }
    const std::vector<Index> left = left_of(pool, run.picks);
    const data::Dataset rest = pool.pictures().subset(left);
    const auto round = static_cast<Index>(run.rounds.size());
    run.rounds.push_back(
        {round, static_cast<Index>(labels.size()), parts.train_and_measure(pool.labelled(positions, labels), rest)});
    if (round < options.rounds) {
      const acquire::Chosen next = parts.choose(rest, pool.pictures().subset(positions), options.per_round);
      run.terms.clear();
      for (const auto& term : next.scores.terms) run.terms.push_back(term.first);
      for (std::size_t i = 0; i < next.positions.size(); ++i) {
        Pick pick{.round = round + 1,
                  .id = pool.id(left[static_cast<std::size_t>(next.positions[i])]),
                  .label = std::nullopt,
                  .score = next.scores.total[i]};
        for (const auto& term : next.scores.terms) pick.terms.push_back(term.second[i]);
        run.picks.push_back(std::move(pick));
      }
    }
    state.save_samples(run);
    state.save_rounds(run);
    if (options.on_round) options.on_round(run.rounds.back());
  }
  return run;
}

template <class O, class A, class Train, class M>
[[gnu::cold]] History start_run(const Pool& pool, O& oracle, const std::vector<std::string>& start, const A& how,
                                const Train& train, const M& measure, const Options& options) {
  using Net = std::invoke_result_t<const Train&, const data::Dataset&>;
  check_options(pool, start, options);
  acquire::check(how);
  std::uint64_t begun = 0, all = 0;
  for (const std::string& id : start) begun = mix(begun, id);
  for (Index i = 0; i < pool.size(); ++i) all = mix(all, pool.id(i));
  const StudySettings settings{{"acquisition", acquire::describe(how)},
                               {"pool", text(pool.size(), " pictures, ids ", all)},
                               {"start", text(start.size(), " pictures, ids ", begun)},
                               {"rounds", text(options.rounds)},
                               {"per_round", text(options.per_round)}};
  std::optional<Net> net;
  const auto train_and_measure = [&](const data::Dataset& labelled, const data::Dataset& left) {
    net.emplace(train(labelled));
    return StudyValues(measure(std::as_const(*net), left));
  };
  const auto choose = [&](const data::Dataset& left, const data::Dataset& labelled, Index count) {
    return acquire::choose(how, std::as_const(*net), left, labelled, count);
  };
  const auto ask = [&](const std::vector<std::string>& ids) { return Answers(oracle(ids)); };
  const auto waits_for = [&]() -> std::string {
    if constexpr (requires { oracle.waits_for(); }) {
      return oracle.waits_for();
    } else {
      return "the oracle does not know all labels yet";
    }
  };
  return run(pool, start, {train_and_measure, choose, ask, waits_for}, options, settings);
}

}  // namespace detail

/// Runs active learning from the pictures `start`. In every round a network is trained from the start on all labels so
/// far, and measured; then `how` chooses the next pictures of the whole pool and the oracle is asked for their labels.
/// Where it does not know them yet the run stops: History::waits_for says what is missing, and the same call with
/// {.resume = true} goes on.
///
/// Throws before the first training: OptionError for options that are out of range or more pictures than there are,
/// FileError for the folder.
template <class O, class A, class Train, class M>
[[gnu::cold]] History run(const Pool& pool, O& oracle, const std::vector<std::string>& start, const A& how,
                          const Train& train, const M& measure, const Options& options = {}) {
  constexpr bool answers = Oracle<O>, chooses = acquire::Acquisition<A>, trains = Trainer<Train>;
  constexpr bool measures = !trains || Measure<M, Train>;  // one message is enough
  static_assert(answers,
                "limn: active::run: an oracle is called as Answers oracle(ids), ids being a std::vector<std::string>");
  static_assert(chooses,
                "limn: active::run: this is no acquisition: neither a score nor a selector (active/select.hpp)");
  static_assert(trains, "limn: active::run: train is called as train(labelled) and gives a network");
  static_assert(measures, "limn: active::run: measure is called as measure(net, left) and gives StudyValues");
  if constexpr (answers && chooses && trains && measures) {
    return detail::start_run(pool, oracle, start, how, train, measure, options);
  } else {
    return {};  // so that the messages above stay the only ones
  }
}

}  // namespace limn::active
