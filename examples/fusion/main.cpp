// Attention-aware fusion: two networks see the same picture, one the whole and one patches, and an attention gate joins
// them. Is it worth it, in what the network knows and in what it shows? See docs/fusion.md.
#include <limn/limn.hpp>

#include "common/data.hpp"
#include "common/run.hpp"
#include "fusion/annotators.hpp"
#include "fusion/summary.hpp"
#include "fusion/training.hpp"
#include "limn/evaluate/faithfulness.hpp"
#include "limn/evaluate/side_by_side.hpp"
#include "limn/evaluate/study_values.hpp"
#include "limn/explain/remembered.hpp"
#include "limn/metrics/degradation.hpp"
#include "limn/report/charts/roc.hpp"

using namespace limn;
using example::Output, example::RunOptions, example::Sets, example::sets_of;

namespace {

struct Setup {
  std::string model;
  Index seed = 1;

  [[nodiscard]] StudySettings settings() const { return {{"model", model}, {"seed", text(seed)}}; }
};

StudyValues classification(const auto& net, const data::Dataset& test, const std::filesystem::path& folder) {
  const auto scores = evaluate(net, test, metrics::Classification{}).classification;
  std::filesystem::create_directories(folder);
  report::save_roc(folder / "roc.csv", scores.roc);
  StudyValues values{{"sensitivity", scores.sensitivity},
                     {"specificity", scores.specificity},
                     {"weighted_precision", scores.weighted_precision}};
  append(values, study_values(scores));
  return values;
}

/// Where the maps fall, and what they are worth to the network.
StudyValues explanations(const auto& net, const auto& explainer, const data::Dataset& set,
                         const std::filesystem::path& folder) {
  const explain::Remembered maps(explainer);
  std::filesystem::create_directories(folder);
  const auto pictures = score_pictures(net, set, maps);
  save_pictures(folder / "pictures.csv", pictures);
  const auto degraded = score_faithfulness(net, set, maps, metrics::preset::degradation());
  save_pictures(folder / "degradation.csv", degraded);
  std::vector<Index> labels;
  for (const auto& picture : degraded.pictures) labels.push_back(picture.label);
  const auto score = metrics::degradation_score(degraded.column("DS"), labels, set.classes());
  StudyValues values{{"ds", score.mean}, {"ds_c", score.adjusted}};
  append(values, study_values(pictures));
  return values;
}

/// Trains all models of the study with every seed. Branches of the gate come with it.
template <int Classes>
Study train_all(const data::Dataset& all, const std::vector<std::string>& names, const RunOptions& options,
                const auto& sets_of_run) {
  Study models(options.out, example::common_settings(options, all), options.resume);
  std::vector<Setup> setups;
  for (const std::string& name : names) setups.push_back({name});
  example::for_each_run(models, setups, options.runs, [&](const Setup& setup, const auto& folder) {
    const Sets sets = sets_of_run(setup.seed);
    return example::with_network<Classes>(setup.model, Seed{static_cast<std::uint64_t>(setup.seed)}, [&](auto net) {
      example::train_network(net, sets, options, setup.seed, folder);
      return classification(net, sets.test, folder);
    });
  });
  return models;
}

void load(auto& net, const Study& models, const Setup& setup) {
  load_weights(net, models.at(setup.settings()).folder / "weights.safetensors");
}

/// Tables 4 to 6.
template <int Classes>
void folds(const data::Dataset& all, const RunOptions& options) {
  const std::vector<std::string> names{"gate", "concatenation", "product", "global alone", "local alone"};
  Study models = train_all<Classes>(all, names, options, [&](Index run) { return sets_of(all, options, run); });
  Study maps(models.folder() / "maps", models.common(), options.resume);
  report::Gallery gallery;
  for (Index seed = 1; seed <= options.runs; ++seed) {
    const data::Dataset test = sets_of(all, options, seed).test;
    const data::Dataset explained = test.subset(some_of_each(test, options.full ? test.size() : 30));
    if (seed == 1) gallery = pictures_of(test, some_of_each(test, 6));
    for (const std::string& name : names)
      example::with_network<Classes>(name, Seed{}, [&](auto net) {
        load(net, models, {name, seed});
        example::each_map(name, net, [&](const auto& model, const auto& part, const std::string& map, const auto& how) {
          models.once(Setup{model, seed}.settings(), [&](const auto& to) { return classification(part, test, to); });
          maps.once({{"model", model}, {"map", map}, {"seed", text(seed)}},
                    [&](const auto& to) { return explanations(part, how, explained, to); });
          if (seed == 1) add_maps(gallery, model + ", " + map, part, how, test.class_names(), -1);
        });
      });
  }
  Output out = example::summary(models, maps);
  out.page.gallery("Test pictures of the first run", std::move(gallery));
  out.write(options.out);
}

/// Tables 7 and 8. The pictures that all people marked are the test; without people, they are made up for a fold.
template <int Classes>
void annotators(const data::Dataset& all, RunOptions options) {
  options.runs = 1;
  const bool made_up = options.annotations->empty();
  const auto people = example::annotators_of(options, made_up ? sets_of(all, options, 1).test : all);
  const data::Dataset set = example::marked_by_all(all, people);
  require(!set.empty(), "no picture with a reference is marked by all ", people.size(), " annotators");
  const Study models =
      train_all<Classes>(all, {"gate"}, options, [&](Index) { return example::sets_around(set, all, options); });
  example::Gate<Classes> net;
  load(net, models, {"gate"});
  example::compare(set, maps_over(net, set, explain::Activation<"fusion">{.01}), people, options).write(options.out);
}

template <int Classes>
void study(const data::Dataset& all, const RunOptions& options) {
  options.study == "folds" ? folds<Classes>(all, options) : annotators<Classes>(all, options);
}

}  // namespace

int main(int argc, char** argv) {
  const auto about = "Studies networks that see a picture as a whole and in patches, joined by an attention gate.";
  const RunOptions defaults{.pictures = 600,
                            .size = 64,
                            .epochs = 15,
                            .batch = 16,
                            .out = "runs/fusion",
                            .studies = {"folds", "annotators"},
                            .runs = 5,
                            .annotations = ""};
  return example::run(argc, argv, about, defaults, [](const RunOptions& options) {
    const data::Dataset all = example::labelled(options);
    require<OptionError>(all.classes() == 2 || all.classes() == 3, options.data, ": ", all.classes(),
                         " classes; this program has networks for 2 and for 3");
    all.classes() == 2 ? study<2>(all, options) : study<3>(all, options);
  });
}
