// An oracle that is a person: the pictures to label stand in a file, and so do the answers.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "limn/active/pool.hpp"
#include "limn/io/csv.hpp"
#include "limn/io/json.hpp"
#include "limn/report/text.hpp"

namespace limn::active {

/// Keeps in its folder
///   labels.csv         id and label of every picture that was ever asked for; the person fills in the names of classes
///   tasks.json         the pictures that have no label yet, to be imported in Label Studio
///   label_config.xml   the labelling interface of its project: a choice of one class
///   export.json        where it is there: Label Studio's JSON export
/// and reads the answers from the first and the last. Nobody loses what was filled in: the files are replaced at once,
/// and labels.csv keeps its rows. Not for two programs at the same time.
class FileOracle {
 public:
  /// `images`: what stands in front of an id in tasks.json, "/data/local-files/?d=busi/" for instance. Throws FileError
  /// where the folder cannot be made.
  [[gnu::cold]] FileOracle(std::filesystem::path folder, std::vector<std::string> class_names, std::string images = "")
      : folder_(std::move(folder)), class_names_(std::move(class_names)), images_(std::move(images)) {
    std::error_code problem;
    std::filesystem::create_directories(folder_, problem);
    require<FileError>(!problem, folder_.string(), ": cannot be made (", problem.message(), ")");
    std::string choices;
    for (const std::string& name : class_names_)
      choices += text("    <Choice value=\"", report::escape(name), "\"/>\n");
    io::write_file_atomically(file("label_config.xml"),
                              text("<View>\n  <Image name=\"image\" value=\"$image\"/>\n",
                                   "  <Choices name=\"label\" toName=\"image\" choice=\"single\" required=\"true\">\n",
                                   choices, "  </Choices>\n</View>\n"));
  }

  /// Throws FileError naming file and line for a label that is no class, an id that is there twice with different
  /// labels, and files that are not what their names say.
  [[nodiscard, gnu::cold]] Answers operator()(const std::vector<std::string>& ids) {
    std::vector<std::pair<std::string, std::string>> rows = read_labels();
    std::map<std::string, std::string> known = read_export();
    for (const auto& [id, label] : rows)
      if (!label.empty()) {
        const auto [found, fresh] = known.emplace(id, label);
        require<FileError>(fresh || found->second == label, file("labels.csv").string(), ": \"", id, "\" is ", label,
                           ", in export.json ", found->second);
      }
    for (const std::string& id : ids)
      if (std::none_of(rows.begin(), rows.end(), [&](const auto& row) { return row.first == id; }))
        rows.emplace_back(id, "");
    Answers out;
    std::vector<std::string> open;
    for (const std::string& id : ids) {
      const auto found = known.find(id);
      if (found == known.end()) {
        open.push_back(id);
        out.emplace_back();
      } else {
        out.emplace_back(std::find(class_names_.begin(), class_names_.end(), found->second) - class_names_.begin());
      }
    }
    write_labels(rows);
    write_tasks(open);
    missing_ = open.size();
    asked_ = ids.size();
    return out;
  }

  [[nodiscard, gnu::cold]] std::string waits_for() const {
    std::string classes;
    for (const std::string& name : class_names_) classes += (classes.empty() ? "" : ", ") + name;
    return text(missing_, " of ", asked_, " labels are missing: fill in the column label of ",
                file("labels.csv").string(), " (", classes, "), or import tasks.json in Label Studio (its labelling ",
                "interface is label_config.xml) and put its JSON export beside it as export.json");
  }

 private:
  [[nodiscard]] std::filesystem::path file(const char* name) const { return folder_ / name; }

  [[gnu::cold]] void check_class(const std::string& label, const std::string& where) const {
    require<FileError>(std::find(class_names_.begin(), class_names_.end(), label) != class_names_.end(), where,
                       ": no class \"", label, "\"");
  }

  [[nodiscard, gnu::cold]] std::vector<std::pair<std::string, std::string>> read_labels() const {
    std::vector<std::pair<std::string, std::string>> out;
    if (!std::filesystem::exists(file("labels.csv"))) return out;
    const io::Csv table = io::Csv::read(file("labels.csv"));
    for (Index row = 0; row < table.size(); ++row) {
      const std::string where = text(table.name(), ":", table.line(row));
      out.emplace_back(table.at(row, "id"), table.at(row, "label"));
      if (!out.back().second.empty()) check_class(out.back().second, where);
      for (std::size_t k = 0; k + 1 < out.size(); ++k)
        require<FileError>(out[k].first != out.back().first, where, ": \"", out.back().first, "\" is there twice");
    }
    return out;
  }

  /// What was chosen in an annotation; empty where nothing was.
  [[nodiscard, gnu::cold]] static std::string choice_of(const io::Json& annotation) {
    const io::Json results = annotation.at("result");
    for (std::size_t r = 0; r < results.size(); ++r)
      if (const io::Json choices = results[r].at("value").find("choices"); choices.size() > 0)
        return choices[0].as_text();
    return {};
  }
  /// What the annotation of every task says that was changed last; tasks that were skipped have none.
  [[nodiscard, gnu::cold]] std::map<std::string, std::string> read_export() const {
    std::map<std::string, std::string> out;
    if (!std::filesystem::exists(file("export.json"))) return out;
    const std::string name = file("export.json").string();
    const io::Json tasks = io::Json::parse(io::read_text(file("export.json")), name);
    require<FileError>(tasks.is_array(), name, ": expected an array of tasks, as Label Studio's JSON export has it");
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const std::string where = text(name, ", task ", t + 1);
      try {
        const std::string id = tasks[t].at("data").at("id").as_text();
        const io::Json annotations = tasks[t].at("annotations");
        std::pair<std::string, std::string> latest;  // when, and what it says
        for (std::size_t a = 0; a < annotations.size(); ++a) {
          const io::Json cancelled = annotations[a].find("was_cancelled"), changed = annotations[a].find("updated_at");
          if (cancelled && cancelled.is_true()) continue;
          const std::string when = changed ? changed.as_text() : "";  // ISO 8601: later times are greater as text
          if (when >= latest.first) latest = {when, choice_of(annotations[a])};
        }
        if (latest.second.empty()) continue;
        check_class(latest.second, "it says");
        const auto [found, fresh] = out.emplace(id, latest.second);
        require<FileError>(fresh || found->second == latest.second, "\"", id, "\" is ", latest.second,
                           ", in a task before ", found->second);
      } catch (const FileError& problem) {
        throw FileError(text(where, ": ", problem.what()));
      }
    }
    return out;
  }

  [[gnu::cold]] void write_labels(const std::vector<std::pair<std::string, std::string>>& rows) const {
    std::string out = "id,label\n";
    for (const auto& [id, label] : rows) out += io::csv_cell(id) + "," + io::csv_cell(label) + "\n";
    io::write_file_atomically(file("labels.csv"), out);
  }
  [[gnu::cold]] void write_tasks(const std::vector<std::string>& ids) const {
    std::string out;
    for (const std::string& id : ids)
      out += text(out.empty() ? "[" : ",\n ", "{\"data\": {\"id\": ", io::json_string(id),
                  ", \"image\": ", io::json_string(images_ + id), "}}");
    io::write_file_atomically(file("tasks.json"), out.empty() ? "[]\n" : out + "]\n");
  }

  std::filesystem::path folder_;
  std::vector<std::string> class_names_;
  std::string images_;
  std::size_t missing_ = 0, asked_ = 0;
};

}  // namespace limn::active
