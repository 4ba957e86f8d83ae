// train::align: a classifier and a masker in turn (ALIGN). Every turn is a train::fit, so each can be stopped, goes on
// with the same bits, and leaves its own record.
//   models::Masker<Cpu, 1> masker{Seed{7}};
//   auto done = train::align(net, masker, align_losses<GradCam<"layer4">>(masker), Adam{{.lr = 1e-3f}}, train, val,
//                            {.warm_up = 5, .rounds = 5, .each = {.batch = 16, .out = "runs/align"}});
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limn/loss/explanation/align.hpp"
#include "limn/train/fit.hpp"

namespace limn::train {

struct AlignOptions {
  Index warm_up = 5;                               ///< epochs of the classifier alone; 0: it is trained already
  Index rounds = 5;                                ///< how often masker and classifier take turns
  Index masker_epochs = 3, classifier_epochs = 1;  ///< of a turn
  /// Of every turn, but that `epochs` and `restore_best` do not count: a turn ends with its last weights, for
  /// validation does not see what the masks are for. Turn k writes to out/turn_k; schedules and `max_minutes` are of
  /// one turn, and the optimiser begins anew with each.
  FitOptions each = {};
};

struct AlignFit {
  std::vector<Fit> turns;  ///< the classifier alone (if it was), then masker, classifier, masker, ...
  Ending ending = Ending::epochs;
  [[nodiscard]] double seconds() const {
    double out = 0;
    for (const Fit& fit : turns) out += fit.seconds;
    return out;
  }
};

namespace detail {

/// The folders of the turns, and what must be the same when a run goes on.
class Turns {
 public:
  [[gnu::cold]] explicit Turns(const AlignOptions& options) : options_(options) {
    const auto check = [](const char* name, Index value, Index least) {
      require<OptionError>(value >= least && value <= 1'000'000, "align: ", name, " must be ", least,
                           " to 1000000, got ", value);
    };
    check("warm_up", options.warm_up, 0);
    check("rounds", options.rounds, 0);
    check("masker_epochs", options.masker_epochs, 1);
    check("classifier_epochs", options.classifier_epochs, 1);
    require<OptionError>(options.warm_up + options.rounds > 0, "align: neither warm_up nor rounds: nothing to do");
    require<OptionError>(!options.each.resume || !options.each.out.empty(),
                         "align: resume needs the folder of the run (out)");
    if (options.each.out.empty()) return;
    RunFolder(options.each.out).prepare();
    const std::filesystem::path plan = std::filesystem::path(options.each.out) / "align.txt";
    const std::string now = text("warm_up ", options.warm_up, ", masker_epochs ", options.masker_epochs,
                                 ", classifier_epochs ", options.classifier_epochs, "\n");
    if (options.each.resume && std::filesystem::exists(plan)) {
      const std::string then = io::read_text(plan);
      require<OptionError>(then == now, "resume: ", plan.string(), " is of another run: ", then, "and now ", now);
      return;
    }
    // A turn of an earlier run, found later, would be gone on with.
    for (Index k = 0; std::filesystem::is_directory(folder(k)); ++k) RunFolder(folder(k)).clear();
    io::write_file_atomically(plan, now);
  }

  /// Options of the next turn.
  [[gnu::cold]] FitOptions next(Index epochs) {
    FitOptions out = options_.each;
    out.epochs = epochs;
    out.restore_best = false;
    if (!out.out.empty()) out.out = folder(number_).string();
    out.seed = Seed{mix(out.seed.value, static_cast<std::uint64_t>(number_))};
    ++number_;
    return out;
  }

 private:
  [[nodiscard]] std::filesystem::path folder(Index k) const {
    return std::filesystem::path(options_.each.out) / text("turn_", k);
  }

  AlignOptions options_;
  Index number_ = 0;
};

}  // namespace detail

/// Trains the classifier `net` alone, then the masker for the classifier as it is and the classifier for the masks as
/// they are, in turn; both in place. `losses`: see align_losses(); their masks must come from `masker` itself.
/// While one is trained, nothing of the other changes, running statistics included. Turns of the masker are validated
/// by what the classifier says of the pictures behind its masks.
///
/// Stopped by Ctrl-C or a time limit, the turn under way leaves its checkpoint and no other begins; with {.each =
/// {.resume = true}} the run goes on with the same bits, and may get more rounds. Throws as train::fit does.
template <class Net, models::MaskNetwork M, class Alone, class Guided, class OfMasker, class Chosen>
[[gnu::cold]] AlignFit align(Net& net, M& masker, const AlignLosses<Alone, Guided, OfMasker>& losses,
                             const Chosen& optimizer, const data::Dataset& train, const data::Dataset& val,
                             const AlignOptions& options = {}) {
  detail::Turns turns(options);
  AlignFit out;
  const auto goes_on = [&](Fit fit) {
    out.ending = fit.ending;
    out.turns.push_back(std::move(fit));
    return out.ending == Ending::epochs || out.ending == Ending::early_stopping;
  };
  if (options.warm_up > 0 && !goes_on(fit(net, losses.alone, optimizer, train, val, turns.next(options.warm_up))))
    return out;
  for (Index round = 0; round < options.rounds; ++round) {
    models::Masked<Net, M> behind(net, masker);
    const bool on = goes_on(fit(behind, losses.masker, optimizer, train, val, turns.next(options.masker_epochs)));
    masker = std::move(behind.masker);
    if (!on || !goes_on(fit(net, losses.guided, optimizer, train, val, turns.next(options.classifier_epochs)))) break;
  }
  return out;
}

}  // namespace limn::train
