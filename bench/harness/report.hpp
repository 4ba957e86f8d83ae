// What a benchmark prints: a line for people and, with --json, a line of JSON for each peer of a case.
#pragma once

#include <cmath>
#include <cstring>
#include <regex>

#include "peak.hpp"
#include "timing.hpp"

namespace bench {

inline constexpr double unknown = std::nan("");

/// What is known of a case and one peer; what is not, or does not apply, is NaN: null in JSON.
struct Row {
  std::string name, peer = {};  ///< no peer: empty
  double limn_ms = unknown, peer_ms = unknown;
  double limn_mb = unknown, peer_mb = unknown;
  double share_of_peak = unknown;
  double limn_spread = unknown, peer_spread = unknown, lowest = unknown, highest = unknown;  ///< the last two: ratios
  double others = unknown;

  /// Above 1 limn is faster; where there is no time, smaller.
  [[nodiscard]] double ratio() const { return std::isnan(peer_ms) ? peer_mb / limn_mb : peer_ms / limn_ms; }
};

class Report {
 public:
  /// Reads --quick, --only REGEX and --json FILE, to which lines are added, and gives threads their CPUs.
  Report(std::string benchmark, int count, char** arguments) : benchmark_(std::move(benchmark)) {
    for (int i = 1; i < count; ++i) {
      const bool value = i + 1 < count;
      if (std::strcmp(arguments[i], "--quick") == 0) {
        quick_ = true;
      } else if (std::strcmp(arguments[i], "--only") == 0 && value) {
        only_ = std::regex(arguments[++i], std::regex::extended);
      } else if (std::strcmp(arguments[i], "--json") == 0 && value) {
        json_ = std::fopen(arguments[++i], "a");
      } else {
        std::fprintf(stderr, "usage: bench_%s [--quick] [--only REGEX] [--json FILE]\n", benchmark_.c_str());
        std::exit(2);
      }
    }
    pin_threads();
  }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  ~Report() {
    if (json_ != nullptr) std::fclose(json_);
  }

  [[nodiscard]] bool quick() const { return quick_; }
  /// The case is asked for. Its name in full is "benchmark: name".
  [[nodiscard]] bool wants(const std::string& name) const { return std::regex_search(full(name), only_); }

  /// Times the first contender, limn, against the others. `multiply_adds`: of one call, for its share of the peak.
  /// `megabytes`: peak memory, as the contenders.
  void compare(const std::string& name, std::vector<Contender> contenders, double multiply_adds = 0,
               std::vector<double> megabytes = {}) {
    const std::size_t peers = contenders.size();
    megabytes.resize(peers, unknown);
    if (multiply_adds > 0) contenders.push_back(peak(multiply_adds));
    const Comparison all = in_turn(contenders, quick_ ? Effort{3, 15, 1, 1} : Effort{7, 60});
    for (std::size_t i = peers > 1 ? 1 : 0; i < peers; ++i) {
      const Timing &limn = all.of[0], &peer = all.of[i];
      Row row{.name = name, .limn_ms = limn.median, .limn_mb = megabytes[0], .limn_spread = limn.spread};
      row.others = all.others;
      if (multiply_adds > 0) row.share_of_peak = all.of.back().median / limn.median;
      if (i > 0) {
        row.peer = contenders[i].name;
        row.peer_ms = peer.median;
        row.peer_spread = peer.spread;
        row.peer_mb = megabytes[i];
        for (std::size_t r = 0; r < limn.rounds.size(); ++r) {
          row.lowest = std::fmin(row.lowest, peer.rounds[r] / limn.rounds[r]);
          row.highest = std::fmax(row.highest, peer.rounds[r] / limn.rounds[r]);
        }
      }
      add(row);
    }
  }

  void add(const Row& row) {
    const auto line = [](auto... cells) {
      std::printf("%-46s %9s %4s  %-30s %9s %4s  %5s %11s  %4s %6s %s\n", cells...);
    };
    if (last_.empty())
      line("case", "limn, ms", "+-", "peer", "peer, ms", "+-", "ratio", "of rounds", "peak", "others", "");
    const auto cell = [](const char* format, double value, double factor = 1) {
      char text[32] = "";
      if (!std::isnan(value)) std::snprintf(text, sizeof text, format, factor * value);
      return std::string(text);
    };
    const bool again = row.name == last_;  // another peer of the same case: what is limn's is not repeated
    const auto ours = [&](const std::string& text) { return again ? std::string() : text; };
    std::string rounds, memory;
    if (!std::isnan(row.lowest)) rounds = cell("%.2f", row.lowest) + ".." + cell("%.2f", row.highest);
    if (!std::isnan(row.limn_mb)) memory = " limn " + cell("%.0f MB", row.limn_mb);
    if (!std::isnan(row.peer_mb)) memory += ", peer " + cell("%.0f MB", row.peer_mb);
    line(ours(row.name).c_str(), ours(cell("%.3f", row.limn_ms)).c_str(),
         ours(cell("%.0f%%", row.limn_spread, 100)).c_str(), row.peer.c_str(), cell("%.3f", row.peer_ms).c_str(),
         cell("%.0f%%", row.peer_spread, 100).c_str(), cell("%.2f", row.ratio()).c_str(), rounds.c_str(),
         ours(cell("%.2f", row.share_of_peak)).c_str(), ours(cell("%.0f%%", row.others, 100)).c_str(), memory.c_str());
    std::fflush(stdout);
    last_ = row.name;
    if (json_ == nullptr) return;
    const auto number = [&](double value) { return std::isnan(value) ? "null" : cell("%.4g", value); };
    const std::string peer = row.peer.empty() ? "null" : '"' + row.peer + '"';
    std::fprintf(json_,
                 "{\"case\": \"%s\", \"limn_ms\": %s, \"peer\": %s, \"peer_ms\": %s, \"ratio\": %s, \"limn_mb\": %s, "
                 "\"peer_mb\": %s, \"share_of_peak\": %s}\n",
                 full(row.name).c_str(), number(row.limn_ms).c_str(), peer.c_str(), number(row.peer_ms).c_str(),
                 number(row.ratio()).c_str(), number(row.limn_mb).c_str(), number(row.peer_mb).c_str(),
                 number(row.share_of_peak).c_str());
    std::fflush(json_);
  }

 private:
  [[nodiscard]] std::string full(const std::string& name) const { return benchmark_ + ": " + name; }

  std::string benchmark_;
  bool quick_ = false;
  std::regex only_{""};
  std::FILE* json_ = nullptr;
  std::string last_;  ///< the case of the line before
};

}  // namespace bench
