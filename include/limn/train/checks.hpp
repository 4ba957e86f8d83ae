// Everything that can be refused before the first step is refused here.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "limn/data/dataset.hpp"
#include "limn/train/options.hpp"

namespace limn::train::detail {

inline constexpr std::array<const char*, 5> monitors = {"val_auc", "val_accuracy", "val_loss", "val_total", "loss"};

[[gnu::cold]] inline bool larger_is_better(const std::string& monitor) {
  return monitor == "val_auc" || monitor == "val_accuracy";
}

[[gnu::cold]] inline void check_options(const FitOptions& options) {
  require<OptionError>(options.epochs >= 1 && options.epochs <= 1'000'000, "fit: epochs must be 1 to 1000000, got ",
                       options.epochs);
  require<OptionError>(options.batch >= 1 && options.batch <= 1'000'000, "fit: batch must be 1 to 1000000, got ",
                       options.batch);
  require<OptionError>(options.patience >= 0, "fit: patience must be at least 0, got ", options.patience);
  require<OptionError>(options.choose_after >= 0 && options.choose_after < 1,
                       "fit: choose_after must be 0 to less than 1, got ", options.choose_after);
  require<OptionError>(options.max_minutes >= 0, "fit: max_minutes must be at least 0, got ", options.max_minutes);
  require<OptionError>(std::ranges::find(monitors, options.monitor) != monitors.end(),
                       "fit: monitor must be val_auc, val_accuracy, val_loss, val_total or loss, got \"",
                       options.monitor, "\"");
  require<OptionError>(!options.resume || !options.out.empty(), "fit: resume needs the folder of the run (out)");
  check_schedule(options.schedule, options.epochs);
  options.augment.check();
}

/// What the network says of itself; any_channels where it does not say.
struct NetworkFacts {
  Index in_channels, out_channels;
  bool batch_norm;
  bool fixed = false;  ///< training changes no output: only what it leaves beside them (lap::attach)
};

/// The options with a monitor that can change.
[[gnu::cold]] inline FitOptions resolved(FitOptions options, const NetworkFacts& network) {
  if (network.fixed && larger_is_better(options.monitor)) options.monitor = "val_total";
  if (network.fixed && options.monitor == "val_loss") options.monitor = "val_total";
  return options;
}

[[gnu::cold]] inline void check_data(const data::Dataset& train, const data::Dataset& val, const NetworkFacts& network,
                                     const FitOptions& options) {
  require<OptionError>(!train.empty(), "fit: the training set is empty");
  require<OptionError>(!val.empty(), "fit: the validation set is empty");
  require<OptionError>(train.class_names() == val.class_names(),
                       "fit: training and validation set have different classes (", train.classes(), " and ",
                       val.classes(), ")");
  require<ShapeError>(
      train.height() == val.height() && train.width() == val.width() && train.channels() == val.channels(),
      "fit: training pictures are (", train.height(), ", ", train.width(), ", ", train.channels(),
      "), validation pictures (", val.height(), ", ", val.width(), ", ", val.channels(), ")");
  require<ShapeError>(network.in_channels < 0 || network.in_channels == train.channels(),
                      "fit: the network takes pictures of ", network.in_channels, " channels, the training set has ",
                      train.channels());
  require<ShapeError>(network.out_channels < 0 || network.out_channels == train.classes(), "fit: the network tells ",
                      network.out_channels, " classes apart, the training set has ", train.classes());
  require<OptionError>(train.classes() >= 2, "fit: the training set has ", train.classes(),
                       " class, expected 2 or more");
  const auto counts = train.counts(), val_counts = val.counts();
  for (std::size_t k = 0; k < counts.size(); ++k)
    require<OptionError>(counts[k] > 0, "fit: the training set has no sample of class \"", train.class_names()[k],
                         "\"");
  require<OptionError>(options.monitor != "val_auc" || std::count(val_counts.begin(), val_counts.end(), 0) + 2 <=
                                                           static_cast<Index>(val_counts.size()),
                       "fit: val_auc needs samples of two classes in the validation set; use another monitor");
  require<OptionError>(!network.batch_norm || options.batch > 1,
                       "fit: batch normalisation needs batches of 2 or more, got batch = 1");
  require<OptionError>(!network.batch_norm || train.size() > 1,
                       "fit: batch normalisation needs 2 training samples or more");
}

}  // namespace limn::train::detail
