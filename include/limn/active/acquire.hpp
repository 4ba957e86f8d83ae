// Which pictures to annotate next: an acquisition gives every picture of a pool a score, and those with the highest are
// asked for. Acquisitions are values and put together by + and *:
//   auto score = .3f * acquire::Entropy{} + .7f * acquire::Misalignment<explain::GradCam<"features.denseblock4">>{};
//   const acquire::Scores scores = acquire::scores(score, net, pool);
//   const std::vector<Index> next = acquire::highest(scores.total, 60);
// Each term keeps its own score, so that a report shows why a picture was chosen.
//
// A term is a class with a name and a call that gives a number for each picture of a batch, the more the sooner it is
// asked for:
//   struct MyTerm {
//     static constexpr const char* name = "my_term";
//     template <class Net> std::vector<double> operator()(const acquire::View<Net>& view) const;
//     // Optional: refuses options out of range, before anything is trained; the largest score there can be.
//     void check() const;
//     double largest(Index classes) const;
//   };
// It says NaN where it cannot tell. Such a picture counts as one for which the term can, drawn by chance: so pictures
// of which less is known are among the highest as often as the others. With the mean of the others they would never be.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/core/order.hpp"
#include "limn/core/random.hpp"
#include "limn/evaluate/predict.hpp"
#include "limn/metrics/statistics.hpp"
#include "limn/nn/fields.hpp"

namespace limn::acquire {

/// What a term sees: some pictures of the pool and what the network says of them, in evaluation mode. No labels.
template <class Net>
struct View {
  using B = backend_of<Net>;
  const Net& net;
  const Tensor<B>& images;                    ///< (n, h, w, c)
  const Tensor<B>& masks;                     ///< (n, h, w, 1), 0 or 1; meaningless where has_mask is 0
  const std::vector<std::uint8_t>& has_mask;  ///< n
  const std::vector<std::string>& ids;        ///< n
  const Tensor<B>& probabilities;             ///< (n, classes)

  [[nodiscard]] Index size() const { return images.dim(0); }
  [[nodiscard]] Index classes() const { return probabilities.dim(1); }
  [[nodiscard]] double p(Index picture, Index k) const { return static_cast<double>(probabilities(picture, k)); }
};

namespace detail {
/// Stands for any network where a term is asked what it is.
struct SomeNetwork {
  static constexpr auto fields = Fields{};
};
}  // namespace detail

template <class T>
concept Term = requires(const T& term, const View<detail::SomeNetwork>& view) {
  { T::name } -> std::convertible_to<std::string>;
  { term(view) } -> std::convertible_to<std::vector<double>>;
};

/// A term that depends on what is chosen already, so that the pictures of a batch differ from each other:
///   template <class Net> State begin(const Net& net, const data::Dataset& pool, const data::Dataset& labelled) const;
/// with a type of yours for State (written out: auto is not known before it is called) and two functions in it:
///   std::vector<double> scores() const;   // of all pictures of the pool, as things are; finite
///   void add(Index i);                    // this one was chosen
/// Optional: limn::Random draws(const data::Dataset& labelled) const; with such a term pictures are drawn, with
/// probabilities as their scores, instead of the highest being taken; the first one is the highest.
template <class T>
concept BatchTerm = requires(const T& term, const detail::SomeNetwork& net, const data::Dataset& set, Index i) {
  { T::name } -> std::convertible_to<std::string>;
  { term.begin(net, set, set).scores() } -> std::convertible_to<std::vector<double>>;
  term.begin(net, set, set).add(i);
};

/// One product of a sum: its weight, and the numbers of the terms that are multiplied.
struct Product {
  float weight = 1;
  std::vector<std::size_t> of;
};

/// A sum of products of terms: whatever + and * can make.
template <class... T>
struct Score {
  std::tuple<T...> terms;
  std::vector<Product> sum;
};

namespace detail {
template <class T>
constexpr bool is_score = false;
template <class... T>
constexpr bool is_score<Score<T...>> = true;
template <class T>
constexpr bool is_joint = BatchTerm<T>;
template <class... T>
constexpr bool is_joint<Score<T...>> = (BatchTerm<T> || ...);
}  // namespace detail

/// A term, or terms put together.
template <class T>
concept AnyScore = Term<T> || BatchTerm<T> || detail::is_score<T>;
/// One with a term that depends on what is chosen already.
template <class T>
concept JointScore = AnyScore<T> && detail::is_joint<T>;

template <AnyScore T>
[[nodiscard]] auto as_score(T score) {
  if constexpr (detail::is_score<T>) {
    return score;
  } else {
    return Score<T>{std::tuple<T>(std::move(score)), {{1, {0}}}};
  }
}

namespace detail {

/// The terms of both; `join` makes the sum of the two sums, of which the right one's terms have their new numbers.
template <class... A, class... C, class Join>
[[gnu::cold]] Score<A..., C...> together(Score<A...> left, Score<C...> right, const Join& join) {
  for (Product& product : right.sum)
    for (std::size_t& term : product.of) term += sizeof...(A);
  return {std::tuple_cat(std::move(left.terms), std::move(right.terms)), join(left.sum, right.sum)};
}

[[nodiscard, gnu::cold]] inline std::vector<Product> added(std::vector<Product> left,
                                                           const std::vector<Product>& right) {
  append(left, right);
  return left;
}
[[nodiscard, gnu::cold]] inline std::vector<Product> multiplied(const std::vector<Product>& left,
                                                                const std::vector<Product>& right) {
  std::vector<Product> out;
  for (const Product& a : left)
    for (const Product& b : right) {
      out.push_back({a.weight * b.weight, a.of});
      append(out.back().of, b.of);
    }
  return out;
}

template <class L, class R>
constexpr bool both_scores() {
  constexpr bool both = AnyScore<L> && AnyScore<R>;
  static_assert(both,
                "limn: this is not an acquisition: a term needs static constexpr const char* name and "
                "template <class Net> std::vector<double> operator()(const acquire::View<Net>&) const, or begin() "
                "(BatchTerm); what chooses by itself (Selector) cannot be put together");
  return both;
}

}  // namespace detail

/// The sum of two scores. Taken whenever one side is one, so that the message about the other side is ours.
template <class L, class R>
requires(AnyScore<L> || AnyScore<R>) [[nodiscard]] auto operator+(L left, R right) {
  if constexpr (detail::both_scores<L, R>()) {
    return detail::together(as_score(std::move(left)), as_score(std::move(right)), detail::added);
  } else {
    return left;  // so that the message above stays the only one
  }
}
/// Their product.
template <AnyScore L, AnyScore R>
[[nodiscard]] auto operator*(L left, R right) {
  return detail::together(as_score(std::move(left)), as_score(std::move(right)), detail::multiplied);
}
/// A weight of 0 takes nothing away from what is shown: the term is worked out and does not count.
template <AnyScore T>
[[nodiscard]] auto operator*(float weight, T score) {
  auto out = as_score(std::move(score));
  for (Product& product : out.sum) product.weight *= weight;
  return out;
}

/// What a pool's pictures scored, in the pool's order.
struct Scores {
  std::vector<double> total;                                       ///< never NaN
  std::vector<std::pair<std::string, std::vector<double>>> terms;  ///< unweighted; NaN where a term could not tell
};

namespace detail {

/// Names of the terms; a second one of the same name gets a number.
template <class... T>
[[gnu::cold]] std::vector<std::string> names(const Score<T...>&) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    std::string unused = name;
    for (int number = 2; std::find(out.begin(), out.end(), unused) != out.end(); ++number)
      unused = text(name, "_", number);
    out.push_back(unused);
  };
  (add(T::name), ...);
  return out;
}

/// What a term could not tell is drawn from what it could, 0 where it could tell nothing.
[[gnu::cold]] inline void fill_unknown(std::vector<double>& column) {
  std::vector<double> known;
  for (const double v : column)
    if (!std::isnan(v)) known.push_back(v);
  if (known.empty()) known.push_back(0);
  for (std::size_t i = 0; i < column.size(); ++i)
    if (std::isnan(column[i]))
      column[i] =
          known[static_cast<std::size_t>(limn::Random(Seed{}, "unknown", i).below(static_cast<Index>(known.size())))];
}

/// sum of weight x product.
[[nodiscard, gnu::cold]] inline std::vector<double> totals(const std::vector<Product>& sum,
                                                           const std::vector<std::vector<double>>& columns) {
  std::vector<double> out(columns.front().size(), 0.0);
  for (const Product& product : sum)
    for (std::size_t i = 0; i < out.size(); ++i) {
      double value = static_cast<double>(product.weight);
      for (const std::size_t term : product.of) value *= columns[term][i];
      out[i] += value;
    }
  return out;
}

}  // namespace detail

/// "0.3 entropy + 0.7 misalignment"
template <AnyScore S>
[[nodiscard, gnu::cold]] std::string describe(const S& asked) {
  const auto score = as_score(asked);
  const std::vector<std::string> names = detail::names(score);
  std::string out;
  for (const Product& product : score.sum) {
    if (!out.empty()) out += " + ";
    if (product.weight != 1) out += text(product.weight, " ");
    for (std::size_t i = 0; i < product.of.size(); ++i) out += (i > 0 ? " x " : "") + names[product.of[i]];
  }
  return out;
}

/// Throws OptionError for options of its terms that are out of range.
template <AnyScore S>
[[gnu::cold]] void check(const S& score) {
  const auto one = [](const auto& term) {
    if constexpr (requires { term.check(); }) term.check();
  };
  std::apply([&](const auto&... term) { (one(term), ...); }, as_score(score).terms);
}

/// The largest score that a picture of so many classes could have, terms being 0 or more; NaN where a term does not
/// say.
template <AnyScore S>
[[nodiscard, gnu::cold]] double largest(const S& asked, Index classes) {
  auto score = as_score(asked);
  for (Product& product : score.sum) product.weight = std::max(product.weight, 0.f);
  std::vector<std::vector<double>> each;
  const auto one = [&](const auto& term) {
    double value = metrics::undefined_value;
    if constexpr (requires { term.largest(classes); }) value = term.largest(classes);
    each.push_back({value});
  };
  std::apply([&](const auto&... term) { (one(term), ...); }, score.terms);
  for (const auto& value : each)
    if (std::isnan(value[0])) return value[0];
  return detail::totals(score.sum, each)[0];
}

namespace detail {

/// What each term says of each picture of a pool; nothing (an empty column) for a BatchTerm.
template <class... T, class Net>
[[nodiscard, gnu::cold]] std::vector<std::vector<double>> columns(const Score<T...>& score, const Net& net,
                                                                  const data::Dataset& pool) {
  using B = backend_of<Net>;
  std::vector<std::vector<double>> out(sizeof...(T));
  if constexpr ((Term<T> || ...)) {
    auto stream = data::Loader(pool, {.batch = evaluation_batch}).epoch(0);
    while (auto host = stream.next()) {
      std::vector<std::string> ids;
      for (const Index i : host->positions) ids.push_back(pool[i].id);
      const Batch<B> batch = to_batch<B>(std::move(*host));
      Run<B> run;
      const Tensor<B> p = probabilities(net, batch.images, run);
      const View<Net> view{net, batch.images, batch.masks, batch.has_mask, ids, p};
      std::size_t at = 0;
      const auto one = [&]<class One>(const One& term) {
        std::vector<double>& column = out[at++];
        if constexpr (Term<One>) {
          const std::vector<double> values = term(view);
          require<ShapeError>(values.size() == ids.size(), term.name, ": ", values.size(), " scores for ", ids.size(),
                              " pictures");
          for (std::size_t i = 0; i < values.size(); ++i)
            require(!std::isinf(values[i]), term.name, ": the score of picture ", ids[i], " is ", values[i]);
          append(column, values);
        }
      };
      std::apply([&](const auto&... term) { (one(term), ...); }, score.terms);
    }
  }
  return out;
}

}  // namespace detail

/// Scores all pictures of a pool, one by one. Throws Error for a score that is not finite, and OptionError as check().
template <AnyScore S, class Net>
requires(!JointScore<S>) [[nodiscard, gnu::cold]] Scores
    scores(const S& asked, const Net& net, const data::Dataset& pool) {
  const auto score = as_score(asked);
  check(score);
  std::vector<std::vector<double>> columns = detail::columns(score, net, pool);
  const std::vector<std::string> names = detail::names(score);
  Scores out;
  for (std::size_t k = 0; k < names.size(); ++k) {
    out.terms.emplace_back(names[k], columns[k]);
    detail::fill_unknown(columns[k]);
  }
  out.total = detail::totals(score.sum, columns);
  return out;
}

namespace detail {
/// What decides between equal scores, the smaller first.
[[nodiscard, gnu::cold]] inline std::vector<double> lots(std::size_t count) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(limn::Random(Seed{}, "tie", i).uniform());
  return out;
}
}  // namespace detail

/// The positions of the `count` highest scores of all, the highest first. Ties: by lot, the same for the same
/// positions. In the order of the pool they would ask for one class after the other, where the files are sorted so.
[[nodiscard, gnu::cold]] inline std::vector<Index> highest(const std::vector<double>& scores, Index count) {
  require<OptionError>(count >= 0 && count <= static_cast<Index>(scores.size()), "acquire: ", count, " of ",
                       scores.size(), " pictures");
  const std::vector<double> lots = detail::lots(scores.size());
  std::vector<std::size_t> order(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  stable_order(order, [&](std::size_t a, std::size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : lots[a] < lots[b];
  });
  std::vector<Index> out;
  for (Index i = 0; i < count; ++i) out.push_back(static_cast<Index>(order[static_cast<std::size_t>(i)]));
  return out;
}

}  // namespace limn::acquire
