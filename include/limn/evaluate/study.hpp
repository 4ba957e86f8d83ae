// A study: the same thing done with many settings, a row of a CSV file for each that is done. One that was stopped goes
// on where it was. A grid is a loop of the program:
//   Study study("runs/mine", {{"epochs", "12"}}, resume);
//   for (const char* design : {"dice", "mse"})
//     for (int seed : {1, 2, 3})
//       study.once({{"design", design}, {"seed", text(seed)}}, [&](const auto& folder) { return trained(folder, ...);
//       });
//   for (const StudyGroup& g : study.groups()) g.summary("accuracy");
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/core/function_ref.hpp"
#include "limn/io/csv.hpp"
#include "limn/metrics/comparison.hpp"

namespace limn {

/// Names and texts: what a run was asked to do.
using StudySettings = std::vector<std::pair<std::string, std::string>>;
/// Names and numbers: what came out. NaN where there is none.
using StudyValues = std::vector<std::pair<std::string, double>>;

/// A run that is done.
struct StudyRun {
  StudySettings settings;
  StudyValues values;
  std::filesystem::path folder;  ///< its own, for whatever it wrote

  /// The text of a setting; OptionError where there is none of that name.
  [[nodiscard, gnu::cold]] const std::string& setting(std::string_view name) const {
    for (const auto& [key, value] : settings)
      if (key == name) return value;
    throw OptionError(text("study: no setting \"", name, "\""));
  }
  [[nodiscard, gnu::cold]] double value(std::string_view name) const {
    for (const auto& [key, value] : values)
      if (key == name) return value;
    throw OptionError(text("study: nothing was measured that is called \"", name, "\""));
  }
};

/// Runs that differ in one setting only, by default their seed. Never empty.
struct StudyGroup {
  std::vector<StudyRun> runs;

  /// Of all runs; OptionError where there is none of that name.
  [[nodiscard]] const std::string& setting(std::string_view name) const { return runs.front().setting(name); }
  [[nodiscard, gnu::cold]] std::vector<double> values(std::string_view name) const {
    std::vector<double> out;
    for (const StudyRun& run : runs) out.push_back(run.value(name));
    return out;
  }
  [[nodiscard]] metrics::Summary summary(std::string_view name) const { return metrics::summary(values(name)); }
};

/// The groups that have all these settings.
[[nodiscard, gnu::cold]] inline std::vector<StudyGroup> where(const std::vector<StudyGroup>& groups,
                                                              const StudySettings& settings) {
  std::vector<StudyGroup> out;
  for (const StudyGroup& group : groups)
    if (std::all_of(settings.begin(), settings.end(),
                    [&](const auto& s) { return group.setting(s.first) == s.second; }))
      out.push_back(group);
  return out;
}

class Study {
 public:
  /// Keeps FOLDER/runs.csv, and FOLDER/runs/NAME for what the runs write. `common`: settings of all runs. Unless
  /// `resume`, an earlier study in the folder is forgotten. Throws FileError, and OptionError where runs.csv is of a
  /// study with other common settings.
  [[gnu::cold]] Study(std::filesystem::path folder, StudySettings common, bool resume)
      : folder_(std::move(folder)), common_(std::move(common)) {
    std::error_code problem;
    std::filesystem::create_directories(folder_, problem);
    require<FileError>(!problem, folder_.string(), ": cannot be made (", problem.message(), ")");
    if (!resume) std::filesystem::remove(file());
    if (std::filesystem::exists(file())) load();
  }

  /// Calls measure(folder of the run) and keeps what it gives, unless a run with these settings is done. The file is
  /// replaced at once: whoever is killed loses the run under way. All runs have the same names of settings and values,
  /// in the same order, else OptionError; what measure throws goes through and leaves no row.
  [[gnu::cold]] void once(const StudySettings& settings,
                          const FunctionRef<StudyValues(const std::filesystem::path&)>& measure) {
    if (done(settings)) return;
    StudyRun run{.settings = settings, .values = {}, .folder = folder_of(settings)};
    run.values = measure(run.folder);
    const std::string names = header(run), expected = runs_.empty() ? names : header(runs_.front());
    require<OptionError>(names == expected, "study: ", folder_.string(), ": ", names, " beside ", expected);
    runs_.push_back(std::move(run));
    save();
  }

  /// Whether a run with these settings is done.
  [[nodiscard, gnu::cold]] bool done(const StudySettings& settings) const {
    return std::any_of(runs_.begin(), runs_.end(), [&](const StudyRun& run) { return run.settings == settings; });
  }

  /// The run with these settings; OptionError where it is not done.
  [[nodiscard, gnu::cold]] const StudyRun& at(const StudySettings& settings) const {
    for (const StudyRun& run : runs_)
      if (run.settings == settings) return run;
    throw OptionError(text("study: ", folder_of(settings).string(), " is not done"));
  }

  [[nodiscard]] const std::vector<StudyRun>& runs() const { return runs_; }
  [[nodiscard]] const StudySettings& common() const { return common_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// The runs, those together that differ in the setting `repeated` only; groups in the order of their first runs.
  [[nodiscard, gnu::cold]] std::vector<StudyGroup> groups(std::string_view repeated = "seed") const {
    const auto others = [&](const StudyRun& run) {
      StudySettings out = run.settings;
      std::erase_if(out, [&](const auto& setting) { return setting.first == repeated; });
      return out;
    };
    std::vector<StudyGroup> out;
    for (const StudyRun& run : runs_) {
      const auto group = std::find_if(out.begin(), out.end(),
                                      [&](const StudyGroup& g) { return others(g.runs.front()) == others(run); });
      group == out.end() ? out.push_back({{run}}) : group->runs.push_back(run);
    }
    return out;
  }

 private:
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "runs.csv"; }

  /// runs/dice-0.25-1: every value a part, what is no letter, digit or point an underscore.
  [[nodiscard, gnu::cold]] std::filesystem::path folder_of(const StudySettings& settings) const {
    std::string name;
    for (const auto& [key, value] : settings) {
      if (!name.empty()) name += '-';
      for (const char c : value) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
        name += plain ? c : '_';
      }
    }
    return folder_ / "runs" / name;
  }

  /// The line of names. Settings and values are kept apart by a column that is always empty.
  [[nodiscard, gnu::cold]] std::string header(const StudyRun& run) const {
    std::string out;
    for (const auto& [name, value] : common_) out += io::csv_cell(name) + ",";
    for (const auto& [name, value] : run.settings) out += io::csv_cell(name) + ",";
    out += between;
    for (const auto& [name, value] : run.values) out += "," + io::csv_cell(name);
    return out;
  }

  [[gnu::cold]] void save() const {
    std::string out = header(runs_.front()) + "\n";
    for (const StudyRun& run : runs_) {
      for (const auto& [name, value] : common_) out += io::csv_cell(value) + ",";
      for (const auto& [name, value] : run.settings) out += io::csv_cell(value) + ",";
      for (const auto& [name, value] : run.values) out += "," + io::csv_number(value);
      out += "\n";
    }
    io::write_file_atomically(file(), out);
  }

  [[gnu::cold]] void load() {
    const io::Csv table = io::Csv::read(file());
    const std::vector<std::string>& names = table.columns();
    const auto edge = static_cast<std::size_t>(std::find(names.begin(), names.end(), between) - names.begin());
    require<FileError>(edge < names.size() && edge >= common_.size(), table.name(), ": not the runs of a study");
    for (Index row = 0; row < table.size(); ++row) {
      for (std::size_t i = 0; i < common_.size(); ++i) {
        const auto& [name, now] = common_[i];
        const std::string then = names[i] == name ? table.at(row, name) : "nothing";
        require<OptionError>(then == now, table.name(), " is of another study: ", name, " was ", then, ", is ", now);
      }
      StudyRun run;
      for (std::size_t i = common_.size(); i < edge; ++i) run.settings.emplace_back(names[i], table.at(row, names[i]));
      for (std::size_t i = edge + 1; i < names.size(); ++i)
        run.values.emplace_back(names[i], table.number(row, names[i]));
      run.folder = folder_of(run.settings);
      runs_.push_back(std::move(run));
    }
  }

  static constexpr const char* between = "gives";

  std::filesystem::path folder_;
  StudySettings common_;
  std::vector<StudyRun> runs_;
};

}  // namespace limn
