// Explanation-aware learning: what a loss on explanations buys and what it costs. The same network is trained again and
// again, by cross-entropy alone and with each explanation loss, and compared. See docs/explanation_loss.md.
#include <limn/limn.hpp>

#include "common/data.hpp"
#include "common/run.hpp"
#include "common/study.hpp"
#include "explanation_loss/grid.hpp"
#include "explanation_loss/summary.hpp"
#include "limn/data/phantom/planted.hpp"
#include "limn/evaluate/side_by_side.hpp"
#include "limn/evaluate/study_values.hpp"

using namespace limn;
using example::Setup;

namespace {

using Net = models::SlimResNet18<Cpu, 1, 2>;
using Cam = GradCam<"layer2">;  // the explainer, in training and afterwards

struct Sets {
  data::Dataset train, val, test;
  data::Dataset other;  // the test set again; in the study of shortcuts with a mark that says nothing
};

Sets sets_of(const example::RunOptions& options) {
  auto [train, val, test] = example::two_classes(options).split({.fractions = {.6, .15, .25}, .seed = options.seed});
  if (options.study != "shortcut") return {train, val, test, test};
  // A mark gives the class away while the network learns; in the test it is gone.
  return {data::planted(train, 1), data::planted(val, 1), test, data::planted(test, .5f)};
}

/// Calls train(loss) with the loss that is tried.
template <class Train>
void with_loss(const Setup& setup, const Train& train) {
  if (setup.strength == 0) return train(CrossEntropy{});
  const auto [top, gate] = example::gates.at(setup.gate);
  const ExplanationOptions options{.top = top, .gate = gate, .score = example::scores.at(setup.score)};
  const auto if_it_is = [&]<class Design>(Design) {
    if (setup.design == Design::name) train(CrossEntropy{} + setup.strength * ExplanationLoss<Cam, Design>{options});
  };
  if_it_is(OutsideMass{}), if_it_is(Dice{}), if_it_is(Bce{}), if_it_is(Mse{}), if_it_is(L1{});
  if_it_is(Haics{}), if_it_is(RrrStar{}), if_it_is(Res{}), if_it_is(Kl{});
}

/// The training pictures as careless annotators leave them.
data::Dataset annotated(const data::Dataset& train, const Setup& setup, std::uint64_t seed) {
  if (setup.noise == "none") return train;
  data::AnnotationNoise noise;
  noise.*example::noises.at(setup.noise) = setup.amount;
  return data::noisy(train, noise, Seed{seed});
}

/// Trains a network, keeps it in the folder, and measures it.
StudyValues one_run(const Setup& setup, const Sets& sets, const example::RunOptions& options,
                    const std::filesystem::path& folder) {
  const Seed seed{static_cast<std::uint64_t>(setup.seed)};
  Net net{seed};
  with_loss(setup, [&](const auto& loss) {
    const auto fit = train::fit(net, loss, Adam{{.lr = 1e-3, .weight_decay = 1e-4}},
                                annotated(sets.train, setup, options.seed), sets.val,
                                {.epochs = options.epochs,
                                 .batch = options.batch,
                                 .out = folder,
                                 .seed = seed,
                                 .schedule = Cosine{},
                                 .restore_best = false,  // validation does not see what the explanation loss is for
                                 .resume = options.resume,
                                 .quiet = true});
    require(fit.ending == train::Ending::epochs, "stopped; --resume goes on");
  });
  example::keep_weights_only(net, folder);

  const auto classify = [&](const data::Dataset& set) {
    return evaluate(net, set, metrics::Classification{}).classification;
  };
  const auto pictures = score_pictures(net, sets.test, Cam{});
  save_pictures(folder / "pictures.csv", pictures);
  const auto scores = classify(sets.test);
  const double val_accuracy = classify(sets.val).accuracy;
  StudyValues values{{"val_accuracy", val_accuracy},
                     {"drop", val_accuracy - scores.accuracy},
                     {"other_accuracy", classify(sets.other).accuracy}};
  append(values, study_values(scores));
  append(values, study_values(pictures));
  return values;
}

/// The same pictures as networks of several groups see them.
report::Gallery seen_by(const std::vector<StudyGroup>& groups, const data::Dataset& set) {
  report::Gallery gallery = pictures_of(set, some_of_each(set, 4));
  for (const StudyGroup& group : groups) {
    Net net{Seed{}};
    load_weights(net, group.runs.front().folder / "weights.safetensors");
    add_maps(gallery, group.setting("design") + " x " + group.setting("strength"), net, Cam{}, set.class_names(), 1);
  }
  return gallery;
}

}  // namespace

int main(int argc, char** argv) {
  const auto about = "Studies what losses on explanations buy and what they cost.";
  const example::RunOptions defaults{.pictures = 1000,
                                     .size = 48,
                                     .epochs = 12,
                                     .batch = 16,
                                     .out = "runs/explanation_loss",
                                     .studies = {"trade_off", "strength", "shortcut", "noise"}};
  return example::run(argc, argv, about, defaults, [](const example::RunOptions& options) {
    const Sets sets = sets_of(options);
    Study study(options.out, example::common_settings(options, sets.train), options.resume);
    example::for_each_run(study, example::grid(options), options.runs, [&](const Setup& setup, const auto& folder) {
      return one_run(setup, sets, options, folder);
    });

    report::Page page = example::summary(study, options);
    const auto shown = example::strongest(study.groups());
    page.gallery("Test pictures", seen_by(shown, sets.test));
    page.gallery("Validation pictures", seen_by(shown, sets.val));
    page.write(options.out);
  });
}
