// The course of a training run: epochs, checkpoints, early stopping, the reasons to end.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "limn/core/append.hpp"
#include "limn/models/weights.hpp"
#include "limn/train/checkpoint.hpp"
#include "limn/train/checks.hpp"
#include "limn/train/signals.hpp"
#include "limn/train/step.hpp"

namespace limn::train::detail {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Which samples in which order, and how many pixels: a number that two data sets share only if they are the same.
[[gnu::cold]] inline std::string fingerprint(const data::Dataset& data) {
  std::uint64_t key = 0;
  for (Index i = 0; i < data.size(); ++i) {
    key = mix(mix(key, data[i].id), static_cast<std::uint64_t>(data[i].label));
    if (!data.domain_names().empty()) key = mix(key, static_cast<std::uint64_t>(data.domain(i)));
  }
  return text(data.size(), " samples of ", data.height(), " x ", data.width(), " x ", data.channels(), ", ids ", key);
}

template <Backend B>
class Loop {
 public:
  /// `settings`: what else must be the same when the run goes on (network, loss, optimiser).
  [[gnu::cold]] Loop(Learner<B> learner, const data::Dataset& train, const data::Dataset& val,
                     const FitOptions& options, Progress progress, Settings settings)
      : learner_(std::move(learner)),
        options_(options),
        progress_(std::move(progress)),
        settings_(std::move(settings)),
        train_(train, training_options(train, options, learner_.leaves)),
        val_(val, {.batch = options.batch}),
        folder_(options.out) {
    const data::Augment& a = options.augment;
    append(settings_, {{"training data", fingerprint(train)},
                       {"validation data", fingerprint(val)},
                       {"seed", text(options.seed.value)},
                       {"batch", text(options.batch)},
                       {"balanced", options.balanced ? "yes" : "no"},
                       {"augment", text("flip ", a.flip, " rotate_degrees ", a.rotate_degrees, " shift ", a.shift,
                                        " scale ", a.scale, " brightness ", a.brightness, " contrast ", a.contrast,
                                        " gamma ", a.gamma, " noise ", a.noise)},
                       {"schedule", describe(options.schedule, options.epochs)},
                       {"monitor", options.monitor},
                       {"choose_after", text(options.choose_after)}});
    if (options.drop_last) settings_.push_back({"drop_last", "yes"});
  }

  [[gnu::cold]] Fit run() {
    folder_.prepare();
    const bool goes_on = options_.resume && std::filesystem::exists(folder_.last());
    if (goes_on) {
      load();
    } else {
      folder_.clear();
    }
    folder_.write_metrics(state_.records);
    const StopSignals signals;
    start_ = std::chrono::steady_clock::now();
    Ending ending = Ending::epochs;
    while (state_.epoch() < options_.epochs) {
      if (options_.patience > 0 && state_.epoch() - std::max(state_.best_epoch, early()) >= options_.patience) {
        ending = Ending::early_stopping;
        break;
      }
      if ((options_.before_epoch && !options_.before_epoch(state_.epoch() + 1)) || !one_epoch()) {
        ending = must_stop() && !StopSignals::asked() ? Ending::time_limit : Ending::interrupted;
        save_last();
        break;
      }
    }
    if (options_.restore_best && state_.best_epoch > 0) {
      if (folder_.used()) {
        put_weights(learner_.leaves, io::read_safetensors(folder_.best()), folder_.best().string());
      } else {
        put_weights(learner_.leaves, best_, "the best epoch");
      }
    }
    return result(ending);
  }

 private:
  [[gnu::cold]] static data::LoaderOptions training_options(const data::Dataset& train, const FitOptions& options,
                                                            const std::vector<Leaf<B>>& leaves) {
    data::LoaderOptions out{.batch = options.batch,
                            .seed = options.seed.value,
                            .shuffle = true,
                            .balanced = options.balanced,
                            .augment = options.augment};
    // Batch normalisation cannot learn from a single picture: such a last batch is left out.
    const bool statistics = std::ranges::any_of(leaves, [](const auto& l) { return l.buffer != nullptr; });
    const Index samples = data::Loader(train, out).samples();
    out.drop_last = options.drop_last || (statistics && samples > options.batch && samples % options.batch == 1);
    return out;
  }

  bool must_stop() const {
    return StopSignals::asked() || (options_.max_minutes > 0 && seconds_since(start_) >= 60 * options_.max_minutes);
  }

  /// The rest of the epoch under way. False if it had to stop before its end.
  [[gnu::cold]] bool one_epoch() {
    const Index epoch = state_.epoch();
    const auto epoch_start = std::chrono::steady_clock::now();
    const double before = state_.epoch_seconds, total_before = state_.seconds;
    const auto tick = [&] {
      state_.epoch_seconds = before + seconds_since(epoch_start);
      state_.seconds = total_before + seconds_since(epoch_start);
    };
    auto batches = train_.epoch(epoch, state_.batches);
    while (state_.batches < train_.batches()) {
      auto host = batches.next();
      const std::vector<Index> positions = host->positions;
      const Place place{train_.dataset(), positions, text("epoch ", epoch + 1, ", batch ", state_.batches + 1)};
      const Seed drawn{
          mix(mix(options_.seed.value, static_cast<std::uint64_t>(epoch)), static_cast<std::uint64_t>(state_.batches))};
      const auto terms = train_batch(
          learner_, std::move(*host), [this](const Schedule* own) { return factor(own); }, progress(), drawn, place);
      add(terms, static_cast<Index>(positions.size()));
      tick();
      if (progress_.step) progress_.step(step_record());
      if (must_stop()) return false;
    }
    const double training_seconds = state_.epoch_seconds;
    if (options_.before_validation) options_.before_validation();
    const auto scores = validate(
        learner_, val_, epoch + 1, [this] { return must_stop(); }, options_.monitor == "val_total");
    if (!scores) return false;
    tick();

    EpochRecord record{epoch + 1, means()};
    if (options_.monitor == "val_total") record.values.push_back({"val_total", scores->total});
    const double lr = learner_.optimizer.lr() * factor(nullptr, -1);
    append(record.values, {{"val_loss", scores->loss},
                           {"val_accuracy", scores->accuracy},
                           {"val_auc", scores->auc},
                           {"lr", lr},
                           {"seconds", state_.epoch_seconds},
                           {"images_per_second", static_cast<double>(state_.images) / training_seconds}});
    finish(std::move(record));
    return true;
  }

  /// Epochs that are done, in fractions; `ahead` -1: before the last step.
  double epochs_done(Index ahead = 0) const {
    return static_cast<double>(state_.epoch()) +
           static_cast<double>(state_.batches + ahead) / static_cast<double>(train_.batches());
  }
  double progress() const { return epochs_done() / static_cast<double>(options_.epochs); }
  /// The factor of a group's own schedule, or of the run's, for the next step; `ahead` -1: for the one before.
  double factor(const Schedule* own, Index ahead = 0) const {
    const Schedule& schedule = own != nullptr ? *own : options_.schedule;
    // The warm-up begins with a step of its own size, not with a lost step of rate 0.
    const double offset = std::holds_alternative<Cosine>(schedule) ? 1 / static_cast<double>(train_.batches()) : 0;
    return lr_factor(schedule, epochs_done(ahead) + offset, static_cast<double>(options_.epochs));
  }

  [[gnu::cold]] void add(const std::vector<std::pair<std::string, double>>& terms, Index images) {
    if (state_.sums.empty())
      for (const auto& term : terms) state_.sums.push_back({unused_name(term.first), 0});
    for (std::size_t i = 0; i < state_.sums.size() && i < terms.size(); ++i)
      state_.sums[i].second += terms[i].second * static_cast<double>(images);
    state_.images += images;
    state_.batches += 1;
  }
  /// Two terms of the same kind are told apart by a number.
  [[gnu::cold]] std::string unused_name(const std::string& name) const {
    const auto taken = [&](const std::string& candidate) {
      return std::ranges::any_of(state_.sums, [&](const auto& s) { return s.first == candidate; });
    };
    if (!taken(name)) return name;
    int number = 2;
    while (taken(text(name, "_", number))) ++number;
    return text(name, "_", number);
  }
  [[gnu::cold]] std::vector<std::pair<std::string, double>> means() const {
    auto out = state_.sums;
    for (auto& [name, value] : out) value /= static_cast<double>(state_.images);
    return out;
  }

  [[gnu::cold]] StepRecord step_record() const {
    const Index done = state_.epoch() * train_.batches() + state_.batches;
    const double per_batch = state_.epoch_seconds / static_cast<double>(state_.batches);
    return {state_.epoch() + 1,
            options_.epochs,
            state_.batches,
            train_.batches(),
            static_cast<double>(state_.images) / state_.epoch_seconds,
            per_batch * static_cast<double>(options_.epochs * train_.batches() - done),
            means()};
  }

  /// Epochs that are the best only until a later one is done.
  Index early() const {
    return static_cast<Index>(std::ceil(options_.choose_after * static_cast<double>(options_.epochs) - 1e-6));
  }

  /// An epoch is over: is it the best, and all files. last.safetensors goes first: best and metrics can be made again
  /// from it wherever the process is killed.
  [[gnu::cold]] void finish(EpochRecord record) {
    const double value = record.at(options_.monitor), loss = record.at("val_loss");
    const double gain = larger_is_better(options_.monitor) ? value - state_.best_value : state_.best_value - value;
    const bool first = state_.best_epoch == 0 || (state_.epoch() >= early() && state_.best_epoch <= early());
    const bool best = std::isfinite(value) && (first || gain > 0 || (gain == 0 && loss < state_.best_loss));
    state_.records.push_back(std::move(record));
    state_.batches = state_.images = 0;
    state_.epoch_seconds = 0;
    state_.sums.clear();
    if (best) {
      state_.best_epoch = state_.epoch();
      state_.best_value = value;
      state_.best_loss = loss;
    }
    save_last();
    if (best) save_best();
    folder_.append_metrics(state_.records.back());
    if (progress_.epoch) progress_.epoch(state_.records.back(), options_.epochs);
    if (options_.on_epoch) options_.on_epoch(EpochRecord(state_.records.back()));
  }

  [[gnu::cold]] void save_last() const {
    if (!folder_.used()) return;
    io::TensorFile file = weights_of(learner_.leaves);
    for (const auto& [name, tensor] : learner_.optimizer.state())
      file.tensors[optimizer_name(name)] = limn::detail::entry_of(tensor);
    for (const auto& [name, tensor] : learner_.memory)
      file.tensors[optimizer_name(name)] = limn::detail::entry_of(tensor);
    file.metadata = {{"training", to_text(state_, settings_, learner_.optimizer.steps())}};
    io::write_safetensors(folder_.last(), file);
  }
  [[gnu::cold]] void save_best() {
    best_ = weights_of(learner_.leaves);
    if (!folder_.used()) return;
    best_.metadata = {{"epoch", text(state_.best_epoch)}, {options_.monitor, text(state_.best_value)}};
    io::write_safetensors(folder_.best(), best_);
    best_ = {};  // it is read again when it is needed
  }

  [[gnu::cold]] void load() {
    const std::string name = folder_.last().string();
    const io::TensorFile file = io::read_safetensors(folder_.last());
    const std::string* training = file.find_text("training");
    require<FileError>(training != nullptr, name, ": weights, but not a checkpoint of a training run");
    Index steps = 0;
    TrainingState state = from_text(*training, name, settings_, steps);
    require<FileError>(state.batches <= train_.batches(), name, ": batch ", state.batches, " of an epoch of ",
                       train_.batches());
    const auto read = [&](const std::string& tensor_name, auto& tensor) {
      const auto found = file.tensors.find(optimizer_name(tensor_name));
      require<FileError>(
          found != file.tensors.end() && found->second.shape == limn::detail::shape_in_file(tensor.shape()), name,
          ": no ", optimizer_name(tensor_name), " of the right shape");
      limn::detail::read_entry(found->second, tensor);
    };
    auto kept = learner_.optimizer.state();
    for (auto& [tensor_name, tensor] : kept) {
      tensor = tensor.clone();
      read(tensor_name, tensor);
    }
    for (auto& [tensor_name, tensor] : learner_.memory) read(tensor_name, tensor);
    put_weights(learner_.leaves, file, name);
    learner_.optimizer.load(kept, steps);
    state_ = std::move(state);
    if (state_.batches == 0 && state_.best_epoch == state_.epoch() && state_.best_epoch > 0) save_best();
  }
  static std::string optimizer_name(const std::string& name) {
    return std::string(limn::detail::optimizer_prefix) + name;
  }

  [[gnu::cold]] Fit result(Ending ending) const {
    Fit fit;
    fit.best_epoch = state_.best_epoch;
    fit.best_value = state_.best_value;
    fit.seconds = state_.seconds;
    fit.ending = ending;
    report::History& history = fit.history;
    history.columns = {"epoch"};
    if (!state_.records.empty())
      for (const auto& value : state_.records.front().values) history.columns.push_back(value.first);
    for (const EpochRecord& record : state_.records) {
      history.rows.push_back({static_cast<double>(record.epoch)});
      for (std::size_t i = 1; i < history.columns.size(); ++i)
        history.rows.back().push_back(record.at(history.columns[i]));
    }
    history.training_images = train_.dataset().size();
    auto& facts = history.facts.rows;
    for (const auto& setting : settings_)
      if (setting.first == "optimiser" || setting.first == "loss" || setting.first == "seed" ||
          setting.first == "batch" || setting.first == "schedule")
        facts.push_back(setting);
    facts.push_back({"epochs", text(state_.epoch(), " of ", options_.epochs, " (", train::to_text(ending), ")")});
    if (state_.best_epoch > 0)
      facts.push_back({"best epoch", text(state_.best_epoch, " (", options_.monitor, " ", state_.best_value, ")")});
    return fit;
  }

  Learner<B> learner_;
  FitOptions options_;
  Progress progress_;
  Settings settings_;
  data::Loader train_, val_;
  RunFolder folder_;
  TrainingState state_;
  io::TensorFile best_;  ///< where there is no folder
  std::chrono::steady_clock::time_point start_;
};

}  // namespace limn::train::detail
