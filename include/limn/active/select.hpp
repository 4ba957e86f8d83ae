// Choosing a batch of pictures: the highest scores, or jointly, so that the pictures of a batch differ from each other.
//   const acquire::Chosen next = acquire::choose(acquire::CoreSet<"avgpool">{}, net, pool, labelled, 60);
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <vector>

#include "limn/active/acquire.hpp"
#include "limn/nn/address.hpp"

namespace limn::acquire {

/// What was chosen of a pool, the first one first.
struct Chosen {
  std::vector<Index> positions;
  Scores scores;  ///< of these pictures, in this order
};

/// Chooses jointly: a class with a name that is called as choice(net, pool, labelled, count), all pictures without
/// labels but those of `labelled`. It may have check(), as terms may.
template <class S>
concept Selector = requires(const S& selector, const detail::SomeNetwork& net, const data::Dataset& set, Index count) {
  { S::name } -> std::convertible_to<std::string>;
  { selector(net, set, set, count) } -> std::convertible_to<Chosen>;
};
template <class A>
concept Acquisition = AnyScore<A> || Selector<A>;

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

/// A column of numbers of the chosen alone.
[[nodiscard]] inline std::vector<double> those(const std::vector<double>& all, const std::vector<Index>& positions) {
  std::vector<double> out;
  for (const Index i : positions) out.push_back(all[static_cast<std::size_t>(i)]);
  return out;
}

[[gnu::cold]] inline void check_count(const char* name, Index count, Index pool) {
  require<OptionError>(count >= 0 && count <= pool, name, ": ", count, " of ", pool, " pictures");
}

}  // namespace detail

/// Core-set by the greedy k-center method (Sener and Savarese 2018, Algorithm 1): again and again the picture that is
/// furthest from all that are labelled or chosen, by Euclidean distance between what a layer gives: CoreSet<"avgpool">,
/// or <"embedding"> of a prototypical network. Its score is that distance when it was chosen. Ties: in the order of the
/// pool.
template <Name Layer>
struct CoreSet {
  static constexpr const char* name = "core_set";

  template <class Net>
  [[gnu::cold]] Chosen operator()(const Net& net, const data::Dataset& pool, const data::Dataset& labelled,
                                  Index count) const {
    detail::check_count(name, count, pool.size());
    const detail::Rows of_pool = detail::features<Layer>(net, pool).of_layer,
                       centres = detail::features<Layer>(net, labelled).of_layer;
    std::vector<double> nearest(static_cast<std::size_t>(of_pool.count), std::numeric_limits<double>::infinity());
    const auto add = [&](const double* centre) {
      for (Index i = 0; i < of_pool.count; ++i) {
        double& d = nearest[static_cast<std::size_t>(i)];
        d = std::min(d, detail::squared_distance(of_pool.row(i), centre, of_pool.width));
      }
    };
    for (Index i = 0; i < centres.count; ++i) add(centres.row(i));
    Chosen out;
    while (static_cast<Index>(out.positions.size()) < count) {
      const auto furthest = std::max_element(nearest.begin(), nearest.end());
      out.scores.total.push_back(std::sqrt(*furthest));
      out.positions.push_back(furthest - nearest.begin());
      add(of_pool.row(out.positions.back()));
      nearest[static_cast<std::size_t>(out.positions.back())] = -1;  // not again, be there equals
    }
    out.scores.terms = {{"distance", out.scores.total}};
    return out;
  }
};

/// BADGE (Ash et al. 2020): k-means++ seeding on the gradients that the last layer's weights would have if the
/// predicted class were right, (p - one hot) x what the layer before it gives: Badge<"avgpool">. The first picture is
/// the one with the longest gradient, as in the published code; the others are drawn with probabilities as the squared
/// distance to the nearest that is chosen. Its score is the length of its gradient.
template <Name Layer>
struct Badge {
  static constexpr const char* name = "badge";
  Seed seed = {};

  template <class Net>
  [[gnu::cold]] Chosen operator()(const Net& net, const data::Dataset& pool, const data::Dataset& labelled,
                                  Index count) const {
    detail::check_count(name, count, pool.size());
    detail::Features found = detail::features<Layer>(net, pool);
    const detail::Rows& h = found.of_layer;
    detail::Rows& a = found.probabilities;  // becomes p - one hot
    std::vector<double> length(static_cast<std::size_t>(h.count));
    for (Index i = 0; i < h.count; ++i) {
      double* const p = a.values.data() + i * a.width;
      *std::max_element(p, p + a.width) -= 1;
      length[static_cast<std::size_t>(i)] =
          std::sqrt(detail::dot(p, p, a.width) * detail::dot(h.row(i), h.row(i), h.width));
    }
    // Gradients are products a x h: their products are products of dot products, and they need not be written out.
    const auto between = [&](Index i, Index k) {
      const double both = detail::dot(a.row(i), a.row(k), a.width) * detail::dot(h.row(i), h.row(k), h.width);
      const double one = length[static_cast<std::size_t>(i)], other = length[static_cast<std::size_t>(k)];
      return std::max(0.0, one * one + other * other - 2 * both);
    };
    limn::Random random(seed, "badge", labelled.size());
    std::vector<double> nearest(length.size(), std::numeric_limits<double>::infinity());
    Chosen out;
    while (static_cast<Index>(out.positions.size()) < count) {
      const Index next = out.positions.empty() ? std::max_element(length.begin(), length.end()) - length.begin()
                                               : drawn(nearest, out.positions, random);
      out.positions.push_back(next);
      for (Index i = 0; i < h.count; ++i) {
        double& d = nearest[static_cast<std::size_t>(i)];
        d = std::min(d, between(i, next));
      }
      nearest[static_cast<std::size_t>(next)] = 0;
    }
    out.scores.total = detail::those(length, out.positions);
    out.scores.terms = {{"gradient", out.scores.total}};
    return out;
  }

 private:
  /// A position, with probabilities as the weights; where all are 0, the first that is not chosen.
  [[nodiscard]] static Index drawn(const std::vector<double>& weights, const std::vector<Index>& chosen,
                                   limn::Random& random) {
    double all = 0;
    for (const double w : weights) all += w;
    double left = random.uniform() * all;
    Index last = -1;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] <= 0) continue;
      last = static_cast<Index>(i);
      left -= weights[i];
      if (left < 0) break;
    }
    if (last >= 0) return last;
    Index first = 0;
    while (std::find(chosen.begin(), chosen.end(), first) != chosen.end()) ++first;
    return first;
  }
};

/// The `count` pictures of the pool to annotate next, of the whole pool, whatever their class. Throws OptionError for
/// more than there are.
template <Acquisition A, class Net>
[[nodiscard, gnu::cold]] Chosen choose(const A& how, const Net& net, const data::Dataset& pool,
                                       const data::Dataset& labelled, Index count) {
  if constexpr (AnyScore<A>) {
    const Scores all = scores(how, net, pool);
    Chosen out{highest(all.total, count), {}};
    out.scores.total = detail::those(all.total, out.positions);
    for (const auto& [name, values] : all.terms)
      out.scores.terms.emplace_back(name, detail::those(values, out.positions));
    return out;
  } else {
    return how(net, pool, labelled, count);
  }
}

/// The name of a selector.
template <Selector S>
[[nodiscard, gnu::cold]] std::string describe(const S&) {
  return S::name;
}
/// Throws OptionError for options that are out of range.
template <Selector S>
[[gnu::cold]] void check(const S& selector) {
  if constexpr (requires { selector.check(); }) selector.check();
}

}  // namespace limn::acquire
