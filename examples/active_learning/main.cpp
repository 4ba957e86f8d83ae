// Active learning by explanations: which pictures to annotate next. From the same few labels, every way to choose asks
// for more of them, round by round, and the networks that come out are compared. See docs/active_learning.md.
#include <limn/limn.hpp>

#include "active_learning/acquisitions.hpp"
#include "active_learning/gallery.hpp"
#include "active_learning/sets.hpp"
#include "active_learning/summary.hpp"
#include "common/data.hpp"
#include "common/run.hpp"
#include "common/study.hpp"

using namespace limn;
using example::Cam, example::misalignment, example::RunOptions, example::Sets, example::Setup, example::trained;

namespace {

/// One run of active learning: all rounds of one way to choose.
template <class Net>
StudyValues one_run(const Setup& setup, const Sets& sets, const RunOptions& options,
                    const std::filesystem::path& folder) {
  const Seed seed{static_cast<std::uint64_t>(setup.seed)};
  active::LabelTable oracle(sets.known);
  std::vector<Net> committee;
  const auto train = [&](const data::Dataset& labelled) {
    committee.clear();
    for (std::uint64_t k = 1; setup.strategy == "disagreement" && k <= 3; ++k)
      committee.push_back(trained<Net>(labelled, options, Seed{mix(seed.value, k)}));
    return trained<Net>(labelled, options, seed);
  };
  const auto measure = [&](const Net& net, const data::Dataset& left) {
    const auto scores = evaluate(net, sets.test, metrics::Classification{}).classification;
    const acquire::Scores apart = acquire::scores(misalignment, net, sets.test);
    const double dice = 1 - metrics::summary(apart.terms[0].second).mean;
    StudyValues values{{"accuracy", scores.accuracy}, {"auc", scores.auc}, {"dice", dice}};
    append(values, study_values(acquire::patterns(net, left, misalignment)));
    return values;
  };
  const auto history = example::with_acquisition(setup, committee, [&](const auto& acquisition) {
    return active::run(sets.pool, oracle, active::balanced_start(sets.known, sets.budget.start, seed), acquisition,
                       train, measure,
                       {.rounds = sets.budget.rounds,
                        .per_round = sets.budget.per_round,
                        .out = folder,
                        .resume = options.resume,
                        .settings = example::common_settings(options, sets.known)});
  });
  return example::values_of(history);
}

/// What a run of the paper's acquisition asked for in this round, and which pictures failed then in which way: the
/// network that chose is trained once more.
template <class Net>
void show_choice(report::Page& page, const StudyRun& run, Index round, const Sets& sets, const RunOptions& options) {
  const auto [labelled, left] = example::before_round(run.folder, round, sets.pool);
  const auto score = example::eg_al(std::stof(run.setting("lambda")));
  const Net net = trained<Net>(sets.known.subset(labelled), options, Seed{std::stoull(run.setting("seed"))});
  const data::Dataset rest = sets.known.subset(left);
  const acquire::Scores scores = acquire::scores(score, net, rest);
  const std::string with = text("With ", labelled.size(), " labels: ");
  const auto show = [&](const std::string& title, const std::vector<Index>& positions, std::size_t most) {
    std::vector<Index> some;  // from all over the pool: its files may be sorted by class
    const std::size_t count = std::min(most, positions.size());
    for (std::size_t k = 0; k < count; ++k) some.push_back(positions[k * positions.size() / count]);
    page.gallery(with + title, example::seen(net, Cam{}, rest, some, scores));
  };
  show(text("asked for; no score can be above ", report::fixed(acquire::largest(score, rest.classes()), 3)),
       acquire::highest(scores.total, std::min<Index>(6, rest.size())), 6);
  const acquire::Patterns ways = acquire::patterns(scores.terms[0].second, scores.terms[1].second);
  show("unsure, and looking away", ways.high_high, 2);
  show("unsure, looking where it should", ways.high_low, 2);
  show("sure, and looking away", ways.low_high, 2);
  show("sure, looking where it should", ways.low_low, 2);
}

template <class Net>
void study(const data::Dataset& all, const RunOptions& options) {
  const Sets sets = example::sets_of(all, options);
  Study study(options.out, example::common_settings(options, sets.known), options.resume);
  example::for_each_run(
      study, example::grid(options, all.classes()), options.runs,
      [&](const Setup& setup, const auto& folder) { return one_run<Net>(setup, sets, options, folder); });
  example::Output out = example::summary(study, options);
  for (const Index round : {Index{1}, sets.budget.rounds})
    show_choice<Net>(out.page, example::run_of(study, "eg_al", "0.3"), round, sets, options);
  out.write(options.out);
}

template <int Classes>
void study_of(const data::Dataset& all, const RunOptions& options) {
  options.study == "prototypes" ? study<example::Prototypes<Classes>>(all, options)
                                : study<example::LinearHead<Classes>>(all, options);
}

}  // namespace

int main(int argc, char** argv) {
  const auto about = "Compares ways to choose which pictures to annotate next.";
  const RunOptions defaults{.pictures = 500,
                            .size = 48,
                            .epochs = 12,
                            .batch = 8,
                            .out = "runs/active_learning",
                            .studies = {"strategies", "lambda", "prototypes"}};
  return example::run(argc, argv, about, defaults, [](const RunOptions& options) {
    const data::Dataset all = example::labelled(options);
    require<OptionError>(all.classes() == 2 || all.classes() == 3, options.data, ": ", all.classes(),
                         " classes; this program has networks for 2 and for 3");
    all.classes() == 2 ? study_of<2>(all, options) : study_of<3>(all, options);
  });
}
