#include "lap/networks.hpp"

#include <algorithm>
#include <limits>

#include "common/study.hpp"
#include "limn/core/memory.hpp"
#include "limn/loss/botcl.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/lap_expert.hpp"
#include "limn/train/fit.hpp"

namespace example {

using namespace limn;

namespace {

/// The trained network with the trained LAPs in it.
PluggedIn put_together(const Plain& net, auto& laps) {
  PluggedIn out;
  (void)put_weights(leaves(out), weights_of(leaves(net)), "the plain network", {.strict = false});
  const auto take = [](auto& lap, const auto& unit) {
    lap.head = unit.head;
    lap.discriminative = unit.discriminative;
  };
  take(at<"layer2.0.lap">(out), laps.template unit<"layer1">());
  take(at<"layer3.0.lap">(out), laps.template unit<"layer2">());
  take(at<"layer4.0.lap">(out), laps.template unit<"layer3">());
  take(at<"avgpool">(out), laps.template unit<"layer4">());
  return out;
}

}  // namespace

StudyValues train(const Setup& setup, const Study& study, const Sets& sets, const RunOptions& options,
                  const std::filesystem::path& folder) {
  const Seed seed{static_cast<std::uint64_t>(setup.seed)};
  double epoch_seconds = std::numeric_limits<double>::infinity();
  train::FitOptions how{.epochs = options.epochs,
                        .batch = options.batch,
                        .out = folder,
                        .seed = seed,
                        .augment = {.flip = true},
                        .schedule = Cosine{},
                        .monitor = "val_loss",
                        .choose_after = .5,  // the maps come later than the classes
                        .resume = options.resume,
                        .quiet = true,
                        .on_epoch = [&](const train::EpochRecord& epoch) {
                          const double seconds = static_cast<double>(sets.train.size()) / epoch.at("images_per_second");
                          epoch_seconds = std::min(epoch_seconds, seconds);
                        }};
  if (options.study == "time") how.epochs = std::min<Index>(how.epochs, 3);
  const auto learn = [&](auto& net, const auto& loss,
                         const Adam& optimiser = Adam{{.lr = 1e-3, .weight_decay = 1e-6}}) {
    const auto fit = train::fit(net, loss, optimiser, sets.train, sets.val, how);
    require(fit.ending == train::Ending::epochs, "stopped; --resume goes on");
    keep_weights_only(net, folder);
  };
  const auto half = [&] { how.epochs = std::max<Index>(1, options.study == "time" ? how.epochs : how.epochs / 2); };
  const auto plain = [&] {
    Plain net;
    load(net, plain_run(study, setup).folder);
    return net;
  };
  const auto weak = LapSupervision{setup.finding} + LapConcordance{};

  MemoryPool::instance().reset_peak();
  if (setup.kind == Kind::plain) {
    Plain net{seed};
    learn(net, CrossEntropy{});
  } else if (setup.kind == Kind::plugged_in) {
    PluggedIn net{seed};
    learn(net, CrossEntropy{} + weak);
  } else if (setup.kind == Kind::expert) {
    PluggedIn net{seed};
    learn(net, CrossEntropy{} + LapExpertSupervision{setup.finding} + LapConcordance{});
  } else if (setup.kind == Kind::detached) {
    half();
    how.monitor = "val_total";
    const Plain net = plain();
    auto laps = beside(net, seed);
    learn(laps, weak);
  } else if (setup.kind == Kind::botcl) {
    how.schedule = StepDecay{.every = std::max<Index>(1, how.epochs * 3 / 4)};
    Concepts net{plain(), seed};
    learn(net, botcl_loss(),
          Adam{{.lr = 5e-4, .weight_decay = .01, .decoupled = true},
               {{.prefix = "net", .frozen = true}, {.prefix = "net.layer4"}}});
  } else {
    half();
    const Plain net = plain();
    auto laps = beside(net);
    load(laps, study.at({{"network", "detached"}, {"seed", text(setup.seed)}}).folder);
    PluggedIn together = put_together(net, laps);
    LapSupervisionOptions finding = setup.finding;
    finding.warm_up = 0;  // the maps have begun
    learn(together, CrossEntropy{} + LapSupervision{finding} + LapConcordance{},
          Adam{{.lr = 3e-4, .weight_decay = 1e-6}});
  }
  const double peak = static_cast<double>(MemoryPool::instance().use().peak) / 1e6;
  return {{"seconds_per_epoch", epoch_seconds}, {"training_megabytes", peak}};
}

}  // namespace example
