// What the examples that are studies share: one run after the other with a line for each, and what is kept of a run.
#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "common/options.hpp"
#include "limn/data/dataset.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/models/weights.hpp"

namespace example {

/// The settings that all runs of a study share: going on with others is refused.
inline limn::StudySettings common_settings(const RunOptions& options, const limn::data::Dataset& train) {
  return {{"study", options.study},
          {"data", options.data.empty() ? "phantoms" : options.data},
          {"size", limn::text(options.size)},
          {"training_pictures", limn::text(train.size())},
          {"epochs", limn::text(options.epochs)},
          {"batch", limn::text(options.batch)},
          {"data_seed", limn::text(options.seed)}};
}

/// Runs every setup with seeds 1 to `runs`, seed by seed, so that a study that is stopped early compares all setups on
/// fewer seeds. Setup: settings() and a seed. A line on stderr after each run.
template <class Setup, class Measure>
void for_each_run(limn::Study& study, std::vector<Setup> setups, limn::Index runs, const Measure& measure) {
  const auto all = static_cast<limn::Index>(setups.size()) * runs;
  limn::Index number = 0;
  for (limn::Index seed = 1; seed <= runs; ++seed)
    for (Setup& setup : setups) {
      setup.seed = seed;
      ++number;
      const auto start = std::chrono::steady_clock::now();
      study.once(setup.settings(), [&](const std::filesystem::path& folder) {
        const limn::StudyValues values = measure(setup, folder);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        std::fprintf(stderr, "run %ld of %ld, %.0f s: %s\n", static_cast<long>(number), static_cast<long>(all),
                     took.count(), folder.filename().c_str());
        return values;
      });
    }
}

/// Writes weights.safetensors and removes the checkpoints, which are larger.
template <class Net>
void keep_weights_only(const Net& net, const std::filesystem::path& folder) {
  limn::save_weights(net, folder / "weights.safetensors");
  std::filesystem::remove(folder / "best.safetensors");
  std::filesystem::remove(folder / "last.safetensors");
}

}  // namespace example
