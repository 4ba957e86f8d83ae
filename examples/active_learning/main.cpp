// Active learning by explanations: which pictures to annotate next. From the same few labels, every way to choose asks
// for more of them, round by round, and the networks that come out are compared. See docs/active_learning.md.
#include <limn/limn.hpp>

#include "active_learning/gallery.hpp"
#include "active_learning/grid.hpp"
#include "active_learning/summary.hpp"
#include "common/data.hpp"
#include "common/run.hpp"
#include "common/study.hpp"
#include "limn/active/disagreement.hpp"
#include "limn/active/loop.hpp"
#include "limn/active/misalignment.hpp"
#include "limn/models/densenet.hpp"

using namespace limn;
using example::RunOptions, example::Setup;

namespace {

using Net = models::SlimDenseNet<Cpu, 1, 2>;
using Cam = GradCam<"features.denseblock3">;  // the explainer: in the loss, in the score, in the measures

// Where only one class has something to see, an empty mask must not count as misaligned: it would tell the label.
const acquire::Misalignment<Cam> misalignment{.empty = metrics::undefined_value};
const auto loss = CrossEntropy{} + .1f * ExplanationLoss<Cam, Dice>{};

struct Sets {
  data::Dataset known, test;  // all labels of the pool, for the oracle; pictures that are never learned from
  active::Pool pool;          // what networks and acquisitions see
  example::Budget budget;
};

Net trained(const data::Dataset& labelled, const RunOptions& options, Seed seed) {
  Net net{seed};
  net.dropout.rate = .3;
  const auto fit = train::fit(net, loss, Adam{{.lr = 3e-3, .weight_decay = 1e-4}}, labelled, labelled,
                              {.epochs = options.epochs,
                               .batch = options.batch,
                               .seed = seed,
                               .augment = {.flip = true, .shift = .05f},
                               .schedule = Cosine{},
                               .restore_best = false,  // there is no validation set: its labels would cost as much
                               .quiet = true});
  require(fit.ending == train::Ending::epochs, "stopped; --resume goes on");
  return net;
}

/// The paper's acquisition (Eq. 3).
auto eg_al(float lambda) { return lambda * acquire::Entropy{} + (1 - lambda) * misalignment; }

/// Calls use(acquisition). Entropy and misalignment are shown beside all scores, and count where they have a weight.
template <class Use>
active::History with_acquisition(const Setup& setup, const std::vector<Net>& committee, const Use& use) {
  const Seed seed{static_cast<std::uint64_t>(setup.seed)};
  const auto shown = 0.f * acquire::Entropy{} + 0.f * misalignment;
  if (setup.strategy == "entropy") return use(acquire::Entropy{} + 0.f * misalignment);
  if (setup.strategy == "margin") return use(acquire::Margin{} + shown);
  if (setup.strategy == "least_confidence") return use(acquire::LeastConfidence{} + shown);
  if (setup.strategy == "bald") return use(acquire::Bald{.seed = seed} + shown);
  if (setup.strategy == "disagreement") return use(acquire::Disagreement<Net>{committee} + shown);
  if (setup.strategy == "core_set") return use(acquire::CoreSet<"avgpool">{});
  if (setup.strategy == "badge") return use(acquire::Badge<"avgpool">{seed});
  if (setup.strategy == "misalignment") return use(misalignment + 0.f * acquire::Entropy{});
  if (setup.strategy == "eg_al") return use(eg_al(setup.lambda));
  return use(acquire::Random{seed} + shown);
}

/// One run of active learning: all rounds of one way to choose.
StudyValues one_run(const Setup& setup, const Sets& sets, const RunOptions& options,
                    const std::filesystem::path& folder) {
  const Seed seed{static_cast<std::uint64_t>(setup.seed)};
  active::LabelTable oracle(sets.known);
  std::vector<Net> committee;
  const auto train = [&](const data::Dataset& labelled) {
    committee.clear();
    for (std::uint64_t k = 1; setup.strategy == "disagreement" && k <= 3; ++k)
      committee.push_back(trained(labelled, options, Seed{mix(seed.value, k)}));
    return trained(labelled, options, seed);
  };
  const auto measure = [&](const Net& net, const data::Dataset& left) {
    const auto scores = evaluate(net, sets.test, metrics::Classification{}).classification;
    const acquire::Scores apart = acquire::scores(misalignment, net, sets.test);
    const double dice = 1 - metrics::summary(apart.terms[0].second).mean;
    StudyValues values{{"accuracy", scores.accuracy}, {"auc", scores.auc}, {"dice", dice}};
    append(values, study_values(acquire::patterns(net, left, misalignment)));
    return values;
  };
  const auto history = with_acquisition(setup, committee, [&](const auto& acquisition) {
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

/// The first network of a run of the paper's acquisition, and what it says of the pictures that are not labelled.
void show_first_choice(report::Page& page, const StudyRun& run, const Sets& sets, const RunOptions& options) {
  const Seed seed{std::stoull(run.setting("seed"))};
  const auto score = eg_al(std::stof(run.setting("lambda")));
  std::vector<Index> first, left;
  for (const std::string& id : active::balanced_start(sets.known, sets.budget.start, seed))
    first.push_back(sets.pool.find(id));
  for (Index i = 0; i < sets.known.size(); ++i)
    if (std::find(first.begin(), first.end(), i) == first.end()) left.push_back(i);
  const Net net = trained(sets.known.subset(first), options, seed);
  const data::Dataset rest = sets.known.subset(left);
  const acquire::Scores scores = acquire::scores(score, net, rest);
  const auto show = [&](const std::string& title, std::vector<Index> positions, std::size_t most) {
    if (positions.size() > most) positions.resize(most);
    page.gallery(title, example::seen(net, Cam{}, rest, positions, scores));
  };
  show(text("Asked for first: scores, of which none can be above ",
            report::fixed(acquire::largest(score, rest.classes()), 3)),
       acquire::highest(scores.total, std::min<Index>(6, rest.size())), 6);
  const acquire::Patterns ways = acquire::patterns(scores.terms[0].second, scores.terms[1].second);
  show("Unsure, and looking away", ways.high_high, 2);
  show("Unsure, looking where it should", ways.high_low, 2);
  show("Sure, and looking away", ways.low_high, 2);
  show("Sure, looking where it should", ways.low_low, 2);
}

}  // namespace

int main(int argc, char** argv) {
  const auto about = "Compares ways to choose which pictures to annotate next.";
  const RunOptions defaults{.pictures = 500,
                            .size = 48,
                            .epochs = 12,
                            .batch = 8,
                            .out = "runs/active_learning",
                            .studies = {"strategies", "lambda"}};
  return example::run(argc, argv, about, defaults, [](const RunOptions& options) {
    const auto [known, none, test] =
        example::two_classes(options).split({.fractions = {.7, 0, .3}, .seed = options.seed});
    const Sets sets{known, test, active::Pool(known), {options, known.size()}};
    Study study(options.out, example::common_settings(options, known), options.resume);
    example::for_each_run(study, example::grid(options), options.runs, [&](const Setup& setup, const auto& folder) {
      return one_run(setup, sets, options, folder);
    });
    example::Output out = example::summary(study, options);
    show_first_choice(out.page, example::run_of(study, "eg_al", "0.3"), sets, options);
    out.write(options.out);
  });
}
