// What the studies of LAP try.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "common/options.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/loss/lap.hpp"

namespace example {

/// How a network explains itself: not at all, by LAPs, or by the concepts of a BotCL. Detached LAPs learn beside the
/// plain network of the same seed, which stays as it is; fine-tuning starts from both, BotCL from the plain network.
enum class Kind { plain, detached, plugged_in, fine_tuned, expert, botcl };

/// A network to train. Two setups of one name and seed are the same.
struct Setup {
  std::string network = "plain";
  Kind kind = Kind::plain;
  limn::LapSupervisionOptions finding = {};
  limn::Index seed = 1;

  [[nodiscard]] limn::StudySettings settings() const { return {{"network", network}, {"seed", limn::text(seed)}}; }
};

/// What is known of the size of a finding, as a share of the picture. The maps learn where it is once the features have
/// a first idea.
inline limn::LapSupervisionOptions finding(const RunOptions& options) {
  const bool generated = options.data.empty();
  return {.min_active = generated ? .03f : .05f, .max_active = generated ? .1f : .3f, .inactive = .1f, .warm_up = .3f};
}

/// Table 3: the proposed shares of elements, and naive ones. With --full also Table 12: each share much lower (L) and
/// much higher (H), in the order min_active, max_active, inactive; O is the proposed one.
inline std::vector<Setup> ablation(const RunOptions& options) {
  const limn::LapSupervisionOptions proposed = finding(options);
  std::vector<Setup> out;
  const auto add = [&](const char* name, float min_active, float max_active, float inactive) {
    limn::LapSupervisionOptions shares = proposed;
    shares.min_active = min_active;
    shares.max_active = max_active;
    shares.inactive = inactive;
    out.push_back({.network = name, .kind = Kind::plugged_in, .finding = shares});
  };
  const float one_element = 1e-5f;  // rounded up
  add("proposed", proposed.min_active, proposed.max_active, proposed.inactive);
  add("hybrid", proposed.min_active, 1, 1);
  add("naive, one element", one_element, 1, 1);
  add("naive, all elements", 1, 1, 1);
  if (!options.full) return out;
  for (const char* name : {"LOO", "OLO", "OOL", "LLL", "HOO", "OHO", "OOH", "HHH"}) {
    const auto share = [&](int i, float usual) {
      return name[i] == 'L' ? usual / 5 : name[i] == 'H' ? std::min(5 * usual, .9f) : usual;
    };
    add(name, share(0, proposed.min_active), share(1, proposed.max_active), share(2, proposed.inactive));
  }
  return out;
}

/// The networks of a study. Those that others start from come first.
inline std::vector<Setup> setups(const RunOptions& options) {
  if (options.study == "ablation") return ablation(options);
  const auto shares = finding(options);
  const bool falls = options.study == "localisation", depths = options.study == "depths";
  std::vector<Setup> out;
  const auto add = [&](const char* name, Kind kind) {
    out.push_back({.network = name, .kind = kind, .finding = shares});
  };
  add("plain", Kind::plain);
  add("detached", Kind::detached);
  add("plugged in", Kind::plugged_in);
  if (falls) add("fine-tuned", Kind::fine_tuned);
  if (falls || depths) add("expert", Kind::expert);
  if (!depths) add("BotCL", Kind::botcl);
  return out;
}

}  // namespace example
