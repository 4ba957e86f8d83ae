// What a training run is told, and what comes out of it.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/random.hpp"
#include "limn/data/transform.hpp"
#include "limn/optim/schedule.hpp"
#include "limn/report/types.hpp"

namespace limn::train {

/// One epoch: mean loss and its terms over the training pictures, val_loss (cross-entropy), val_accuracy, val_auc, lr,
/// seconds, images_per_second. NaN where there is no value.
struct EpochRecord {
  Index epoch = 0;  ///< counted from 1
  std::vector<std::pair<std::string, double>> values = {};

  [[nodiscard]] double at(const std::string& name) const {
    for (const auto& [key, value] : values)
      if (key == name) return value;
    return std::numeric_limits<double>::quiet_NaN();
  }
};

/// A step of training, as progress is told of it.
struct StepRecord {
  Index epoch = 0, epochs = 0;                             ///< epoch: counted from 1
  Index batch = 0, batches = 0;                            ///< batch: how many of the epoch are done
  double images_per_second = 0;                            ///< in this epoch
  double seconds_left = 0;                                 ///< to the end of the run, at this rate
  std::vector<std::pair<std::string, double>> terms = {};  ///< means over the epoch so far
};

/// Where progress goes. Either call may be empty.
struct Progress {
  std::function<void(const StepRecord&)> step = {};
  std::function<void(const EpochRecord&, Index epochs)> epoch = {};
};

struct FitOptions {
  Index epochs = 30, batch = 32;
  /// Folder for best.safetensors, last.safetensors and metrics.jsonl; made where it is missing, and an earlier run in
  /// it is replaced unless `resume` is set. Empty: nothing is written.
  std::string out = {};
  Seed seed = {};        ///< of the order of the pictures and of their changes
  bool balanced = true;  ///< the same number of each class in every batch (see data::LoaderOptions)
  /// A last batch that is not full is left out: for losses that want so many of each class (PrototypicalLoss).
  bool drop_last = false;
  data::Augment augment = {};
  Schedule schedule = {};
  /// What the best epoch is best in: val_auc, val_accuracy (largest), val_loss, val_total, loss (smallest). Equals are
  /// decided by val_loss. val_total is the loss itself, all terms, on the validation pictures in evaluation mode; it is
  /// computed only where it is asked for. Beside a network whose outputs stay (lap::attach) it stands for the first
  /// three, which do not change.
  std::string monitor = "val_auc";
  /// Epochs of this first share of the training are the best only until a later one is done: for losses that are not
  /// complete before (the warm_up of LapSupervision). `patience` counts from there.
  double choose_after = 0;
  Index patience = 0;      ///< stop after so many epochs without a better one; 0: never
  double max_minutes = 0;  ///< of this call; 0: no limit
  /// Less memory for more time, with the same bits: parts of the network are computed again in the backward pass (see
  /// Run::checkpoint). Refused where the network has no such part.
  bool checkpoint = false;
  bool restore_best = true;  ///< the network ends with the weights of the best epoch, else with the last ones
  /// Goes on from out/last.safetensors with the same bits as if the run had not been stopped; starts where there is
  /// none. A run with other settings, data or loss is refused.
  bool resume = false;
  bool quiet = false;                                     ///< no lines on stderr
  Progress progress = {};                                 ///< in place of the lines on stderr
  std::function<void(const EpochRecord&)> on_epoch = {};  ///< after every epoch, when its checkpoint is written
  /// Before an epoch (counted from 1) is begun or gone on with: for what is trained beside the network, such as a
  /// masker (train::align). False ends the run as an interruption does.
  std::function<bool(Index epoch)> before_epoch = {};
  /// When the steps of an epoch are done, before it is validated: for what a network keeps beside what it learns by
  /// steps, such as prototypes (set_prototypes).
  std::function<void()> before_validation = {};
};

/// Why a run ended.
enum class Ending { epochs, early_stopping, interrupted, time_limit };

[[nodiscard]] inline const char* to_text(Ending ending) {
  switch (ending) {
    case Ending::epochs:
      return "all epochs done";
    case Ending::early_stopping:
      return "early stopping";
    case Ending::interrupted:
      return "interrupted";
    default:
      return "time limit";
  }
}

struct Fit {
  report::History history = {};
  Index best_epoch = 0;                                          ///< counted from 1; 0: no epoch was finished
  double best_value = std::numeric_limits<double>::quiet_NaN();  ///< of the monitor
  double seconds = 0;                                            ///< of training and validation, earlier parts included
  Ending ending = Ending::epochs;

  operator const report::History&() const { return history; }  // NOLINT: report::html(out, fit, ...) reads like that
};

}  // namespace limn::train
