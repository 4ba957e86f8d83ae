// ALIGN against other ways to train networks that are asked about pictures from elsewhere: a classifier and a masker
// are trained in turn, and what they look at is measured. See docs/align.md.
#include "align/domains.hpp"
#include "align/methods.hpp"
#include "align/summary.hpp"
#include "common/run.hpp"
#include "common/study.hpp"
#include "limn/evaluate/faithfulness.hpp"
#include "limn/evaluate/side_by_side.hpp"
#include "limn/explain/masker.hpp"
#include "limn/train/align.hpp"

using namespace limn;
using example::Masker, example::Net, example::RunOptions, example::Sets, example::Setup;

namespace {

/// Trains a classifier by the method, and for ALIGN its masker. All methods take the classifier as many steps.
template <class Cam>
void train_by(const Setup& setup, const Sets& sets, const RunOptions& options, const std::string& folder, Net& net,
              Masker& masker) {
  const Seed seed{static_cast<std::uint64_t>(setup.seed)};
  const Adam adam{{.lr = 3e-3, .weight_decay = 1e-4}};
  const train::FitOptions fit{.epochs = options.epochs,
                              .batch = options.batch,
                              .out = folder,
                              .seed = seed,
                              .schedule = Cosine{},
                              .restore_best = false,  // validation knows nothing of other domains
                              .resume = options.resume,
                              .quiet = true};
  const auto finished = [](train::Ending ending) {
    require(ending == train::Ending::epochs, "stopped; --resume goes on");
  };
  if (setup.method == "align") {
    const Index alone = example::alone(options);
    finished(train::align(net, masker, align_losses<Cam>(masker), adam, sets.train, sets.val,
                          {.warm_up = alone, .rounds = options.epochs - alone, .each = fit})
                 .classifier.ending);
  } else {
    example::with_method<Cam>(setup.method, sets.train, options, [&](const auto& loss, const data::Dataset& pictures) {
      finished(train::fit(net, loss, adam, pictures, sets.val, fit).ending);
    });
  }
}

/// Trains, keeps the weights in the folder, and measures inside and outside of the domains that were learned from.
template <class Cam>
StudyValues one_run(const Setup& setup, const data::Dataset& all, const RunOptions& options,
                    const std::filesystem::path& folder) {
  const Sets sets = sets_of(all, setup, options);
  Net net{Seed{static_cast<std::uint64_t>(setup.seed)}};
  Masker masker{Seed{static_cast<std::uint64_t>(setup.seed)}};
  train_by<Cam>(setup, sets, options, folder, net, masker);
  std::filesystem::remove_all(folder);  // the checkpoints
  std::filesystem::create_directories(folder);
  save_weights(net, folder / "weights.safetensors");
  if (setup.method == "align") save_weights(masker, folder / "masker.safetensors");

  StudyValues values;
  const auto measure = [&](const std::string& where, const data::Dataset& set) {
    const auto scores =
        evaluate(net, set, metrics::Classification{}, metrics::Faithfulness{Cam{}}.with(metrics::preset::align()),
                 metrics::Localisation{Cam{}});
    const auto& cam = scores.faithfulness.front();
    append(values, {{"accuracy_" + where, scores.classification.accuracy},
                    {"auc_" + where, scores.classification.auc},
                    {"sufficiency_" + where, cam.mean.at(0)},
                    {"comprehensiveness_" + where, cam.mean.at(1)},
                    {"no_map_" + where, static_cast<double>(cam.undefined) / static_cast<double>(set.size())},
                    {"rma_" + where, scores.localisation.front().rma},
                    {"mask_rma_" + where, example::share_inside(example::masks_of(setup.method, masker, set), set)}});
  };
  measure("in", sets.inside);
  measure("out", sets.outside);
  for (const std::string& name : all.domain_names()) {  // each domain by itself
    const bool own = (name == setup.domain) == (options.study == "sources");
    const data::Dataset set = data::in_domain(own ? sets.inside : sets.outside, name);
    double accuracy = metrics::undefined_value, auc = accuracy;
    if (!set.empty()) {
      const auto scores = evaluate(net, set, metrics::Classification{}).classification;
      accuracy = scores.accuracy;
      auc = scores.auc;
    }
    append(values, {{"accuracy_" + name, accuracy}, {"auc_" + name, auc}});
  }
  return values;
}

/// Pictures of a domain that was not learned from, as the networks see them; what ALIGN's masker keeps of them.
template <class Cam>
report::Gallery seen(const Study& study, const data::Dataset& all, const RunOptions& options) {
  const std::string domain = all.domain_names().back();
  const data::Dataset set = sets_of(all, {"", domain}, options).outside;
  report::Gallery gallery = pictures_of(set, some_of_each(set, 4));
  for (const StudyRun& run : study.runs()) {
    if (run.setting("domain") != domain || run.setting("seed") != "1") continue;
    Net net;
    load_weights(net, run.folder / "weights.safetensors");
    add_maps(gallery, run.setting("method"), net, Cam{}, set.class_names(), 1);
    if (run.setting("method") != "align") continue;
    Masker masker;
    load_weights(masker, run.folder / "masker.safetensors");
    add_maps(gallery, "learned mask", net, explain::MaskOf(masker), set.class_names(), 1);
  }
  return gallery;
}

template <class Cam>
void study(const data::Dataset& all, const RunOptions& options) {
  Study study(options.out, example::common_settings(options, all), options.resume);
  example::for_each_run(study, example::grid(options, all), options.runs, [&](const Setup& setup, const auto& folder) {
    return one_run<Cam>(setup, all, options, folder);
  });
  example::Output out = example::summary(study, options);
  out.page.gallery("Pictures from a domain that was not learned from", seen<Cam>(study, all, options));
  out.write(options.out);
}

}  // namespace

int main(int argc, char** argv) {
  const auto about = "Trains a classifier and a masker in turn, and compares with other methods on other domains.";
  const RunOptions defaults{.pictures = 800,
                            .size = 32,
                            .epochs = 16,
                            .batch = 16,
                            .out = "runs/align",
                            .studies = {"methods", "sources"},
                            .runs = 1};
  return example::run(argc, argv, about, defaults, [](const RunOptions& options) {
    const data::Dataset all = example::pictures_of_domains(options);
    options.size < 96 ? study<example::SecondStage>(all, options) : study<example::LastStage>(all, options);
  });
}
