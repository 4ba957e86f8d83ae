// What a report is made of, besides the scores: the course of a training run and a gallery of explained pictures.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/core/config.hpp"

namespace limn::report {

/// What to know about a run (data, sizes, seed, settings, seconds), shown as a table of two columns.
struct Facts {
  std::vector<std::pair<std::string, std::string>> rows = {};
};

/// The course of a training run: a row per epoch, a value per column, NaN where there is none. A column "epoch" is the
/// horizontal axis. Columns that start with "val_" (but for "val_loss" and "val_total") are drawn as validation
/// metrics; "seconds", "lr" and columns that end with "_per_second" are not drawn; all others are drawn as losses.
struct History {
  std::vector<std::string> columns = {};
  std::vector<std::vector<double>> rows = {};
  Facts facts = {};
  Index training_images = 0;  ///< 0: unknown
};

/// One explanation of one picture: any size (it is stretched over the picture), values in any range.
struct NamedMap {
  std::string name;
  xt::xtensor<float, 2> map;
  bool probability = false;  ///< true: shown from 0 to 1; false: shown as shares of its largest value
};

/// One picture of the gallery.
struct Picture {
  std::string id, truth;
  std::string predicted = {};   ///< empty where several networks are shown: the maps' names then say what they said
  double probability = 0;       ///< of the predicted class
  xt::xtensor<float, 3> image;  ///< (H, W, C), values 0 to 1; 1 channel is grey, 3 are RGB, others are averaged
  std::optional<xt::xtensor<float, 2>> mask = std::nullopt;  ///< (H, W), 0 or 1
  std::vector<NamedMap> maps = {};
};

struct Gallery {
  std::vector<Picture> pictures = {};
};

}  // namespace limn::report
