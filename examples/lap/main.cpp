// LAP: networks that say where they looked. Networks without LAPs, with LAPs beside them and with LAPs in them are
// trained on the same pictures, and their explanations are compared with those of other methods. See docs/lap.md.
#include <chrono>

#include "common/data.hpp"
#include "common/run.hpp"
#include "common/study.hpp"
#include "lap/explainers.hpp"
#include "lap/networks.hpp"
#include "lap/summary.hpp"
#include "limn/core/memory.hpp"
#include "limn/evaluate/faithfulness.hpp"
#include "limn/evaluate/side_by_side.hpp"
#include "limn/evaluate/stand_alone.hpp"
#include "limn/evaluate/study_values.hpp"

using namespace limn;
using example::RunOptions, example::Setup, example::Sets;

namespace {

/// How well a network classifies, and each of its LAPs by itself.
StudyValues classification(const auto& net, const data::Dataset& test) {
  const auto scores = evaluate(net, test, metrics::Classification{}).classification;
  StudyValues values{{"sensitivity", scores.sensitivity},
                     {"specificity", scores.specificity},
                     {"balanced_accuracy", scores.balanced_accuracy}};
  append(values, study_values(scores));
  std::vector<StandAlone> laps(example::depths);
  if constexpr (example::has_laps<std::remove_cvref_t<decltype(net)>>) laps = stand_alone(read_laps(net, test));
  for (std::size_t l = 0; l < laps.size(); ++l) {
    values.emplace_back(text("predictivity_", l + 1), laps[l].predictivity.f1);
    values.emplace_back(text("compatibility_", l + 1), laps[l].compatibility.f1);
  }
  return values;
}

data::Dataset positives(const data::Dataset& set) {
  return set.filter([](const data::Sample& s) { return s.label == 1; });
}

/// Where the maps of the correctly predicted positives fall.
StudyValues localisation(const auto& net, const auto& explainer, const Sets& sets,
                         const std::filesystem::path& folder) {
  auto pictures = score_pictures(net, positives(sets.test), explainer,
                                 {.learned = learn_threshold(net, positives(sets.val), explainer)});
  std::erase_if(pictures, [](const PictureScores& p) { return p.correct == 0; });
  std::filesystem::create_directories(folder);
  save_pictures(folder / "pictures.csv", pictures);
  return study_values(pictures);
}

/// What the maps of the correctly predicted positives are worth to the network.
StudyValues faithfulness(const auto& net, const auto& explainer, const data::Dataset& test) {
  metrics::FaithfulnessOptions how = metrics::preset::lap_xray();
  how.only = 1;
  return study_values(score_faithfulness(net, positives(test), explainer, how).scores());
}

/// What a map costs: prediction and explanation in one, as an explainer's own pass gives the prediction too.
StudyValues cost(const auto& net, const auto& explainer, const data::Dataset& set) {
  double best = std::numeric_limits<double>::infinity();
  MemoryPool::instance().reset_peak();
  for (int repeat = 0; repeat < 3; ++repeat) {
    double seconds = 0;
    auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
    while (auto host = stream.next()) {
      const Batch<Cpu> batch = to_batch<Cpu>(std::move(*host));
      const auto start = std::chrono::steady_clock::now();
      (void)explainer(net, batch.images, batch.labels);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    best = std::min(best, seconds);
  }
  return {{"milliseconds_per_picture", 1000 * best / static_cast<double>(set.size())},
          {"megabytes", static_cast<double>(MemoryPool::instance().use().peak) / 1e6}};
}

/// A row for each network, explainer and seed.
Study explain_all(const Study& networks, const Sets& sets, const RunOptions& options) {
  Study maps(networks.folder() / "maps", networks.common(), options.resume);
  for (Index seed = 1; seed <= options.runs; ++seed)
    for (Setup setup : example::setups(options)) {
      setup.seed = seed;
      const auto& folder = networks.at(setup.settings()).folder;
      example::with_network(setup, networks, folder, [&](const auto& net) {
        example::each_explainer(net, sets.train, options, [&](const std::string& name, const auto& explainer) {
          maps.once({{"network", setup.network}, {"explainer", name}, {"seed", text(seed)}}, [&](const auto& to) {
            if (options.study == "time") return cost(net, explainer, positives(sets.test));
            if (options.study == "faithfulness") return faithfulness(net, explainer, sets.test);
            return localisation(net, explainer, sets, to);
          });
        });
      });
    }
  return maps;
}

/// The same pictures as the networks of the first seed see them.
report::Gallery seen(const Study& networks, const Sets& sets, const RunOptions& options) {
  report::Gallery gallery = pictures_of(sets.test, some_of_each(sets.test, 6));
  for (const Setup& setup : example::setups(options))
    example::with_network(setup, networks, networks.at(setup.settings()).folder, [&](const auto& net) {
      const auto show = [&](const std::string& explainer, const auto& how) {
        add_maps(gallery, setup.network + ", " + explainer, net, how, sets.test.class_names(), 1);
      };
      if constexpr (std::is_same_v<decltype(net), const example::Plain&>) {
        show("Grad-CAM at layer4", explain::GradCam<"layer4">{});
        show("Relevance-CAM at layer3", explain::RelevanceCam<"layer3">{});
      } else if constexpr (std::is_same_v<decltype(net), const example::Concepts&>) {
        show("BotCL", explain::BotCl{});
      } else {
        show("LAP", explain::Lap{});
      }
    });
  return gallery;
}

}  // namespace

int main(int argc, char** argv) {
  const auto about = "Studies how well networks with LAPs classify, where they look, and what that costs.";
  const RunOptions defaults{.pictures = 1200,
                            .size = 64,
                            .epochs = 16,
                            .batch = 16,
                            .out = "runs/lap",
                            .studies = {"localisation", "faithfulness", "ablation", "depths", "time"}};
  return example::run(argc, argv, about, defaults, [](const RunOptions& options) {
    auto [train, val, test] = example::two_classes(options).split({.fractions = {.7, .1, .2}, .seed = options.seed});
    const Sets sets{train, val, test};
    Study networks(options.out, example::common_settings(options, sets.train), options.resume);
    example::for_each_run(
        networks, example::setups(options), options.runs, [&](const Setup& setup, const auto& folder) {
          StudyValues values = example::train(setup, networks, sets, options, folder);
          example::with_network(setup, networks, folder,
                                [&](const auto& net) { append(values, classification(net, sets.test)); });
          return values;
        });
    const Study maps = explain_all(networks, sets, options);

    report::Page page = example::summary(networks, maps, options);
    if (options.study != "time") page.gallery("Test pictures", seen(networks, sets, options));
    page.write(options.out);
  });
}
