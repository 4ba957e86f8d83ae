// Pictures from several domains, and which of them are learned from.
#pragma once

#include <filesystem>
#include <limn/limn.hpp>

#include "align/methods.hpp"
#include "common/data.hpp"
#include "limn/data/phantom/domains.hpp"

namespace example {

/// Generated ones without a folder; in a table without a column "domain", those of a "view" are one.
inline limn::data::Dataset pictures_of_domains(const RunOptions& options) {
  using namespace limn;
  const std::filesystem::path folder = options.data;
  if (folder.empty())
    return data::phantom_domains({.count = options.pictures / 4, .size = options.size, .seed = options.seed});
  if (!std::filesystem::exists(folder / "index.csv"))
    return data::domain_folder(folder, {.size = options.size, .channels = channels});
  const data::Dataset all = two_classes(options);
  return all.domain_names().empty() ? data::domains_by(all, "view") : all;
}

struct Sets {
  limn::data::Dataset train, val, inside, outside;
};

/// Learns from all domains but one, or from that one only, and is tested on the rest: on those groups (people) of it
/// that were not learned from.
inline Sets sets_of(const limn::data::Dataset& all, const Setup& setup, const RunOptions& options) {
  using namespace limn;
  const auto one = data::in_domain(all, setup.domain), others = data::without_domain(all, setup.domain);
  const bool single = options.study == "sources";
  auto [train, val, inside] = (single ? one : others).split({.fractions = {.65, .15, .2}, .seed = options.seed});
  return {train, val, inside, single ? others.apart_from(one) : one.apart_from(others)};
}

}  // namespace example
