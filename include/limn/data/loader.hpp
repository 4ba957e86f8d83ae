// Batches of a data set, made ahead by a thread while the caller trains. What a batch holds depends on seed, epoch and
// position alone.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "limn/core/tensor.hpp"
#include "limn/core/threads.hpp"
#include "limn/data/dataset.hpp"
#include "limn/data/transform.hpp"

namespace limn::data {

/// N samples, in host memory.
struct HostBatch {
  Tensor<Cpu> images;                  // (N, H, W, C)
  std::vector<Index> labels;           // N
  Tensor<Cpu> masks;                   // (N, H, W, 1), 0 where there is none
  std::vector<std::uint8_t> has_mask;  // N, 1 where the sample is annotated
  std::vector<Index> positions;        // N, in the data set
  std::vector<Index> domains;          // N, as Dataset::domain_names() counts them; empty where there are none

  Index size() const { return static_cast<Index>(labels.size()); }
};

struct LoaderOptions {
  Index batch = 32;
  std::uint64_t seed = 0;
  bool shuffle = false;
  /// Every batch has the same number of each class, give or take one: the smaller classes are repeated until the
  /// largest has been seen once. Not balanced: every sample exactly once an epoch.
  bool balanced = false;
  Augment augment = {};
  bool drop_last = false;  // leave out a last batch that is not full
  Index prefetch = 2;      // batches made ahead; 0: made when asked for, without a thread
};

namespace detail {

/// One place in an epoch: which sample, and how often it has been there before in this epoch.
struct Pick {
  Index position, repeat;
};

[[gnu::cold]] inline std::vector<Pick> epoch_picks(const Dataset& data, const LoaderOptions& options, Index epoch) {
  // One queue for each class that occurs, or a single one.
  std::vector<std::vector<Index>> queues(options.balanced ? static_cast<std::size_t>(data.classes()) : 1);
  for (Index i = 0; i < data.size(); ++i)
    queues[options.balanced ? static_cast<std::size_t>(data[i].label) : 0].push_back(i);
  queues.erase(std::remove_if(queues.begin(), queues.end(), [](const auto& queue) { return queue.empty(); }),
               queues.end());
  std::size_t longest = 0;
  for (const auto& queue : queues) longest = std::max(longest, queue.size());
  std::vector<Pick> picks;
  for (std::size_t round = 0; round < longest; ++round) {
    for (std::size_t q = 0; q < queues.size(); ++q) {
      const std::size_t turn = round / queues[q].size(), at = round % queues[q].size();
      if (at == 0 && options.shuffle) {  // each pass through a class has an order of its own
        Random random(Seed{options.seed}, "order", epoch, q, turn);
        shuffle(queues[q], random);
      }
      picks.push_back({queues[q][at], static_cast<Index>(turn)});
    }
  }
  return picks;
}

[[gnu::cold]] inline HostBatch make_batch(const Dataset& data, const LoaderOptions& options, Index epoch,
                                          const Pick* picks, Index count) {
  const Index height = data.height(), width = data.width();
  HostBatch batch;
  batch.images = Tensor<Cpu>(Shape{count, height, width, data.channels()});
  batch.masks = Tensor<Cpu>(Shape{count, height, width, 1}, 0.f);
  for (Index i = 0; i < count; ++i) {
    const Sample& sample = data[picks[i].position];
    Image image = sample.image;
    std::optional<Mask> mask = sample.mask;
    Random random(Seed{options.seed}, "augment", epoch, sample.id, picks[i].repeat);
    options.augment.apply(image, mask, random);
    std::copy(image.begin(), image.end(), batch.images.data() + i * static_cast<Index>(image.size()));
    if (mask) std::copy(mask->begin(), mask->end(), batch.masks.data() + i * height * width);
    batch.labels.push_back(sample.label);
    batch.has_mask.push_back(mask ? 1 : 0);
    batch.positions.push_back(picks[i].position);
    if (!data.domain_names().empty()) batch.domains.push_back(data.domain(picks[i].position));
  }
  return batch;
}

}  // namespace detail

/// The batches of one epoch, one after the other. Movable; may be left before its end.
class BatchStream {
 public:
  BatchStream(Dataset data, const LoaderOptions& options, Index epoch, std::vector<detail::Pick> picks, Index batches,
              Index skip)
      : state_(std::make_unique<State>()) {
    state_->data = std::move(data);
    state_->options = options;
    state_->epoch = epoch;
    state_->picks = std::move(picks);
    state_->batches = batches;
    state_->made = state_->taken = skip;
    if (options.prefetch > 0) state_->worker = std::thread([state = state_.get()] { state->work(); });
  }

  /// The next batch; nothing after the last. What went wrong in the thread is thrown here.
  std::optional<HostBatch> next() {
    State& s = *state_;
    if (s.taken == s.batches) return std::nullopt;
    if (!s.worker.joinable()) return s.make(s.taken++);
    std::unique_lock lock(s.mutex);
    s.changed.wait(lock, [&] { return !s.ready.empty() || s.failure; });
    if (s.ready.empty()) std::rethrow_exception(s.failure);
    HostBatch batch = std::move(s.ready.front());
    s.ready.pop_front();
    s.taken += 1;
    s.changed.notify_all();
    return batch;
  }

 private:
  struct State {
    Dataset data;
    LoaderOptions options;
    Index epoch = 0, batches = 0, made = 0, taken = 0;
    std::vector<detail::Pick> picks;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<HostBatch> ready;
    std::exception_ptr failure;
    bool stop = false;
    std::thread worker;

    ~State() {
      {
        const std::lock_guard lock(mutex);
        stop = true;
      }
      changed.notify_all();
      if (worker.joinable()) worker.join();
    }

    HostBatch make(Index number) const {
      const Index first = number * options.batch, left = static_cast<Index>(picks.size()) - first;
      return detail::make_batch(data, options, epoch, picks.data() + first, std::min(options.batch, left));
    }

    HostBatch make_in_thread() const {
      const limn::detail::Place place(0);  // this thread counts: training uses one less meanwhile
      return make(made);
    }

    [[gnu::cold]] void work() {
      try {
        for (; made < batches; ++made) {
          HostBatch batch = make_in_thread();
          std::unique_lock lock(mutex);
          changed.wait(lock, [&] { return stop || static_cast<Index>(ready.size()) < options.prefetch; });
          if (stop) return;
          ready.push_back(std::move(batch));
          changed.notify_all();
        }
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        changed.notify_all();
      }
    }
  };
  std::unique_ptr<State> state_;  // stays where it is when the stream moves: the thread points to it
};

/// Cuts a data set into batches, epoch by epoch.
class Loader {
 public:
  /// Throws OptionError for options out of range and for an empty data set.
  explicit Loader(Dataset data, const LoaderOptions& options = {}) : data_(std::move(data)), options_(options) {
    require<OptionError>(!data_.empty(), "loader: the data set is empty");
    require<OptionError>(options.batch >= 1, "loader: batch must be at least 1, got ", options.batch);
    require<OptionError>(options.prefetch >= 0 && options.prefetch <= 64, "loader: prefetch must be 0 to 64, got ",
                         options.prefetch);
    options_.augment.check();
    const auto counts = data_.counts();
    const Index present = std::count_if(counts.begin(), counts.end(), [](Index n) { return n > 0; });
    length_ = options_.balanced ? present * *std::max_element(counts.begin(), counts.end()) : data_.size();
    require<OptionError>(batches() > 0, "loader: drop_last leaves no batch of ", options_.batch, " of ", length_,
                         " samples");
  }

  const Dataset& dataset() const { return data_; }
  const LoaderOptions& options() const { return options_; }

  /// Samples in an epoch.
  Index samples() const { return options_.drop_last ? batches() * options_.batch : length_; }
  /// Batches in an epoch, the same for all epochs.
  Index batches() const { return (length_ + (options_.drop_last ? 0 : options_.batch - 1)) / options_.batch; }

  /// The batches of an epoch, without the first `skip` (for going on in the middle of one).
  BatchStream epoch(Index epoch, Index skip = 0) const {
    require<OptionError>(skip >= 0 && skip <= batches(), "loader: skip must be 0 to ", batches(), ", got ", skip);
    return {data_, options_, epoch, detail::epoch_picks(data_, options_, epoch), batches(), skip};
  }

 private:
  Dataset data_;
  LoaderOptions options_;
  Index length_ = 0;
};

}  // namespace limn::data
