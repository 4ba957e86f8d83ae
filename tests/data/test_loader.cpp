// Batches: what is in them, in which order, and the thread that makes them.
#include <algorithm>
#include <set>

#include "../io/support.hpp"
#include "limn/core/parallel.hpp"
#include "limn/data/loader.hpp"

using namespace limn;
using support::holds;

namespace {
float value_of(Index sample) { return .5f + static_cast<float>(sample) / 200; }

/// Sample i has the value value_of(i) everywhere, labels as given; every second one has a mask.
data::Dataset numbered(const std::vector<Index>& labels, Index classes) {
  std::vector<data::Sample> samples;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    data::Sample sample{text("s", i),
                        "",
                        labels[i],
                        data::Image(data::Image::shape_type{3, 2, 1}, value_of(static_cast<Index>(i))),
                        {}};
    if (i % 2 == 1) sample.mask = data::Mask(data::Mask::shape_type{3, 2}, 1.f);
    samples.push_back(std::move(sample));
  }
  std::vector<std::string> names;
  for (Index c = 0; c < classes; ++c) names.push_back(text("c", c));
  return data::Dataset(std::move(samples), names);
}

std::vector<data::HostBatch> all(data::BatchStream stream) {
  std::vector<data::HostBatch> out;
  while (auto batch = stream.next()) out.push_back(std::move(*batch));
  CHECK_FALSE(stream.next());
  return out;
}

bool same(const data::HostBatch& a, const data::HostBatch& b) {
  const auto numbers = [](const Tensor<Cpu>& x, const Tensor<Cpu>& y) {
    return x.shape() == y.shape() && std::ranges::equal(x.span(), y.span());
  };
  return numbers(a.images, b.images) && numbers(a.masks, b.masks) && a.labels == b.labels && a.has_mask == b.has_mask &&
         a.positions == b.positions;
}
}  // namespace

TEST_CASE("every sample once an epoch, with its label and mask") {
  const auto set = numbered({0, 1, 0, 1, 1, 0, 0}, 2);
  for (Index prefetch : {0, 2}) {
    const data::Loader loader(set, {.batch = 3, .seed = 1, .shuffle = true, .prefetch = prefetch});
    CHECK(loader.batches() == 3);
    std::vector<std::vector<Index>> orders;
    for (Index epoch : {0, 1}) {
      std::vector<Index> order;
      for (const auto& batch : all(loader.epoch(epoch))) {
        CHECK(batch.images.dim(1) == 3);
        CHECK(batch.masks.dim(3) == 1);
        for (Index i = 0; i < batch.size(); ++i) {
          const auto at = static_cast<std::size_t>(i);
          const Index position = batch.positions[at];
          order.push_back(position);
          CHECK(batch.images(i, 2, 1, 0) == value_of(position));
          CHECK(batch.labels[at] == set[position].label);
          CHECK(batch.has_mask[at] == position % 2);
          CHECK(batch.masks(i, 2, 1, 0) == static_cast<float>(position % 2));
        }
      }
      CHECK(std::set<Index>(order.begin(), order.end()).size() == 7);
      CHECK(order.size() == 7);
      orders.push_back(order);
    }
    CHECK(orders[0] != orders[1]);
  }
  const auto in_order = all(data::Loader(set, {.batch = 4}).epoch(0));
  CHECK(in_order[0].positions == std::vector<Index>{0, 1, 2, 3});
  CHECK(in_order[1].size() == 3);
  CHECK(all(data::Loader(set, {.batch = 4, .drop_last = true}).epoch(0)).size() == 1);
}

TEST_CASE("balanced: equal counts in every batch, nobody left out") {
  std::vector<Index> labels(60, 0);
  for (std::size_t i = 0; i < 13; ++i) labels[3 * i] = 1;
  for (std::size_t i = 0; i < 5; ++i) labels[7 * i + 1] = 2;  // class 3 stays without samples
  const auto set = numbered(labels, 4);
  const auto counts = set.counts();
  const data::Loader loader(set, {.batch = 8, .seed = 2, .shuffle = true, .balanced = true});
  CHECK(loader.samples() == 3 * counts[0]);
  std::set<Index> seen;
  std::vector<Index> sums(4, 0);
  for (const auto& batch : all(loader.epoch(0))) {
    std::vector<Index> here(4, 0);
    for (Index label : batch.labels) here[static_cast<std::size_t>(label)] += 1;
    for (std::size_t c = 0; c < 3; ++c) {
      CHECK(std::abs(static_cast<double>(here[c]) - static_cast<double>(batch.size()) / 3) < 1);
      sums[c] += here[c];
    }
    seen.insert(batch.positions.begin(), batch.positions.end());
  }
  CHECK(static_cast<Index>(seen.size()) == set.size());
  CHECK(sums == std::vector<Index>{counts[0], counts[0], counts[0], 0});
}

TEST_CASE("the same bits with and without a thread, after a skip, and for a sample alone") {
  const auto set = numbered({0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0}, 2);
  const data::Augment augment{.flip = true, .rotate_degrees = 10, .shift = .1f, .brightness = .1f, .noise = .05f};
  data::LoaderOptions options{
      .batch = 2, .seed = 5, .shuffle = true, .balanced = true, .augment = augment, .prefetch = 0};
  const auto plain = all(data::Loader(set, options).epoch(4));
  for (Index prefetch : {1, 2, 7}) {
    for (int threads : {1, 2}) {
      set_threads(threads);
      options.prefetch = prefetch;
      const data::Loader loader(set, options);
      const auto other = all(loader.epoch(4));
      REQUIRE(other.size() == plain.size());
      for (std::size_t i = 0; i < plain.size(); ++i) CHECK(same(plain[i], other[i]));
      const auto rest = all(loader.epoch(4, 3));
      REQUIRE(rest.size() == plain.size() - 3);
      for (std::size_t i = 0; i < rest.size(); ++i) CHECK(same(plain[i + 3], rest[i]));
      CHECK(all(loader.epoch(4, loader.batches())).empty());
    }
  }
  set_threads(0);
  CHECK_FALSE(same(plain[0], all(data::Loader(set, options).epoch(5))[0]));
  // A sample that is repeated within an epoch is changed in another way each time.
  const auto lone = numbered({0, 1, 1, 1}, 2);
  options.batch = 6;
  const auto batch = all(data::Loader(lone, options).epoch(0)).at(0);
  std::set<float> values;
  for (Index i = 0; i < 6; ++i)
    if (batch.labels[static_cast<std::size_t>(i)] == 0) values.insert(batch.images(i, 1, 1, 0));
  CHECK(values.size() == 3);
}

TEST_CASE("leaving early, moving the stream, and what goes wrong in the thread") {
  const auto set = numbered(std::vector<Index>(50, 0), 1);
  for (int trial = 0; trial < 50; ++trial) {
    data::BatchStream stream = data::Loader(set, {.batch = 1, .prefetch = 1 + trial % 3}).epoch(0);
    for (int i = 0; i < trial % 4; ++i) CHECK(stream.next()->positions[0] == i);
    data::BatchStream moved = std::move(stream);
    CHECK(moved.next()->positions[0] == trial % 4);
  }
  // A stream built by hand whose third pick does not exist: the batches before it come, then the error, again and
  // again.
  for (Index prefetch : {0, 2}) {
    data::BatchStream broken(set, {.batch = 1, .prefetch = prefetch}, 0, {{0, 0}, {1, 0}, {99, 0}, {2, 0}}, 4, 0);
    CHECK(broken.next());
    CHECK(broken.next());
    CHECK(holds(support::message<OptionError>([&] { (void)broken.next(); }), "sample 99 of a data set of 50"));
    if (prefetch > 0) CHECK_THROWS_AS((void)broken.next(), OptionError);
  }
}

TEST_CASE("loader options out of range") {
  const auto set = numbered({0, 0, 0}, 1);
  const auto refused = [&](const data::LoaderOptions& options) {
    return support::message<OptionError>([&] { data::Loader{set, options}; });
  };
  CHECK(holds(refused({.batch = 0}), "batch must be at least 1, got 0"));
  CHECK(holds(refused({.prefetch = -1}), "prefetch must be 0 to 64, got -1"));
  CHECK(holds(refused({.batch = 4, .drop_last = true}), "drop_last leaves no batch of 4 of 3 samples"));
  CHECK(holds(refused({.augment = {.scale = -1}}), "scale must be 0 to 4"));
  CHECK(holds(support::message<OptionError>([] { data::Loader{data::Dataset{}}; }), "the data set is empty"));
  CHECK(
      holds(support::message<OptionError>([&] { (void)data::Loader(set).epoch(0, 2); }), "skip must be 0 to 1, got 2"));
}
