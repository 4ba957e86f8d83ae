// Data sets, splits and split files.
#include <map>
#include <set>

#include "../io/support.hpp"
#include "limn/data/dataset.hpp"
#include "limn/data/split.hpp"

using namespace limn;
using data::Dataset;
using support::holds;

namespace {
data::Sample sample(const std::string& id, const std::string& group, Index label) {
  return {id, group, label, data::Image(data::Image::shape_type{2, 2, 1}, 0.f), {}};
}

/// Groups of 1 to `largest` samples, mostly of one label.
Dataset grouped(Index count, Index largest, Index classes, std::uint64_t seed) {
  Random random(Seed{seed}, "made");
  std::vector<data::Sample> samples;
  std::vector<std::string> names, sites;
  for (Index c = 0; c < classes; ++c) names.push_back(text("class", c));
  for (Index group = 0; static_cast<Index>(samples.size()) < count; ++group) {
    const Index usual = random.below(classes);
    for (Index i = 1 + random.below(largest); i > 0; --i) {
      samples.push_back(
          sample(text("s", samples.size()), text("g", group), random.chance(.9) ? usual : random.below(classes)));
      sites.push_back(text("site", group % 30));
    }
  }
  return Dataset(std::move(samples), names, {{"site", sites}});
}
}  // namespace

TEST_CASE("a data set: sizes, counts, subsets that share") {
  std::vector<data::Sample> samples = {sample("a", "a", 0), sample("b", "b", 1), sample("c", "c", 1)};
  samples[1].mask = data::Mask({{1, 0}, {0, 0}});
  samples[2].mask = data::Mask({{0, 0}, {0, 0}});
  const Dataset data(samples, {"no", "yes"});
  CHECK(data.size() == 3);
  CHECK(data.height() == 2);
  CHECK(data.channels() == 1);
  CHECK(data.counts() == std::vector<Index>{1, 2});
  CHECK(data.mask_fraction() == .25);  // of the one mask that is not empty
  CHECK(data.bytes() == (3 * 4 + 2 * 4) * sizeof(float));
  const Dataset some = data.subset({2, 0});
  CHECK(some[0].id == "c");
  CHECK(&some[0] == &data[2]);
  CHECK(&some.subset({1})[0] == &data[0]);
  CHECK(data.filter([](const data::Sample& s) { return s.label == 1; }).size() == 2);
  CHECK(holds(support::message<OptionError>([&] { (void)data[3]; }), "sample 3 of a data set of 3"));
  CHECK(Dataset{}.empty());
  CHECK(Dataset{}.height() == 0);

  samples[1].image = data::Image(data::Image::shape_type{2, 3, 1}, 0.f);
  CHECK(holds(support::message<ShapeError>([&] {
                Dataset(samples, {"no", "yes"});
              }),
              "sample b: an image (2, 3, 1), expected (2, 2, 1)"));
  samples[1] = sample("a", "a", 0);
  CHECK(holds(support::message<OptionError>([&] { Dataset(samples, {"no", "yes"}); }), "sample a is there twice"));
  samples[1] = sample("b", "b", 2);
  CHECK(holds(support::message<OptionError>([&] {
                Dataset(samples, {"no", "yes"});
              }),
              "sample b: label 2, expected 0 to 1"));
  samples[1] = sample("b", "b", 0);
  samples[1].mask = data::Mask({{1, 0, 0}, {0, 0, 0}});
  CHECK(holds(support::message<ShapeError>([&] { Dataset(samples, {"no", "yes"}); }), "its mask is not of the size"));
}

TEST_CASE("splits: no group on two sides, every class in its share") {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Index largest = 1 + static_cast<Index>(seed % 4), classes = 2 + static_cast<Index>(seed % 3);
    const Dataset data = grouped(600, largest, classes, seed);
    const auto parts = data.split({.seed = seed});
    data::check_split(parts);
    std::set<std::string> ids;
    const double fractions[] = {.7, .15, .15};
    const auto total = data.counts();
    for (std::size_t part = 0; part < 3; ++part) {
      const auto counts = parts[part].counts();
      for (std::size_t c = 0; c < counts.size(); ++c)
        CHECK(std::abs(static_cast<double>(counts[c]) - fractions[part] * static_cast<double>(total[c])) <=
              2. * static_cast<double>(largest));
      for (Index i = 0; i < parts[part].size(); ++i) CHECK(ids.insert(parts[part][i].id).second);
    }
    CHECK(static_cast<Index>(ids.size()) == data.size());
  }
}

TEST_CASE("splits: seeds, columns, parts that stay empty") {
  const Dataset data = grouped(300, 3, 2, 1);
  const auto ids = [](const Dataset& part) {
    std::vector<std::string> out;
    for (Index i = 0; i < part.size(); ++i) out.push_back(part[i].id);
    return out;
  };
  const auto [train, val, test] = data.split({.fractions = {.7, .15, .15}, .seed = 7});
  CHECK(ids(train) == ids(data.split({.seed = 7})[0]));
  CHECK_FALSE(ids(train) == ids(data.split({.seed = 8})[0]));
  data::check_split(data.split({.by = "site", .seed = 7}), "site");
  CHECK_THROWS_AS(data::check_split(data.split({.by = "", .seed = 7})),
                  OptionError);  // on its own, a group is torn apart
  const auto two = data.split({.fractions = {.8, 0, .2}});
  CHECK(two[1].empty());
  CHECK(two[0].size() + two[2].size() == data.size());

  const auto refused = [](const Dataset& set, const data::SplitOptions& options) {
    return support::message<OptionError>([&] { (void)set.split(options); });
  };
  CHECK(refused(data, {.by = "patient"}) == "split by \"patient\": there is no such column; expected one of site");
  CHECK(holds(refused(Dataset({sample("a", "a", 0)}, {"x"}), {.by = "patient"}), "this data has none"));
  CHECK(holds(refused(data, {.fractions = {.7, .2, .2}}), "must sum to 1, they sum to 1.1"));
  CHECK(holds(refused(data, {.fractions = {1.2, -.2, 0}}), "expected fractions from 0 to 1, got 1.2"));
  CHECK(holds(refused(Dataset{}, {}), "the data set is empty"));
  const Dataset few({sample("a", "1", 0), sample("b", "1", 0), sample("c", "2", 0), sample("d", "2", 0)}, {"only"});
  CHECK(holds(refused(few, {}), "class \"only\" has 2 groups, too few for one in each of 3 parts"));
  // As few as can be: three groups of each class, where the fractions alone would leave the test part empty.
  std::vector<data::Sample> six;
  for (Index i = 0; i < 6; ++i) six.push_back(sample(text("s", i), text("g", i), i % 2));
  for (const Dataset& part : Dataset(six, {"x", "y"}).split()) CHECK(part.counts() == std::vector<Index>{1, 1});
}

TEST_CASE("folds: every sample is tested once, no group on two sides, every class in every part") {
  const Dataset data = grouped(400, 6, 3, 5);
  for (const Index count : {2, 5}) {
    std::map<std::string, int> tested;
    const auto folds = data.folds({.count = count, .seed = 3});
    REQUIRE(static_cast<Index>(folds.size()) == count);
    for (const auto& [train, test] : folds) {
      CHECK(train.size() + test.size() == data.size());
      std::set<std::string> groups;
      for (const auto& group : train.groups()) groups.insert(group);
      for (const auto& group : test.groups()) CHECK(!groups.contains(group));
      for (Index i = 0; i < test.size(); ++i) ++tested[test[i].id];
      for (std::size_t c = 0; c < 3; ++c) {
        const auto share = static_cast<double>(test.counts()[c]) / static_cast<double>(data.counts()[c]);
        CHECK(share == doctest::Approx(1 / static_cast<double>(count)).epsilon(.1));
      }
    }
    CHECK(static_cast<Index>(tested.size()) == data.size());
    for (const auto& [id, times] : tested) CHECK(times == 1);
  }
  CHECK(data.folds({.seed = 3})[0][1][0].id == data.folds({.seed = 3})[0][1][0].id);
  std::set<std::string> sites;
  const auto by_site = data.folds({.count = 3, .by = "site"});
  for (const auto& site : by_site[0][0].groups("site")) sites.insert(site);
  for (const auto& site : by_site[0][1].groups("site")) CHECK(!sites.contains(site));
  CHECK(support::message<OptionError>([&] { (void)data.folds({.count = 1}); }) ==
        text("folds: expected 2 to ", data.size(), " parts, got 1"));
  CHECK(
      holds(support::message<OptionError>([&] { (void)data.folds({.count = 40, .by = "site"}); }), "use fewer parts"));
}

TEST_CASE("apart from another set: no group in both") {
  const Dataset all(
      {sample("a", "p", 0), sample("b", "p", 1), sample("c", "q", 0), sample("d", "", 1), sample("e", "", 0)},
      {"no", "yes"});
  const auto ids = [](const Dataset& set) {
    std::string out;
    for (Index i = 0; i < set.size(); ++i) out += set[i].id;
    return out;
  };
  CHECK(ids(all.apart_from(all.subset({1}))) == "cde");
  CHECK(ids(all.subset({4, 3, 2, 0}).apart_from(all.subset({3, 1}))) == "ec");  // without a group: by itself
  CHECK(all.apart_from(all).empty());
  CHECK(ids(all.apart_from(all.subset({}))) == "abcde");
}

TEST_CASE("split files") {
  const support::Folder folder("split");
  const auto path = folder.path / "split.csv";
  const Dataset data = grouped(120, 3, 2, 2);
  const auto parts = data.split({.seed = 3});
  data::save_split(path, parts);
  const auto back = data::load_split(path, data);
  for (std::size_t part = 0; part < 3; ++part) {
    REQUIRE(back[part].size() == parts[part].size());
    for (Index i = 0; i < back[part].size(); ++i) CHECK(&back[part][i] == &parts[part][i]);
  }
  const auto refused = [&](const std::string& content) {
    io::write_file_atomically(path, content);
    return support::message<FileError>([&] { (void)data::load_split(path, data); });
  };
  CHECK(holds(refused("id,part\ns0,train\nnobody,val\n"), "split.csv:3: no sample \"nobody\" in the data"));
  CHECK(holds(refused("id,part\ns0,train\ns0,val\n"), "split.csv:3: sample \"s0\" is listed twice"));
  CHECK(holds(refused("id,part\ns0,training\n"), "split.csv:2: part \"training\", expected train, val or test"));
  CHECK(holds(refused("id,fold\ns0,train\n"), "no column \"part\"; it has id, fold"));
  // Two of one group on two sides.
  std::map<std::string, std::string> first;
  for (Index i = 0; i < data.size(); ++i) {
    const auto [at, fresh] = first.emplace(data[i].group, data[i].id);
    if (fresh) continue;
    const std::string message = refused("id,part\n" + at->second + ",train\n" + data[i].id + ",test\n");
    CHECK(holds(message, "split.csv: the split leaks: group \"" + data[i].group + "\" is in train and in test"));
    break;
  }
}
