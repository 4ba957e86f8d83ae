// What a run must remember to go on with the same bits, and the files in which it does.
//   last.safetensors   weights, the optimiser's tensors, and as metadata everything else: one file, replaced at once
//   best.safetensors   weights of the best epoch; written after last.safetensors, so that it can be made again from it
//   metrics.jsonl      a line an epoch; written again from last.safetensors when a run goes on
// Random numbers are keyed by (seed, epoch, sample), so no generator has a state that would have to be kept.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limn/io/safetensors.hpp"
#include "limn/train/options.hpp"

namespace limn::train::detail {

/// How far a run has come.
struct TrainingState {
  std::vector<EpochRecord> records;  ///< of the epochs that are done
  Index best_epoch = 0;
  double best_value = std::numeric_limits<double>::quiet_NaN(), best_loss = best_value;
  double seconds = 0;  ///< in all
  // Of the epoch under way:
  Index batches = 0, images = 0;  ///< trained with
  double epoch_seconds = 0;
  std::vector<std::pair<std::string, double>> sums;  ///< loss and terms, times pictures

  [[nodiscard]] Index epoch() const { return static_cast<Index>(records.size()); }
};

/// Names and values that must be the same when a run goes on.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// A line of metrics.jsonl. What is not finite becomes null.
[[gnu::cold]] inline std::string json_line(const EpochRecord& record) {
  std::string out = text("{\"epoch\":", record.epoch);
  for (const auto& [name, value] : record.values) out += "," + io::json_string(name) + ":" + io::json_number(value);
  return out + "}\n";
}

using Values = std::vector<std::pair<std::string, double>>;

/// [[name, value], ...]: an object would forget the order.
[[gnu::cold]] inline std::string to_json(const Values& values) {
  std::string out;
  for (const auto& [name, value] : values)
    out += (out.empty() ? "[[" : ",[") + io::json_string(name) + "," + io::json_number(value) + "]";
  return out.empty() ? "[]" : out + "]";
}
[[gnu::cold]] inline Values from_json(const io::Json& list) {
  Values out;
  for (std::size_t i = 0; i < list.size(); ++i) out.push_back({list[i][0].as_text(), list[i][1].as_number()});
  return out;
}

[[gnu::cold]] inline std::string to_text(const TrainingState& state, const Settings& settings, Index steps) {
  std::string out = "{";
  const auto add = [&](const char* name, const std::string& value) {
    out += text(out.size() > 1 ? "," : "", "\"", name, "\":", value);
  };
  std::string all;
  for (const auto& [name, value] : settings)
    all += (all.empty() ? "" : ",") + io::json_string(name) + ":" + io::json_string(value);
  add("settings", "{" + all + "}");
  add("steps", text(steps));
  add("best_epoch", text(state.best_epoch));
  add("best_value", io::json_number(state.best_value));
  add("best_loss", io::json_number(state.best_loss));
  add("seconds", io::json_number(state.seconds));
  add("batches", text(state.batches));
  add("images", text(state.images));
  add("epoch_seconds", io::json_number(state.epoch_seconds));
  add("sums", to_json(state.sums));
  all.clear();
  for (const EpochRecord& record : state.records) all += (all.empty() ? "" : ",") + to_json(record.values);
  add("records", "[" + all + "]");
  return out + "}";
}

/// Reads a state; the steps of the optimiser go to `steps`. Throws FileError naming the file, and OptionError where the
/// settings are not those of the run that wrote it.
[[gnu::cold]] inline TrainingState from_text(const std::string& content, const std::string& file,
                                             const Settings& settings, Index& steps) {
  TrainingState state;
  std::string differences;
  const auto in = io::Json::parse(content, file);
  try {
    const io::Json settings_then = in.at("settings"), records = in.at("records");
    for (const auto& [name, now] : settings) {
      const io::Json found = settings_then.find(name);
      if (const std::string then = found ? found.as_text() : "nothing"; then != now)
        differences += text("\n  ", name, ": ", then, " there, ", now, " now");
    }
    for (std::size_t i = 0; i < records.size(); ++i)
      state.records.push_back({state.epoch() + 1, from_json(records[i])});
    state.best_epoch = in.at("best_epoch").as_whole();
    state.best_value = in.at("best_value").as_number();
    state.best_loss = in.at("best_loss").as_number();
    state.seconds = in.at("seconds").as_number();
    state.batches = in.at("batches").as_whole();
    state.images = in.at("images").as_whole();
    state.epoch_seconds = in.at("epoch_seconds").as_number();
    state.sums = from_json(in.at("sums"));
    steps = in.at("steps").as_whole();
  } catch (const FileError& problem) {
    throw FileError(text(file, ": not a checkpoint of a training run (", problem.what(), ")"));
  }
  require<OptionError>(differences.empty(), "resume: ", file, " is of another run:", differences);
  return state;
}

/// The files of a run in one folder.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] bool used() const { return !folder_.empty(); }
  [[nodiscard]] std::filesystem::path last() const { return folder_ / "last.safetensors"; }
  [[nodiscard]] std::filesystem::path best() const { return folder_ / "best.safetensors"; }
  [[nodiscard]] std::filesystem::path metrics() const { return folder_ / "metrics.jsonl"; }

  /// Makes the folder, removes what writers that were killed left half done, and sees that files can be written.
  /// Throws FileError.
  [[gnu::cold]] void prepare() const {
    if (!used()) return;
    std::error_code problem;
    std::filesystem::create_directories(folder_, problem);
    require<FileError>(std::filesystem::is_directory(folder_), folder_.string(), ": cannot be made (",
                       problem ? problem.message() : "it is no folder", ")");
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      const std::string name = file.path().filename().string();
      for (const auto& mine : {last(), best(), metrics()})
        if (name.starts_with(mine.filename().string() + ".") && name.ends_with(".tmp"))
          std::filesystem::remove(file.path());
    }
    const auto probe = folder_ / "metrics.jsonl.writable.tmp";
    io::write_file_atomically(probe, std::string_view());
    std::filesystem::remove(probe);
  }

  /// Throws away an earlier run.
  [[gnu::cold]] void clear() const {
    if (!used()) return;
    std::filesystem::remove(last());  // first: without it there is no run that could be gone on with
    std::filesystem::remove(best());
    std::filesystem::remove(metrics());
  }

  /// Lines of all epochs, in place of whatever the file holds.
  [[gnu::cold]] void write_metrics(const std::vector<EpochRecord>& records) const {
    if (!used()) return;
    std::string lines;
    for (const EpochRecord& record : records) lines += json_line(record);
    io::write_file_atomically(metrics(), lines);
  }
  /// One more line.
  [[gnu::cold]] void append_metrics(const EpochRecord& record) const {
    if (!used()) return;
    const std::string line = json_line(record);
    const int file = ::open(metrics().c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    const bool written = file >= 0 && ::write(file, line.data(), line.size()) == static_cast<::ssize_t>(line.size());
    if (file >= 0) ::close(file);
    require<FileError>(written, metrics().string(), ": cannot be written");
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace limn::train::detail
