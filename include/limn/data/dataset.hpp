// Decoded samples, and cheap selections of them.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/core/order.hpp"
#include "limn/data/partition.hpp"
#include "limn/data/sample.hpp"

namespace limn::data {

struct SplitOptions {
  std::array<double, 3> fractions = {.7, .15, .15};  // training, validation, test; 0 leaves a part empty
  /// Column whose value is the group. Not given: "split_group" where the data has it, else every sample is on its own.
  /// "": every sample is on its own.
  std::optional<std::string> by = std::nullopt;
  std::uint64_t seed = 0;
};

struct FoldOptions {
  Index count = 5;
  std::optional<std::string> by = std::nullopt;  ///< as in SplitOptions
  std::uint64_t seed = 0;
};

/// Samples of one size, held in memory as float: copies and subsets share them.
class Dataset {
 public:
  /// Further facts about the samples, by column, in their order: what `SplitOptions::by` can name.
  using Columns = std::map<std::string, std::vector<std::string>>;

  Dataset() : store_(std::make_shared<Store>()) {}

  /// Checks that all samples have one size, masks that of their image, labels a class, and ids are unique.
  /// Throws ShapeError or OptionError naming the sample.
  [[gnu::cold]] Dataset(std::vector<Sample> samples, std::vector<std::string> class_names, Columns columns = {}) {
    std::vector<std::string> ids;
    for (const Sample& sample : samples) {
      const auto& shape = sample.image.shape();
      const auto& first = samples.front().image.shape();
      require<ShapeError>(shape == first, "sample ", sample.id, ": an image (", shape[0], ", ", shape[1], ", ",
                          shape[2], "), expected (", first[0], ", ", first[1], ", ", first[2], ") as the others");
      require<ShapeError>(!sample.mask || (sample.mask->shape()[0] == shape[0] && sample.mask->shape()[1] == shape[1]),
                          "sample ", sample.id, ": its mask is not of the size of its image");
      require<OptionError>(sample.label >= 0 && sample.label < static_cast<Index>(class_names.size()), "sample ",
                           sample.id, ": label ", sample.label, ", expected 0 to ",
                           static_cast<Index>(class_names.size()) - 1);
      ids.push_back(std::string(sample.id));
    }
    const std::vector<std::size_t> number = numbered(ids);
    for (std::size_t i = 0; i < number.size(); ++i)
      require<OptionError>(number[i] == i, "sample ", ids[i], " is there twice");
    for (const auto& [name, cells] : columns)
      require<OptionError>(cells.size() == samples.size(), "column ", name, ": ", cells.size(), " cells for ",
                           samples.size(), " samples");
    for (std::size_t i = 0; i < samples.size(); ++i) positions_.push_back(static_cast<Index>(i));
    store_ = std::make_shared<const Store>(Store{std::move(samples), std::move(class_names), std::move(columns)});
    if (const auto domain = store_->columns.find("domain"); domain != store_->columns.end())
      set_domains(domain->second);
  }

  Index size() const { return static_cast<Index>(positions_.size()); }
  bool empty() const { return positions_.empty(); }
  const Sample& operator[](Index i) const { return store_->samples[static_cast<std::size_t>(position(i))]; }

  const std::vector<std::string>& class_names() const { return store_->class_names; }
  Index classes() const { return static_cast<Index>(class_names().size()); }
  Index height() const { return dimension(0); }
  Index width() const { return dimension(1); }
  Index channels() const { return dimension(2); }

  /// Where the samples come from (a scanner, a camera, a hospital), sorted; data with a column "domain" has them from
  /// the start. Subsets keep the names and their numbers. Empty: nothing is known of domains.
  const std::vector<std::string>& domain_names() const { return domains_->names; }
  /// The position of sample i's domain in domain_names(). Error where nothing is known of domains.
  Index domain(Index i) const {
    require(!domain_names().empty(), "the data set has no domains");
    return domains_->of[static_cast<std::size_t>(position(i))];
  }
  /// The same samples with other domains: `name_of_each`, in their order. Throws OptionError for another number of
  /// names and for an empty one.
  [[nodiscard, gnu::cold]] Dataset with_domains(const std::vector<std::string>& name_of_each) const {
    require<OptionError>(name_of_each.size() == positions_.size(), "domains: ", name_of_each.size(), " names for ",
                         size(), " samples");
    Dataset out = *this;
    out.set_domains(name_of_each);
    return out;
  }

  /// How many samples each class has.
  std::vector<Index> counts() const {
    std::vector<Index> out(class_names().size(), 0);
    for (Index i = 0; i < size(); ++i) out[static_cast<std::size_t>((*this)[i].label)] += 1;
    return out;
  }

  /// Mean share of the picture that the mask covers, over the samples whose mask is not empty: what a random map of
  /// that size would hit. 0 where there are none.
  double mask_fraction() const {
    double sum = 0;
    Index masked = 0;
    for (Index i = 0; i < size(); ++i) {
      const auto& mask = (*this)[i].mask;
      if (!mask) continue;
      double area = 0;
      for (float value : mask->storage()) area += value;
      if (area == 0) continue;
      sum += area / static_cast<double>(mask->size());
      ++masked;
    }
    return masked == 0 ? 0. : sum / static_cast<double>(masked);
  }

  /// Memory that the pixels take, of all samples that this set shares with its copies.
  std::size_t bytes() const {
    std::size_t floats = 0;
    for (const Sample& sample : store_->samples)
      floats += sample.image.size() + (sample.mask ? sample.mask->size() : 0);
    return floats * sizeof(float);
  }

  /// The samples at these positions of this set, in this order.
  Dataset subset(const std::vector<Index>& positions) const {
    Dataset out = *this;
    out.positions_.clear();
    for (Index i : positions) out.positions_.push_back(position(i));
    return out;
  }

  /// The samples for which keep(sample) holds.
  template <class Keep>
  Dataset filter(const Keep& keep) const {
    Dataset out = *this;
    out.positions_.clear();
    for (Index i : positions_)
      if (keep(store_->samples[static_cast<std::size_t>(i)])) out.positions_.push_back(i);
    return out;
  }

  /// The group of each sample: its cell of the column `by` (see SplitOptions). An empty cell: the sample is on its own.
  /// Throws OptionError listing the columns.
  [[gnu::cold]] std::vector<std::string> groups(const std::optional<std::string>& by = std::nullopt) const {
    std::vector<std::string> out;
    const std::vector<std::string>* column = nullptr;
    if (by && !by->empty()) {
      const auto found = store_->columns.find(*by);
      if (found == store_->columns.end()) {
        std::string known;
        for (const auto& [name, cells] : store_->columns) known += (known.empty() ? "" : ", ") + name;
        throw OptionError(text("split by \"", *by, "\": there is no such column; ",
                               known.empty() ? std::string("this data has none") : "expected one of " + known));
      }
      column = &found->second;
    }
    for (Index i = 0; i < size(); ++i) {
      const Sample& sample = (*this)[i];
      const std::string* group = &sample.group;  // by default
      if (by) group = column != nullptr ? &(*column)[static_cast<std::size_t>(position(i))] : &sample.id;
      // An id could read like another sample's group: a zero byte, which no cell has, keeps them apart.
      out.push_back(group->empty() ? std::string(1, '\0') + sample.id : *group);
    }
    return out;
  }

  /// The samples whose group (see groups()) is not one of the other set's: what may be learned from where that is the
  /// test, or the reverse.
  [[nodiscard, gnu::cold]] Dataset apart_from(const Dataset& other) const {
    const std::vector<std::string> of_each = groups(), others = other.groups();
    const std::set<std::string> taken(others.begin(), others.end());
    Dataset out = subset({});
    for (std::size_t i = 0; i < of_each.size(); ++i)
      if (!taken.contains(of_each[i])) out.positions_.push_back(positions_[i]);
    return out;
  }

  /// Training, validation and test part: stratified by label, groups kept together, deterministic by the seed.
  /// `auto [train, val, test] = data.split({.seed = 7});` Throws OptionError (see partition()).
  [[gnu::cold]] std::array<Dataset, 3> split(const SplitOptions& options = {}) const {
    std::vector<Index> labels;
    for (Index i = 0; i < size(); ++i) labels.push_back((*this)[i].label);
    const auto parts = partition(labels, groups(options.by), options.fractions, options.seed, class_names());
    std::array<Dataset, 3> out = {subset({}), subset({}), subset({})};
    for (std::size_t i = 0; i < parts.size(); ++i) out[parts[i]].positions_.push_back(positions_[i]);
    return out;
  }

  /// For cross-validation: every sample is in one of `count` parts, every class spread over them, no group in two.
  /// Entry i holds all the others (to train on) and part i (to test on):
  /// `for (const auto& [train, test] : data.folds({.count = 5})) ...` Throws OptionError (see partition()).
  [[nodiscard, gnu::cold]] std::vector<std::array<Dataset, 2>> folds(const FoldOptions& options = {}) const {
    require<OptionError>(options.count >= 2 && options.count <= size(), "folds: expected 2 to ", size(), " parts, got ",
                         options.count);
    std::vector<Index> labels;
    for (Index i = 0; i < size(); ++i) labels.push_back((*this)[i].label);
    const auto count = static_cast<std::size_t>(options.count);
    const std::vector<double> fractions(count, 1 / static_cast<double>(count));
    const auto parts = partition(labels, groups(options.by), fractions, options.seed, class_names());
    std::vector<std::array<Dataset, 2>> out(count, {subset({}), subset({})});
    for (std::size_t fold = 0; fold < count; ++fold)
      for (std::size_t i = 0; i < parts.size(); ++i) out[fold][parts[i] == fold].positions_.push_back(positions_[i]);
    return out;
  }

 private:
  struct Store {
    std::vector<Sample> samples;
    std::vector<std::string> class_names;
    Columns columns;
  };
  struct Domains {
    std::vector<std::string> names = {};
    std::vector<Index> of = {};  ///< the store's samples; -1: none of this set
  };

  /// One name for each position.
  [[gnu::cold]] void set_domains(const std::vector<std::string>& name_of_each) {
    Domains out{.names = name_of_each, .of = std::vector<Index>(store_->samples.size(), -1)};
    std::sort(out.names.begin(), out.names.end());
    out.names.erase(std::unique(out.names.begin(), out.names.end()), out.names.end());
    for (std::size_t i = 0; i < name_of_each.size(); ++i) {
      require<OptionError>(!name_of_each[i].empty(), "sample ", (*this)[static_cast<Index>(i)].id, " has no domain");
      out.of[static_cast<std::size_t>(positions_[i])] =
          std::lower_bound(out.names.begin(), out.names.end(), name_of_each[i]) - out.names.begin();
    }
    domains_ = std::make_shared<const Domains>(std::move(out));
  }

  Index position(Index i) const {
    require<OptionError>(i >= 0 && i < size(), "sample ", i, " of a data set of ", size());
    return positions_[static_cast<std::size_t>(i)];
  }
  Index dimension(std::size_t axis) const {
    return store_->samples.empty() ? 0 : static_cast<Index>(store_->samples.front().image.shape()[axis]);
  }

  std::shared_ptr<const Store> store_;
  std::shared_ptr<const Domains> domains_ = std::make_shared<const Domains>();
  std::vector<Index> positions_;
};

}  // namespace limn::data
