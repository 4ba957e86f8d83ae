// Splits as files: id, part, group of every sample. A split that is kept can be published and checked.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "limn/data/dataset.hpp"
#include "limn/io/csv.hpp"

namespace limn::data {

inline constexpr std::array<const char*, 3> part_names = {"train", "val", "test"};

/// Throws OptionError where a group (of the column `by`, see SplitOptions) is in two parts, naming it.
[[gnu::cold]] inline void check_split(const std::array<Dataset, 3>& parts,
                                      const std::optional<std::string>& by = std::nullopt) {
  std::map<std::string, Index> home;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    for (const std::string& group : parts[part].groups(by)) {
      const auto other = static_cast<std::size_t>(home.emplace(group, static_cast<Index>(part)).first->second);
      require<OptionError>(other == part, "the split leaks: group \"", group, "\" is in ", part_names[other],
                           " and in ", part_names[part]);
    }
  }
}

/// Writes a CSV table id, part, label, group, atomically. Throws FileError.
[[gnu::cold]] inline void save_split(const std::filesystem::path& path, const std::array<Dataset, 3>& parts) {
  std::string out = "id,part,label,group\n";
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const Dataset& data = parts[part];
    for (Index i = 0; i < data.size(); ++i) {
      const Sample& sample = data[i];
      out += io::csv_cell(sample.id) + ',' + part_names[part] + ',' +
             io::csv_cell(data.class_names()[static_cast<std::size_t>(sample.label)]) + ',' +
             io::csv_cell(sample.group) + '\n';
    }
  }
  io::write_file_atomically(path, out);
}

/// Reads what save_split() wrote and gives the same three parts of `data`. Samples that the file does not list are left
/// out. Throws FileError naming file and line for ids that are unknown or listed twice, parts other than train, val,
/// test, and splits with a group (of the column `by`, see SplitOptions) on two sides.
[[nodiscard, gnu::cold]] inline std::array<Dataset, 3> load_split(const std::filesystem::path& path,
                                                                  const Dataset& data,
                                                                  const std::optional<std::string>& by = std::nullopt) {
  std::map<std::string, Index> known;
  for (Index i = 0; i < data.size(); ++i) known[data[i].id] = i;
  const io::Csv table = io::Csv::read(path);
  std::array<std::vector<Index>, 3> positions;
  std::set<std::string> seen;
  for (Index row = 0; row < table.size(); ++row) {
    const auto check = [&](bool condition, const auto&... parts) {
      require<FileError>(condition, table.name(), ":", table.line(row), ": ", parts...);
    };
    const std::string &id = table.at(row, "id"), &name = table.at(row, "part");
    const auto found = known.find(id);
    check(found != known.end(), "no sample \"", id, "\" in the data");
    check(seen.insert(id).second, "sample \"", id, "\" is listed twice");
    std::size_t part = 0;
    while (part < part_names.size() && name != part_names[part]) ++part;
    check(part < part_names.size(), "part \"", name, "\", expected train, val or test");
    positions[part].push_back(found->second);
  }
  std::array<Dataset, 3> out = {data.subset(positions[0]), data.subset(positions[1]), data.subset(positions[2])};
  (void)data.groups(by);  // an unknown column is an error of the caller, not of the file
  try {
    check_split(out, by);
  } catch (const OptionError& problem) {
    throw FileError(text(table.name(), ": ", problem.what()));
  }
  return out;
}

}  // namespace limn::data
