// train::align: a classifier and a masker in turn (ALIGN). The classifier's training is one train::fit, before some of
// whose epochs the masker has a train::fit of its own: the run can be stopped anywhere and goes on with the same bits.
//   models::Masker<Cpu, 1> masker{Seed{7}};
//   auto done = train::align(net, masker, align_losses<GradCam<"layer4">>(masker), Adam{{.lr = 1e-3f}}, train, val,
//                            {.warm_up = 5, .rounds = 5, .each = {.batch = 16, .out = "runs/align"}});
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limn/loss/explanation/align.hpp"
#include "limn/loss/later.hpp"
#include "limn/train/fit.hpp"

namespace limn::train {

struct AlignOptions {
  Index warm_up = 5;                               ///< epochs of the classifier before there are masks
  Index rounds = 5;                                ///< how often masker and classifier take turns
  Index masker_epochs = 3, classifier_epochs = 1;  ///< of a turn
  /// Of the classifier's training and of every turn of the masker. `epochs`, `patience` and `restore_best` do not
  /// count: both end with their last weights, for validation does not see what the masks are for. The schedule is the
  /// classifier's, over all its epochs; the masker's rate stays. Files go to out/classifier and out/masker_k.
  FitOptions each = {};
};

struct AlignFit {
  Fit classifier;           ///< of all its epochs; how the whole run ended
  std::vector<Fit> masker;  ///< a turn each
  [[nodiscard]] double seconds() const {
    double out = classifier.seconds;
    for (const Fit& fit : masker) out += fit.seconds;
    return out;
  }
};

namespace detail {

/// Who is trained when, and what must be the same when a run goes on.
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
    for (Index k = 1; std::filesystem::is_directory(folder(text("masker_", k))); ++k)
      RunFolder(folder(text("masker_", k))).clear();
    io::write_file_atomically(plan, now);
  }

  [[nodiscard]] Index epochs() const { return options_.warm_up + options_.rounds * options_.classifier_epochs; }
  /// The share of the classifier's training that has no masks.
  [[nodiscard]] double alone() const { return static_cast<double>(options_.warm_up) / static_cast<double>(epochs()); }
  /// How many turns of the masker come before an epoch of the classifier (counted from 1).
  [[nodiscard]] Index before(Index epoch) const {
    const Index guided = std::min(epoch, epochs()) - options_.warm_up;  // epochs with masks, this one included
    return guided <= 0 ? 0 : (guided - 1) / options_.classifier_epochs + 1;
  }

  [[nodiscard]] FitOptions classifier() const { return of("classifier", epochs()); }
  /// Of turn k (counted from 1).
  [[nodiscard]] FitOptions masker(Index k) const {
    FitOptions out = of(text("masker_", k), options_.masker_epochs);
    out.seed = Seed{mix(out.seed.value, static_cast<std::uint64_t>(k))};
    out.schedule = {};
    out.before_epoch = {};
    if (out.max_minutes > 0) out.max_minutes = std::max(out.max_minutes - seconds_since(start_) / 60, 1e-9);
    return out;
  }

 private:
  [[nodiscard]] std::filesystem::path folder(const std::string& name) const {
    return std::filesystem::path(options_.each.out) / name;
  }
  [[gnu::cold]] FitOptions of(const std::string& name, Index epochs) const {
    FitOptions out = options_.each;
    out.epochs = epochs;
    out.patience = 0;
    out.restore_best = false;
    if (!out.out.empty()) out.out = folder(name).string();
    return out;
  }

  AlignOptions options_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Shows the masker one picture: what does not fit is refused before the classifier is trained.
template <Backend B, models::MaskNetwork M>
[[gnu::cold]] void try_out(const M& masker, const data::Dataset& data) {
  const NoRecord off;
  Run<B> run;
  data::HostBatch host = *data::Loader(data, {.batch = 1, .prefetch = 0}).epoch(0).next();
  (void)models::mask_of(masker, Var<B>(to_batch<B>(std::move(host)).images), run);
}

}  // namespace detail

/// Trains the classifier `net`; after `warm_up` epochs, and again after every `classifier_epochs`, the masker for the
/// classifier as it is, whose masks guide the classifier from then on. Both in place. `losses`: see align_losses();
/// their masks must come from `masker` itself. While one is trained, nothing of the other changes, running statistics
/// included. The classifier keeps its optimiser's memory over all turns; every turn of the masker begins a new one, for
/// its task is new. Turns of the masker are validated by what the classifier says of the pictures behind its masks.
///
/// Stopped by Ctrl-C or a time limit, both leave their checkpoints; with {.each = {.resume = true}} the run goes on
/// with the same bits, and with a constant rate it may get more rounds. Throws as train::fit does.
template <class Net, models::MaskNetwork M, class OfClassifier, class Guidance, class OfMasker, class Chosen>
[[gnu::cold]] AlignFit align(Net& net, M& masker, const AlignLosses<OfClassifier, Guidance, OfMasker>& losses,
                             const Chosen& optimizer, const data::Dataset& train, const data::Dataset& val,
                             const AlignOptions& options = {}) {
  const detail::Turns turns(options);
  AlignFit out;
  // When a run goes on, turns that are done are read again.
  const auto masks_before = [&](Index epoch) {
    while (static_cast<Index>(out.masker.size()) < turns.before(epoch)) {
      models::Masked<Net, M> behind(net, masker);
      out.masker.push_back(
          fit(behind, losses.masker, optimizer, train, val, turns.masker(static_cast<Index>(out.masker.size()) + 1)));
      masker = std::move(behind.masker);
      if (out.masker.back().ending != Ending::epochs) return false;
    }
    return true;
  };
  FitOptions how = turns.classifier();
  how.before_epoch = [&](Index epoch) {
    if (epoch == 1) detail::try_out<backend_of<Net>>(masker, val);
    return masks_before(epoch) && (!options.each.before_epoch || options.each.before_epoch(epoch));
  };
  out.classifier = fit(net, losses.classifier + later(turns.alone(), losses.guidance), optimizer, train, val, how);
  if (out.classifier.ending == Ending::epochs) (void)masks_before(turns.epochs());
  const bool in_turn = !out.masker.empty() && out.masker.back().ending != Ending::epochs;
  if (in_turn) out.classifier.ending = out.masker.back().ending;
  return out;
}

}  // namespace limn::train
