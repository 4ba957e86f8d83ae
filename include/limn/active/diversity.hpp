// Acquisitions by which the pictures of a batch differ from each other and from what is labelled.
//   auto far = acquire::CoreSet<"avgpool">{};                             // as published
//   auto unsure_and_far = acquire::Entropy{} * acquire::CoreSet<"avgpool">{};
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "limn/active/acquire.hpp"
#include "limn/nn/address.hpp"

namespace limn::acquire {

namespace detail {

/// Rows of numbers, (count, width).
struct Rows {
  std::vector<double> values;
  Index count = 0, width = 0;
  [[nodiscard]] const double* row(Index i) const { return values.data() + i * width; }
};

[[nodiscard]] inline double dot(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
[[nodiscard]] inline double squared_distance(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

template <class T>
void append_rows(Rows& to, const Tensor<CpuOf<T>>& from) {
  to.width = from.size() / from.dim(0);
  to.count += from.dim(0);
  for (const T v : from.span()) to.values.push_back(static_cast<double>(v));
}

/// What a layer gives for each picture, flattened, and the probabilities, in evaluation mode.
struct Features {
  Rows of_layer, probabilities;
};
template <Name Layer, class Net>
[[nodiscard, gnu::cold]] Features features(const Net& net, const data::Dataset& set) {
  using B = backend_of<Net>;
  Features out;
  auto stream = data::Loader(set, {.batch = evaluation_batch}).epoch(0);
  while (auto host = stream.next()) {
    const Batch<B> batch = to_batch<B>(std::move(*host));
    Run<B> run;
    const auto tap = run.tap(at<Layer>(net));
    append_rows(out.probabilities, probabilities(net, batch.images, run));
    append_rows(out.of_layer, run.tapped(tap).value());
  }
  return out;
}

/// Squared distances to the nearest point of those that were added.
class Nearest {
 public:
  Nearest() = default;
  explicit Nearest(Index count) : squared_(static_cast<std::size_t>(count), std::numeric_limits<double>::infinity()) {}
  /// squared_to(i): the squared distance of i to what is added.
  template <class F>
  void add(const F& squared_to) {
    for (std::size_t i = 0; i < squared_.size(); ++i)
      squared_[i] = std::min(squared_[i], squared_to(static_cast<Index>(i)));
  }
  [[nodiscard]] const std::vector<double>& squared() const { return squared_; }

 private:
  std::vector<double> squared_;
};

}  // namespace detail

/// Core-set by the greedy k-center method (Sener and Savarese 2018, Algorithm 1): again and again the picture that is
/// furthest from all that are labelled or chosen, by Euclidean distance between what a layer gives: CoreSet<"avgpool">,
/// or <"embedding"> of a prototypical network. The score is that distance.
template <Name Layer>
struct CoreSet {
  static constexpr const char* name = "core_set";

  class Batch {
   public:
    Batch(detail::Rows pool, const detail::Rows& labelled) : pool_(std::move(pool)), nearest_(pool_.count) {
      for (Index i = 0; i < labelled.count; ++i) add(labelled.row(i));
    }
    [[nodiscard]] std::vector<double> scores() const {
      std::vector<double> out = nearest_.squared();
      for (double& d : out) d = std::sqrt(d);
      return out;
    }
    void add(Index i) { add(pool_.row(i)); }

   private:
    void add(const double* centre) {
      nearest_.add([&](Index i) { return detail::squared_distance(pool_.row(i), centre, pool_.width); });
    }
    detail::Rows pool_;
    detail::Nearest nearest_;
  };

  /// Throws OptionError where nothing is labelled: there is nothing to be far from.
  template <class Net>
  [[nodiscard, gnu::cold]] Batch begin(const Net& net, const data::Dataset& pool, const data::Dataset& labelled) const {
    require<OptionError>(!labelled.empty(), name, ": nothing is labelled yet");
    return {detail::features<Layer>(net, pool).of_layer, detail::features<Layer>(net, labelled).of_layer};
  }
};

/// BADGE (Ash et al. 2020): k-means++ seeding on the gradients that the last layer's weights would have if the
/// predicted class were right, (p - one hot) x what the layer before it gives: Badge<"avgpool">. The first picture is
/// the one with the longest gradient, as in the published code; the others are drawn. The score is the squared distance
/// to the nearest that is chosen, for the first one the squared length.
template <Name Layer>
struct Badge {
  static constexpr const char* name = "badge";
  Seed seed = {};

  class Batch {
   public:
    explicit Batch(detail::Features found)
        : h_(std::move(found.of_layer)), a_(std::move(found.probabilities)), nearest_(h_.count) {
      for (Index i = 0; i < h_.count; ++i) {
        double* const p = a_.values.data() + i * a_.width;
        *std::max_element(p, p + a_.width) -= 1;
        squared_length_.push_back(detail::dot(p, p, a_.width) * detail::dot(h_.row(i), h_.row(i), h_.width));
      }
    }
    [[nodiscard]] std::vector<double> scores() const { return any_ ? nearest_.squared() : squared_length_; }
    void add(Index k) {
      any_ = true;
      nearest_.add([&](Index i) { return between(i, k); });
    }

   private:
    /// Gradients are products a x h: their products are products of dot products, and they need not be written out.
    [[nodiscard]] double between(Index i, Index k) const {
      const double both = detail::dot(a_.row(i), a_.row(k), a_.width) * detail::dot(h_.row(i), h_.row(k), h_.width);
      return std::max(
          0.0, squared_length_[static_cast<std::size_t>(i)] + squared_length_[static_cast<std::size_t>(k)] - 2 * both);
    }
    detail::Rows h_, a_;  // a: p - one hot
    std::vector<double> squared_length_;
    detail::Nearest nearest_;
    bool any_ = false;
  };

  template <class Net>
  [[nodiscard, gnu::cold]] Batch begin(const Net& net, const data::Dataset& pool, const data::Dataset&) const {
    return Batch(detail::features<Layer>(net, pool));
  }
  [[nodiscard]] limn::Random draws(const data::Dataset& labelled) const {
    return limn::Random(seed, name, labelled.size());
  }
};

}  // namespace limn::acquire
