// The quickstart's network without LAP: trained by cross-entropy alone, explained by Grad-CAM afterwards. It is what
// the quickstart is compared with (docs/results/).
#include <limn/limn.hpp>

#include "common/data.hpp"
#include "common/run.hpp"

using namespace limn;

int main(int argc, char** argv) {
  const auto about = "Trains the quickstart's network without LAP and explains it by Grad-CAM.";
  const example::RunOptions defaults{.size = 64, .epochs = 24, .batch = 16, .seed = 7, .out = "runs/plain"};
  return example::run(argc, argv, about, defaults, [](const example::RunOptions& options) {
    auto data = example::two_classes(options);
    auto [train, val, test] = data.split({.fractions = {.7, .1, .2}, .seed = options.seed});

    models::SlimResNet18<Cpu, 1, 2> net{Seed{options.seed}};
    auto fit = train::fit(net, CrossEntropy{}, Adam{{.lr = 1e-3, .weight_decay = 1e-6}}, train, val,
                          {.epochs = options.epochs,
                           .batch = options.batch,
                           .out = options.out,
                           .seed = Seed{options.seed},
                           .augment = {.flip = true},
                           .schedule = Cosine{},
                           .monitor = "val_loss",
                           .resume = options.resume});

    auto explainers = metrics::Localisation{explain::GradCam<"layer4">{}};
    auto scores = evaluate(net, test, metrics::Classification{}, explainers.learning_from(val).of_class(1));
    report::html(options.out, fit, scores, gallery(net, test, 12));
    report::write_metrics_json(options.out + "/metrics.json", scores, {{"training", fit.seconds}});
    std::puts(report::markdown(scores).c_str());
  });
}
