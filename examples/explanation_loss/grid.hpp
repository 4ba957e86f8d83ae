// What the studies of explanation losses try.
#pragma once

#include <limn/limn.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/options.hpp"
#include "limn/data/annotation_noise.hpp"
#include "limn/evaluate/study.hpp"

namespace example {

using limn::Gate, limn::Score, limn::data::AnnotationNoise;

inline const std::map<std::string, Score> scores{{"class_logit", Score::class_logit},
                                                 {"difference", Score::difference},
                                                 {"absolute_difference", Score::absolute_difference},
                                                 {"squared_difference", Score::squared_difference},
                                                 {"probability_difference", Score::probability_difference}};
/// The share of the map that counts, and how the rest is taken away.
inline const std::map<std::string, std::pair<float, Gate>> gates{
    {"all", {1.f, Gate::soft_values}}, {"top_half", {.5f, Gate::soft_values}}, {"sigmoid", {.5f, Gate::sigmoid(.1f)}}};
inline const std::map<std::string, float AnnotationNoise::*> noises{{"jitter", &AnnotationNoise::jitter},
                                                                    {"dilate", &AnnotationNoise::dilate},
                                                                    {"erode", &AnnotationNoise::erode},
                                                                    {"dropout", &AnnotationNoise::dropout},
                                                                    {"label", &AnnotationNoise::label}};

/// What a run tries. As it stands here: cross-entropy alone, which everything else is compared with.
struct Setup {
  std::string design = "cross_entropy";
  float strength = 0;
  std::string score = "difference", gate = "all", noise = "none";
  float amount = 0;  ///< of the noise
  limn::Index seed = 1;

  [[nodiscard]] limn::StudySettings settings() const {
    return {{"design", design}, {"strength", limn::text(strength)}, {"score", score},          {"gate", gate},
            {"noise", noise},   {"amount", limn::text(amount)},     {"seed", limn::text(seed)}};
  }
};

/// Strength x design, with the other scores and gates for one of them; with --full, all with all.
inline std::vector<Setup> trade_off_grid(bool full) {
  using Names = std::vector<std::string>;
  const auto designs = full ? Names{"outside_mass", "dice", "bce", "mse", "l1", "haics", "rrr_star", "res", "kl"}
                            : Names{"outside_mass", "dice", "bce"};
  const auto strengths = full ? std::vector{.1f, .25f, .5f, 1.f, 3.f} : std::vector{.25f, 1.f, 3.f};
  std::vector<Setup> out{{}};
  for (const auto& design : designs)
    for (const float strength : strengths)
      for (const auto& [score, value] : scores)
        for (const auto& [gate, how] : gates) {
          const int changes = (score != "difference") + (gate != "all");
          const bool shown = changes == 0 || (changes == 1 && design == "outside_mass" && strength == 1);
          if (shown || full) out.push_back({.design = design, .strength = strength, .score = score, .gate = gate});
        }
  return out;
}

/// Every design with every strength, beside cross-entropy alone.
inline std::vector<Setup> crossed(const std::vector<std::string>& designs, const std::vector<float>& strengths) {
  std::vector<Setup> out{{}};
  for (const auto& design : designs)
    for (const float strength : strengths) out.push_back({.design = design, .strength = strength});
  return out;
}

/// What a first look at pictures of one's own needs.
inline std::vector<Setup> strength_grid(bool full) {
  return full ? crossed({"outside_mass", "dice", "bce", "rrr_star", "kl"}, {.1f, .25f, .5f, 1, 3, 10})
              : crossed({"outside_mass", "dice"}, {.25f, 1, 3});
}

/// Losses strong enough to win against a shortcut.
inline std::vector<Setup> shortcut_grid(bool full) {
  return full ? crossed({"outside_mass", "dice", "bce", "rrr_star", "kl"}, {1, 3, 10, 30, 100})
              : crossed({"outside_mass", "dice"}, {3, 10, 30});
}

/// One loss under every noise; wrong labels spoil cross-entropy too.
inline std::vector<Setup> noise_grid(bool full) {
  const Setup loss{.design = "outside_mass", .strength = 1};
  std::vector<Setup> out{{}, loss};
  for (const auto& [noise, part] : noises)
    for (const float amount : full ? std::vector{.05f, .1f, .2f, .4f, .8f} : std::vector{.1f, .4f}) {
      Setup noisy = loss;
      noisy.noise = noise;
      noisy.amount = amount;
      out.push_back(noisy);
      if (noise == "label") out.push_back({.noise = noise, .amount = amount});
    }
  return out;
}

inline std::vector<Setup> grid(const RunOptions& options) {
  if (options.study == "strength") return strength_grid(options.full);
  if (options.study == "shortcut") return shortcut_grid(options.full);
  return options.study == "noise" ? noise_grid(options.full) : trade_off_grid(options.full);
}

}  // namespace example
