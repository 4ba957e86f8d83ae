// What a run of active learning knows, and the files in which it stands after every round:
//   samples.csv    the pictures that were asked for: round, id, label (empty: not answered yet), score, scores of terms
//   rounds.csv     a row for each round that is done: its number, how many labels it had, what was measured
//   settings.csv   what must be the same when a run goes on
// samples.csv is written first: whoever is killed between the two does the round again, with the same result.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limn/active/pool.hpp"
#include "limn/evaluate/study.hpp"
#include "limn/io/csv.hpp"

namespace limn::active {

/// A picture that was asked for.
struct Pick {
  Index round = 0;  ///< in which it is learned from; 0: one of the pictures to begin with
  std::string id;
  std::optional<Index> label;               ///< none: not answered yet
  double score = metrics::undefined_value;  ///< NaN in round 0
  std::vector<double> terms = {};           ///< in the order of History::terms; empty in round 0
};

/// A round that is done: a network was trained on all labels so far, and measured.
struct Round {
  Index round = 0;
  Index labels = 0;
  StudyValues values = {};

  /// Throws OptionError where nothing of that name was measured.
  [[nodiscard, gnu::cold]] double value(const std::string& name) const {
    for (const auto& [key, value] : values)
      if (key == name) return value;
    throw OptionError(text("active learning: nothing was measured that is called \"", name, "\""));
  }
};

struct History {
  std::vector<Pick> picks = {};
  std::vector<std::string> terms = {};  ///< names of the scores beside the picks'
  std::vector<Round> rounds = {};
  std::string waits_for = {};  ///< what is missing, for a person; empty: the run is over
};

namespace detail {

/// The files of a run in one folder; without a folder nothing is kept.
class State {
 public:
  State(std::filesystem::path folder, std::vector<std::string> class_names, StudySettings settings)
      : folder_(std::move(folder)), class_names_(std::move(class_names)), settings_(std::move(settings)) {}

  /// Makes the folder. Gives the run that is in it, or, unless `resume`, throws it away and gives an empty one. Throws
  /// FileError, and OptionError where it is a run with other settings.
  [[nodiscard, gnu::cold]] History begin(bool resume) const {
    History out;
    if (folder_.empty()) return out;
    std::error_code problem;
    std::filesystem::create_directories(folder_, problem);
    require<FileError>(!problem, folder_.string(), ": cannot be made (", problem.message(), ")");
    if (resume && std::filesystem::exists(file("settings"))) {
      compare_settings();
      load_rounds(out);
      load_samples(out);
      return out;
    }
    for (const char* name : {"settings", "rounds", "samples"}) std::filesystem::remove(file(name));
    std::string all = "name,value\n";
    for (const auto& [name, value] : settings_) all += io::csv_cell(name) + "," + io::csv_cell(value) + "\n";
    io::write_file_atomically(file("settings"), all);
    return out;
  }

  [[gnu::cold]] void save_samples(const History& run) const {
    if (folder_.empty()) return;
    std::string out = "round,id,label,score";
    for (const std::string& name : run.terms) out += "," + io::csv_cell(name);
    for (const Pick& pick : run.picks) {
      const std::string label = pick.label ? class_names_[static_cast<std::size_t>(*pick.label)] : "";
      out +=
          text("\n", pick.round, ",", io::csv_cell(pick.id), ",", io::csv_cell(label), ",", io::csv_number(pick.score));
      for (std::size_t k = 0; k < run.terms.size(); ++k)
        out += "," + (k < pick.terms.size() ? io::csv_number(pick.terms[k]) : "");
    }
    io::write_file_atomically(file("samples"), out + "\n");
  }
  [[gnu::cold]] void save_rounds(const History& run) const {
    if (folder_.empty() || run.rounds.empty()) return;
    std::string out = "round,labels";
    for (const auto& [name, value] : run.rounds.front().values) out += "," + io::csv_cell(name);
    for (const Round& r : run.rounds) {
      out += text("\n", r.round, ",", r.labels);
      for (const auto& [name, value] : r.values) out += "," + io::csv_number(value);
    }
    io::write_file_atomically(file("rounds"), out + "\n");
  }

 private:
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / (name + ".csv"); }

  [[gnu::cold]] void compare_settings() const {
    const io::Csv table = io::Csv::read(file("settings"));
    std::string differences;
    for (const auto& [name, now] : settings_) {
      std::string then = "nothing";
      for (Index row = 0; row < table.size(); ++row)
        if (table.at(row, "name") == name) then = table.at(row, "value");
      if (then != now) differences += text("\n  ", name, ": ", then, " there, ", now, " now");
    }
    require<OptionError>(differences.empty(), "resume: ", folder_.string(), " is of another run:", differences);
  }

  [[gnu::cold]] void load_rounds(History& out) const {
    if (!std::filesystem::exists(file("rounds"))) return;
    const io::Csv table = io::Csv::read(file("rounds"));
    for (Index row = 0; row < table.size(); ++row) {
      require<FileError>(table.number(row, "round") == static_cast<double>(row), table.name(), ":", table.line(row),
                         ": expected round ", row);
      Round r{row, static_cast<Index>(table.number(row, "labels")), {}};
      for (std::size_t k = 2; k < table.columns().size(); ++k)
        r.values.emplace_back(table.columns()[k], table.number(row, table.columns()[k]));
      out.rounds.push_back(std::move(r));
    }
  }
  /// Pictures that were chosen after the last round that is done are chosen again.
  [[gnu::cold]] void load_samples(History& out) const {
    if (!std::filesystem::exists(file("samples"))) return;
    const io::Csv table = io::Csv::read(file("samples"));
    const auto& columns = table.columns();
    for (std::size_t k = 4; k < columns.size(); ++k) out.terms.push_back(columns[k]);
    for (Index row = 0; row < table.size(); ++row) {
      const double round = table.number(row, "round");
      require<FileError>(round >= 0, table.name(), ":", table.line(row), ": a picture without a round");
      Pick pick{.round = static_cast<Index>(round),
                .id = table.at(row, "id"),
                .label = std::nullopt,
                .score = table.number(row, "score")};
      if (pick.round > static_cast<Index>(out.rounds.size())) continue;
      if (const std::string& name = table.at(row, "label"); !name.empty()) {
        const auto found = std::find(class_names_.begin(), class_names_.end(), name);
        require<FileError>(found != class_names_.end(), table.name(), ":", table.line(row), ": no class \"", name,
                           "\"");
        pick.label = found - class_names_.begin();
      }
      for (std::size_t k = 4; pick.round > 0 && k < columns.size(); ++k)
        pick.terms.push_back(table.number(row, columns[k]));
      out.picks.push_back(std::move(pick));
    }
  }

  std::filesystem::path folder_;
  std::vector<std::string> class_names_;
  StudySettings settings_;
};

}  // namespace detail

}  // namespace limn::active
