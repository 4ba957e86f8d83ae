// A pool of pictures whose labels are not known, and who can tell them. What networks and acquisitions see of the pool
// has no label in it, in no form; a label comes from an oracle, which is asked for the pictures that were chosen.
//   active::Pool pool(all);
//   active::LabelTable oracle(all);
#pragma once

#include <algorithm>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/data/dataset.hpp"

namespace limn::active {

/// Pictures and masks, which are known of all (section III-A of the paper); labels are forgotten.
class Pool {
 public:
  /// Keeps no label of `from`, and no column: one of them may be the label. Pictures are copied.
  [[gnu::cold]] explicit Pool(const data::Dataset& from) : Pool(from, from.class_names()) {}
  /// The same with classes that are not those of `from`, because nobody has told any label yet.
  [[gnu::cold]] Pool(const data::Dataset& from, std::vector<std::string> class_names) {
    std::vector<data::Sample> samples;
    for (Index i = 0; i < from.size(); ++i) {
      numbers_.emplace(from[i].id, i);
      ids_.push_back(from[i].id);
      groups_.push_back(from[i].group);
      // Ids and groups can hold the name of the class, as those of class folders do.
      samples.push_back({.id = text(i), .group = text(i), .label = 0, .image = from[i].image, .mask = from[i].mask});
    }
    pictures_ = data::Dataset(std::move(samples), std::move(class_names));
  }

  [[nodiscard]] Index size() const { return pictures_.size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const { return pictures_.class_names(); }
  /// What networks and acquisitions see: ids are numbers, every label is 0.
  [[nodiscard]] const data::Dataset& pictures() const { return pictures_; }

  [[nodiscard]] const std::string& id(Index i) const { return ids_.at(static_cast<std::size_t>(i)); }
  /// Throws OptionError where there is none of this id.
  [[nodiscard, gnu::cold]] Index find(const std::string& id) const {
    const auto found = numbers_.find(id);
    require<OptionError>(found != numbers_.end(), "pool: no picture \"", id, "\"");
    return found->second;
  }

  /// These pictures with their labels, ids and groups, to train on.
  [[nodiscard, gnu::cold]] data::Dataset labelled(const std::vector<Index>& positions,
                                                  const std::vector<Index>& labels) const {
    std::vector<data::Sample> samples;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      samples.push_back(data::Sample(pictures_[positions[i]]));
      samples.back().id = id(positions[i]);
      samples.back().group = groups_[static_cast<std::size_t>(positions[i])];
      samples.back().label = labels.at(i);
    }
    return {std::move(samples), class_names()};
  }

 private:
  data::Dataset pictures_;
  std::vector<std::string> ids_, groups_;
  std::map<std::string, Index> numbers_;
};

/// Tells the labels of the pictures of these ids, in this order; nothing where it does not know yet.
using Answers = std::vector<std::optional<Index>>;

/// Whoever tells labels: oracle(ids) -> Answers. One that may not know yet says what is waited for: waits_for().
template <class O>
concept Oracle = requires(O& oracle, const std::vector<std::string>& ids) {
  { oracle(ids) } -> std::convertible_to<Answers>;
};

/// All labels of a data set, for experiments in which they are known.
class LabelTable {
 public:
  [[gnu::cold]] explicit LabelTable(const data::Dataset& from) {
    for (Index i = 0; i < from.size(); ++i) labels_.emplace(from[i].id, from[i].label);
  }
  /// Throws OptionError for an id that is not there.
  [[nodiscard, gnu::cold]] Answers operator()(const std::vector<std::string>& ids) const {
    Answers out;
    for (const std::string& id : ids) {
      const auto found = labels_.find(id);
      require<OptionError>(found != labels_.end(), "oracle: no label of picture \"", id, "\"");
      out.emplace_back(found->second);
    }
    return out;
  }

 private:
  std::map<std::string, Index> labels_;
};

/// Ids to begin with, drawn by chance. `count` of them, without regard to classes.
[[nodiscard, gnu::cold]] inline std::vector<std::string> random_start(const data::Dataset& from, Index count,
                                                                      Seed seed) {
  require<OptionError>(count >= 1 && count <= from.size(), "random_start: expected 1 to ", from.size(),
                       " pictures, got ", count);
  std::vector<std::string> ids;
  for (Index i = 0; i < from.size(); ++i) ids.push_back(from[i].id);
  Random random(seed, "start");
  data::shuffle(ids, random);
  ids.resize(static_cast<std::size_t>(count));
  return ids;
}

/// The same with equal numbers of every class, give or take one. Only for who knows all labels: an experiment begins
/// where the paper's do.
[[nodiscard, gnu::cold]] inline std::vector<std::string> balanced_start(const data::Dataset& from, Index count,
                                                                        Seed seed) {
  const Index classes = from.classes();
  require<OptionError>(count >= classes && count <= from.size(), "balanced_start: expected ", classes, " to ",
                       from.size(), " pictures, got ", count);
  std::vector<std::vector<std::string>> of_class(static_cast<std::size_t>(classes));
  for (Index i = 0; i < from.size(); ++i) of_class[static_cast<std::size_t>(from[i].label)].push_back(from[i].id);
  std::vector<std::string> out;
  for (Index k = 0; k < classes; ++k) {
    std::vector<std::string>& ids = of_class[static_cast<std::size_t>(k)];
    const Index wanted = count / classes + (k < count % classes ? 1 : 0);
    require<OptionError>(wanted <= static_cast<Index>(ids.size()), "balanced_start: ", count, " pictures want ", wanted,
                         " of class \"", from.class_names()[static_cast<std::size_t>(k)], "\", there are ", ids.size());
    Random random(seed, "start", k);
    data::shuffle(ids, random);
    ids.resize(static_cast<std::size_t>(wanted));
    append(out, ids);
  }
  return out;
}

}  // namespace limn::active
