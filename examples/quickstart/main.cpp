// Trains a classifier that explains itself, on generated chest radiographs or on your pictures (--data DIR), and writes
// a report: how well it classifies, where its explanations fall, and a gallery. See docs/getting_started.md.
#include <limn/limn.hpp>

#include "common/data.hpp"
#include "common/run.hpp"

using namespace limn;

int main(int argc, char** argv) {
  const auto about = "Trains a LAP network that shows where it looks, and writes a report.";
  const example::RunOptions defaults{.size = 64, .epochs = 24, .batch = 16, .seed = 7, .out = "runs/quickstart"};
  return example::run(argc, argv, about, defaults, [](const example::RunOptions& options) {
    auto data = example::two_classes(options);  // images, labels, masks
    auto [train, val, test] = data.split({.fractions = {.7, .1, .2}, .seed = options.seed});

    // A ResNet-18 in which every step to a lower resolution is a LAP-Pool.
    models::SlimResNet18<Cpu, 1, 2, pool::Lap> net{Seed{options.seed}};
    // What is known of the size of a finding, as a share of the picture. The maps learn where it is once the features
    // have a first idea.
    const bool generated = options.data.empty();
    const LapSupervisionOptions finding{
        .min_active = generated ? .03f : .05f, .max_active = generated ? .1f : .3f, .inactive = .1f, .warm_up = .3f};
    auto loss = CrossEntropy{} + LapSupervision{finding} + LapConcordance{};
    auto fit = train::fit(net, loss, Adam{{.lr = 1e-3, .weight_decay = 1e-6}}, train, val,
                          {.epochs = options.epochs,
                           .batch = options.batch,
                           .out = options.out,
                           .seed = Seed{options.seed},
                           .augment = {.flip = true},
                           .schedule = Cosine{},
                           .monitor = "val_loss",
                           .choose_after = .5,  // the maps come later than the classes
                           .resume = options.resume});

    auto explainers = metrics::Localisation{explain::Lap{}, explain::GradCam<"layer4">{}};
    auto scores = evaluate(net, test, metrics::Classification{}, explainers.learning_from(val).of_class(1));
    report::html(options.out, fit, scores, gallery(net, test, 12));
    report::write_metrics_json(options.out + "/metrics.json", scores, {{"training", fit.seconds}});
    std::puts(report::markdown(scores).c_str());
  });
}
