// Pictures from several domains (cameras, scanners, hospitals): where they come from, and the sets that tell whether a
// network has learned the domain or the matter. Single source to each other, and leave one domain out:
//   for (const std::string& name : data.domain_names()) {
//     auto one = data::in_domain(data, name), others = data::without_domain(data, name);
//   }
#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "limn/data/folder.hpp"

namespace limn::data {

namespace detail {

/// The number of a domain; OptionError listing them.
[[nodiscard, gnu::cold]] inline Index domain_number(const Dataset& data, const std::string& name) {
  const auto& names = data.domain_names();
  const auto found = std::find(names.begin(), names.end(), name);
  std::string known;
  for (const std::string& n : names) known += (known.empty() ? "" : ", ") + n;
  require<OptionError>(found != names.end(), "domain \"", name, "\": there is no such one; ",
                       known.empty() ? std::string("this data knows of none") : "expected one of " + known);
  return found - names.begin();
}

[[nodiscard, gnu::cold]] inline Dataset chosen_domains(const Dataset& data, const std::string& name, bool inside) {
  const Index number = domain_number(data, name);
  std::vector<Index> positions;
  std::vector<std::string> names;
  for (Index i = 0; i < data.size(); ++i) {
    if ((data.domain(i) == number) != inside) continue;
    positions.push_back(i);
    names.push_back(data.domain_names()[static_cast<std::size_t>(data.domain(i))]);
  }
  return data.subset(positions).with_domains(names);
}

}  // namespace detail

/// The name of each sample's domain, in order.
[[nodiscard, gnu::cold]] inline std::vector<std::string> domain_of_each(const Dataset& data) {
  std::vector<std::string> out;
  for (Index i = 0; i < data.size(); ++i) out.push_back(data.domain_names()[static_cast<std::size_t>(data.domain(i))]);
  return out;
}

/// The samples of this domain. It is the only one that the result knows of. Throws OptionError listing the domains.
[[nodiscard, gnu::cold]] inline Dataset in_domain(const Dataset& data, const std::string& name) {
  return detail::chosen_domains(data, name, true);
}
/// The samples of all other domains, which are numbered anew. Throws OptionError listing the domains.
[[nodiscard, gnu::cold]] inline Dataset without_domain(const Dataset& data, const std::string& name) {
  return detail::chosen_domains(data, name, false);
}

/// The same samples; the domain of each is its cell of this column of index.csv ("view", say). Throws OptionError where
/// there is no such column, and naming the first sample whose cell is empty.
[[nodiscard, gnu::cold]] inline Dataset domains_by(const Dataset& data, const std::string& column) {
  std::vector<std::string> cells = data.groups(column);
  for (Index i = 0; i < data.size(); ++i)
    require<OptionError>(cells[static_cast<std::size_t>(i)].front() != '\0', "sample ", data[i].id, " has no ", column,
                         " that could be its domain");
  return data.with_domains(cells);
}

/// Data sets of the same classes as one, each a domain. Ids and groups get the domain's name in front; columns are not
/// kept. Pictures are copied. Throws OptionError for other classes, and as Dataset does.
[[nodiscard, gnu::cold]] inline Dataset joined(const std::vector<std::pair<std::string, Dataset>>& domains) {
  require<OptionError>(!domains.empty(), "joined: no data sets");
  const std::vector<std::string>& classes = domains.front().second.class_names();
  std::vector<Sample> samples;
  std::vector<std::string> names;
  for (const auto& [name, data] : domains) {
    require<OptionError>(data.class_names() == classes, "joined: \"", name, "\" has other classes than \"",
                         domains.front().first, "\"");
    for (Index i = 0; i < data.size(); ++i) {
      Sample sample = data[i];
      sample.id = name + "/" + sample.id;
      sample.group = sample.group.empty() ? sample.id : name + "/" + sample.group;
      samples.push_back(std::move(sample));
      names.push_back(name);
    }
  }
  return Dataset(std::move(samples), classes, {{"domain", std::move(names)}});
}

/// All pictures of a folder DOMAIN/CLASS/PICTURE, the published layout of VLCS and Terra Incognita, with masks beside
/// them as in image_folder(); or a folder with an index.csv that has a column "domain". Refuses what image_folder()
/// refuses, and a domain without pictures. `classes` are those of all domains: a domain need not have every one.
[[nodiscard, gnu::cold]] inline Dataset domain_folder(const std::filesystem::path& root,
                                                      const FolderOptions& options = {}) {
  detail::check_folder("domain_folder", root, options);
  if (std::filesystem::exists(root / "index.csv")) {
    Dataset out = image_folder(root, options);
    require<FileError>(!out.domain_names().empty(), (root / "index.csv").string(), ": no column \"domain\"");
    return out;
  }
  detail::Listings all;
  std::vector<std::string> problems;
  for (const auto& folder : detail::sorted_entries(root)) {
    if (!std::filesystem::is_directory(folder)) continue;
    const std::string domain = folder.filename().string();
    detail::Listings found = detail::list_class_folders(folder, problems);
    if (found.items.empty()) problems.push_back(folder.string() + ": a domain without folders of pictures");
    for (auto& item : found.items) {
      item.id = domain + "/" + item.id;
      all.columns["domain"].push_back(domain);
    }
    std::move(found.items.begin(), found.items.end(), std::back_inserter(all.items));
  }
  if (!all.items.empty()) return detail::decode_all(root, all, std::move(problems), options);
  throw FileError(root.string() + ": no pictures; expected DOMAIN/CLASS/PICTURE.png or .jpg, or index.csv");
}

}  // namespace limn::data
