// Data sets from folders: class folders, or a folder with an index.csv.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/data/dataset.hpp"
#include "limn/data/resize.hpp"
#include "limn/io/csv.hpp"
#include "limn/io/image.hpp"

namespace limn::data {

/// A class: its name, and the labels that belong to it. {"benign"}: the label of that name. {"finding", {"*"}}: every
/// label that no other class takes.
struct ClassSpec {
  std::string name;
  std::vector<std::string> labels = {};
};

struct FolderOptions {
  Index size = 128;    // pictures become size x size
  Index channels = 1;  // 1 (grey) or 3 (RGB)
  /// The classes in order. None: one for each label, sorted by name. Samples whose label is in no class are left out.
  /// {{"benign"}, {"malignant"}} or {{"No Finding"}, {"finding", {"*"}}}.
  std::vector<ClassSpec> classes = {};
  std::string label_column = "label";  // of index.csv
  Fit fit = Fit::pad;
};

namespace detail {

/// A sample before it is decoded.
struct Listing {
  std::string id, label;
  std::filesystem::path image;
  std::vector<std::filesystem::path> masks;
};

struct Listings {
  std::vector<Listing> items;
  Dataset::Columns columns;
};

[[gnu::cold]] inline std::string lower_case(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

[[gnu::cold]] inline bool is_picture(const std::filesystem::path& path) {
  const std::string extension = lower_case(path.extension().string());
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

/// The name of the picture that a mask called NAME_mask or NAME_mask_2 belongs to; empty for a name that is no mask's.
[[gnu::cold]] inline std::string picture_of_mask(std::string stem) {
  std::size_t end = stem.size();
  while (end > 0 && std::isdigit(static_cast<unsigned char>(stem[end - 1])) != 0) --end;
  if (end < stem.size() && end > 0 && stem[end - 1] == '_') stem.resize(end - 1);
  const std::string mark = "_mask";
  if (stem.size() <= mark.size() || stem.compare(stem.size() - mark.size(), mark.size(), mark) != 0) return {};
  return stem.substr(0, stem.size() - mark.size());
}

[[gnu::cold]] inline std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> entries;
  std::error_code problem;
  const std::filesystem::directory_iterator all(folder, problem);
  require<FileError>(!problem, folder.string(), ": cannot be listed (", problem.message(), ")");
  for (const auto& entry : all)
    if (entry.path().filename().string()[0] != '.') entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

[[gnu::cold]] inline Listings list_class_folders(const std::filesystem::path& root,
                                                 std::vector<std::string>& problems) {
  Listings out;
  for (const auto& folder : sorted_entries(root)) {
    if (!std::filesystem::is_directory(folder)) continue;
    const std::string label = folder.filename().string();
    std::map<std::string, std::vector<std::filesystem::path>> masks;
    const std::size_t first = out.items.size();
    for (const auto& file : sorted_entries(folder)) {
      if (!is_picture(file)) continue;
      const std::string picture = picture_of_mask(file.stem().string());
      if (picture.empty()) {
        out.items.push_back({label + "/" + file.filename().string(), label, file, {}});
      } else {
        masks[picture].push_back(file);
      }
    }
    for (std::size_t i = first; i < out.items.size(); ++i) {
      const auto found = masks.find(out.items[i].image.stem().string());
      if (found == masks.end()) continue;
      out.items[i].masks = std::move(found->second);
      masks.erase(found);
    }
    for (const auto& [picture, files] : masks)
      problems.push_back(files.front().string() + ": a mask without its picture");
  }
  return out;
}

/// index.csv has the columns image and label, optionally id (else the image's name), mask (an empty cell: not
/// annotated) and any others, which can serve as groups.
[[gnu::cold]] inline Listings list_index(const std::filesystem::path& root, const std::string& label_column) {
  const io::Csv table = io::Csv::read(root / "index.csv");
  Listings out;
  for (Index row = 0; row < table.size(); ++row) {
    Listing item{table.at(row, table.has("id") ? "id" : "image"),
                 table.at(row, label_column),
                 root / table.at(row, "image"),
                 {}};
    const auto check = [&](bool condition, const auto&... parts) {
      require<FileError>(condition, table.name(), ":", table.line(row), ": ", parts...);
    };
    check(!item.id.empty(), "a sample without id");
    check(!table.at(row, "image").empty(), "sample ", item.id, " has no image");
    check(!item.label.empty(), "sample ", item.id, " has no ", label_column);
    if (table.has("mask") && !table.at(row, "mask").empty()) item.masks.push_back(root / table.at(row, "mask"));
    out.items.push_back(std::move(item));
    for (const std::string& column : table.columns()) out.columns[column].push_back(table.at(row, column));
  }
  return out;
}

/// Which class each label belongs to. Throws OptionError.
[[gnu::cold]] inline std::map<std::string, Index> classes_of_labels(const std::set<std::string>& labels,
                                                                    const std::vector<ClassSpec>& classes) {
  std::string known;
  for (const std::string& label : labels) known += (known.empty() ? "" : ", ") + label;
  std::map<std::string, Index> out;
  Index rest = -1;  // the class of all other labels
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto own = classes[c].labels.empty() ? std::vector<std::string>{classes[c].name} : classes[c].labels;
    for (const std::string& label : own) {
      if (label == "*") {
        require<OptionError>(rest < 0, "classes: two classes take all other labels (\"*\")");
        rest = static_cast<Index>(c);
        continue;
      }
      require<OptionError>(labels.count(label) > 0, "classes: no sample has the label \"", label, "\"; the data has ",
                           known);
      require<OptionError>(out.emplace(label, static_cast<Index>(c)).second, "classes: label \"", label,
                           "\" is in two classes");
    }
  }
  if (rest >= 0)
    for (const std::string& label : labels) out.emplace(label, rest);  // keeps those that are taken
  return out;
}

/// Decodes one sample to its final size. Throws FileError.
[[gnu::cold]] inline Sample decode_sample(const Listing& item, const FolderOptions& options) {
  Sample sample;
  sample.id = item.id;
  const io::Image picture = io::read_image(item.image);
  sample.file_height = static_cast<Index>(picture.shape()[0]);
  sample.file_width = static_cast<Index>(picture.shape()[1]);
  sample.image = fit_square(io::to_channels(picture, options.channels), options.size, options.fit);
  std::optional<Mask> joined;
  for (const auto& file : item.masks) {
    const io::Image mask = io::to_channels(io::read_image(file), 1);
    require<FileError>(mask.shape()[0] == picture.shape()[0] && mask.shape()[1] == picture.shape()[1], file.string(),
                       ": a mask of ", mask.shape()[1], " x ", mask.shape()[0], " pixels for a picture of ",
                       picture.shape()[1], " x ", picture.shape()[0]);
    if (!joined) joined = Mask(Mask::shape_type{mask.shape()[0], mask.shape()[1]}, 0.f);
    for (std::size_t i = 0; i < mask.size(); ++i)
      if (mask.data()[i] >= .5f) joined->data()[i] = 1.f;
  }
  if (joined) sample.mask = fit_square(*joined, options.size, options.fit);
  return sample;
}

[[gnu::cold]] inline void refuse(const std::filesystem::path& root, const std::vector<std::string>& problems) {
  if (problems.empty()) return;
  std::string message = text(root.string(), ": ", problems.size(), " problem", problems.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min<std::size_t>(problems.size(), 10); ++i) message += "\n  " + problems[i];
  if (problems.size() > 10) message += text("\n  and ", problems.size() - 10, " more");
  throw FileError(message);
}

/// Options that fit no folder are refused; `name` says whose they are.
[[gnu::cold]] inline void check_folder(const char* name, const std::filesystem::path& root,
                                       const FolderOptions& options) {
  require<OptionError>(options.size >= 1 && options.size <= 8192, name, ": size must be 1 to 8192, got ", options.size);
  require<OptionError>(options.channels == 1 || options.channels == 3, name, ": channels must be 1 or 3, got ",
                       options.channels);
  require<FileError>(std::filesystem::is_directory(root), root.string(), ": no such folder");
}

/// Decodes what was found, with all threads. Throws FileError listing `problems` and those that it meets.
[[gnu::cold]] inline Dataset decode_all(const std::filesystem::path& root, const Listings& found,
                                        std::vector<std::string> problems, const FolderOptions& options) {
  std::set<std::string> labels;
  for (const auto& item : found.items) labels.insert(item.label);
  std::vector<ClassSpec> classes = options.classes;
  if (classes.empty())
    for (const std::string& label : labels) classes.push_back({label});
  const auto class_of = classes_of_labels(labels, classes);

  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < found.items.size(); ++i)
    if (class_of.count(found.items[i].label) > 0) kept.push_back(i);
  std::vector<Sample> samples(kept.size());
  std::vector<std::string> failures(kept.size());
  parallel_for(static_cast<Index>(kept.size()), [&](Index i) {
    const auto at = static_cast<std::size_t>(i);
    try {
      samples[at] = decode_sample(found.items[kept[at]], options);
    } catch (const Error& problem) {
      failures[at] = problem.what();
    }
  });
  std::copy_if(failures.begin(), failures.end(), std::back_inserter(problems),
               [](const std::string& f) { return !f.empty(); });
  refuse(root, problems);

  Dataset::Columns columns;
  for (const auto& [name, cells] : found.columns)
    for (std::size_t i : kept) columns[name].push_back(cells[i]);
  const auto groups = columns.find("split_group");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].label = class_of.at(found.items[kept[i]].label);
    samples[i].group = groups == columns.end() ? samples[i].id : groups->second[i];
  }
  std::vector<std::string> names;
  for (const ClassSpec& spec : classes) names.push_back(spec.name);
  return Dataset(std::move(samples), std::move(names), std::move(columns));
}

}  // namespace detail

/// All pictures of a folder, decoded at once by all threads. Either the folder has an `index.csv` (columns image and
/// label; optionally id, mask and others, paths relative to the folder), or it has a folder for each label with
/// pictures NAME.png or .jpg and, beside them, masks NAME_mask.png, NAME_mask_1.png ... which are joined. Masks are 1
/// where their grey value is at least one half. Nothing is loaded when anything is wrong: the first ten problems are
/// listed in one FileError. Throws OptionError for classes that do not fit the labels.
[[nodiscard, gnu::cold]] inline Dataset image_folder(const std::filesystem::path& root,
                                                     const FolderOptions& options = {}) {
  detail::check_folder("image_folder", root, options);
  std::vector<std::string> problems;
  const bool indexed = std::filesystem::exists(root / "index.csv");
  const detail::Listings found =
      indexed ? detail::list_index(root, options.label_column) : detail::list_class_folders(root, problems);
  require<FileError>(!found.items.empty(), root.string(),
                     ": no pictures; expected index.csv or folders of PNG or JPEG files, one for each class");
  return detail::decode_all(root, found, std::move(problems), options);
}

}  // namespace limn::data
