// The losses that train LAPs without annotations (Distinguishing Clues, section 2.3 and appendix C).
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "limn/core/share.hpp"
#include "limn/loss/loss.hpp"

namespace limn {

/// Which map ranks the elements for MinAR and MaxAR. IAR always ranks by the LAP's own map.
enum class Reference {
  sum_of_all,  ///< the clue-wise sum of the maps of all LAPs, resized to the map at hand (section 3.1; the default)
  own          ///< the LAP's own map (Eq. 5 as printed)
};

struct LapSupervisionOptions {
  float min_active =
      0.1f;  ///< gamma MinAR: this share of the elements shall be active where the clue is present; 0: off
  float max_active = 0.5f;  ///< gamma MaxAR: no more than this share; 1 leaves the term out
  float inactive = 0.1f;    ///< gamma IAR: this share, the most active, is silenced where the clue is absent; 0: off
  Reference reference = Reference::sum_of_all;
  /// For this share of the training only the discriminative scorers learn, so that they have something to say about the
  /// first choice of elements: a choice made before settles on a wrong place in many runs (docs/lap.md). The paper has
  /// no such phase: 0. A run that goes on with more epochs is less far in its training, and may come here again.
  float warm_up = 0;
};

namespace detail {

/// Adds `weight` at the k of `count` elements with the largest (or smallest) rank, ties by position. Ranks are `stride`
/// apart, weights `step`.
template <class T>
void mark(const T* rank, Index stride, T* weights, Index count, Index step, Index k, bool largest, T weight) {
  if (k == 0) return;
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  if (k < count)
    std::nth_element(order.begin(), order.begin() + k, order.end(), [&](Index a, Index b) {
      const T x = rank[a * stride], y = rank[b * stride];
      return x == y ? a < b : (largest ? x > y : x < y);
    });
  for (Index i = 0; i < k; ++i) weights[order[static_cast<std::size_t>(i)] * step] += weight;
}

/// sum of active * -ln(importance) + silent * -ln(1 - importance), from logits.
template <Backend B>
Var<B> chosen_cross_entropy(const Var<B>& logits, const Tensor<B>& active, const Tensor<B>& silent) {
  return sum(softplus(-logits) * Var<B>(active) + softplus(logits) * Var<B>(silent));
}

/// A map of the pass, read where the elements of a map of shape `other` lie.
template <Backend B>
Var<B> laid_on(const Run<B>& run, const Var<B>& map, const Shape& other) {
  if (map.rank() == 5) return resize3d(map, other[1], other[2], other[3], run.grid(map.shape()), run.grid(other));
  return resize(map, other[1], other[2], run.grid(map.dim(1), map.dim(2)), run.grid(other[1], other[2]));
}

/// How many samples of the batch lie on each side of a clue.
inline std::pair<Index, Index> sides(const ClueTable& clues, Index clue, const std::vector<Index>& labels) {
  Index present = 0, absent = 0;
  for (Index label : labels) {
    present += clues.side(clue, label) > 0;
    absent += clues.side(clue, label) < 0;
  }
  return {present, absent};
}

/// What an expert marked, on the elements of one LAP.
template <Backend B>
struct Marked {
  Tensor<B> inside;          ///< (n, ..., 1): 1 on marked elements, else 0
  std::vector<Index> count;  ///< per sample: how many are marked; 0: the sample has no mask
};
/// Nothing is marked.
struct Unmarked {
  template <Backend B>
  const Unmarked& operator()(const Step<B>&, const Shape&) const {
    return *this;
  }
};

/// How many elements count where a clue is present (MinAR, MaxAR) and where it is absent (IAR).
struct Counts {
  Index min_ar, max_ar, iar;
};

/// K_IAR where elements were marked: the mean count of the marked samples that have the clue, rounded up (Eq. 8).
[[gnu::cold]] inline Index mean_count(const std::vector<Index>& counts, const ClueTable& clues, Index clue,
                                      const std::vector<Index>& labels, Index otherwise) {
  Index sum = 0, samples = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (counts[i] == 0 || clues.side(clue, labels[i]) <= 0) continue;
    sum += counts[i];
    ++samples;
  }
  return samples > 0 ? (sum + samples - 1) / samples : otherwise;
}

/// Weights of Eq. 4 and 5, or 8 where elements are marked, for one LAP: which elements are pushed up (active) and down
/// (silent), and how much. `chosen` ranks for MinAR and MaxAR, `own` for IAR; all (n, ..., clues).
template <Backend B, class M = Unmarked>
std::pair<Tensor<B>, Tensor<B>> supervision_weights(const Tensor<B>& chosen, const Tensor<B>& own,
                                                    const ClueTable& clues, const std::vector<Index>& labels,
                                                    const LapSupervisionOptions& options,
                                                    [[maybe_unused]] const M& marked = {}) {
  using T = typename B::scalar;
  const Index n = chosen.dim(0), m = chosen.dim(-1), count = chosen.shape().product(1, chosen.rank() - 1);
  const Counts weak{elements(options.min_active, count), elements(1 - options.max_active, count),
                    elements(options.inactive, count)};
  Tensor<B> active(chosen.shape(), T(0)), silent(chosen.shape(), T(0));
  for (Index clue = 0; clue < m; ++clue) {
    const auto [present, absent] = sides(clues, clue, labels);
    Counts counts = weak;
    if constexpr (!std::is_same_v<M, Unmarked>)
      if (weak.iar > 0) counts.iar = mean_count(marked.count, clues, clue, labels, weak.iar);
    for (Index i = 0; i < n; ++i) {
      const int side = clues.side(clue, labels[static_cast<std::size_t>(i)]);
      const Index at = i * count * m + clue;
      const auto share = [](Index of, Index samples, T factor) {
        return of > 0 ? factor / static_cast<T>(of * samples) : T(0);
      };
      if (side > 0) {
        const T* rank = chosen.data() + at;
        Index stride = m;
        if constexpr (!std::is_same_v<M, Unmarked>) {
          const Index inside = marked.count[static_cast<std::size_t>(i)];
          counts = {inside > 0 && weak.min_ar > 0 ? inside : weak.min_ar,
                    inside > 0 && weak.max_ar > 0 ? count - inside : weak.max_ar, counts.iar};
          if (inside > 0) rank = marked.inside.data() + i * count;  // the highest so many are the marked ones
          if (inside > 0) stride = 1;
        }
        mark(rank, stride, active.data() + at, count, m, counts.min_ar, true, share(counts.min_ar, present, T(2)));
        mark(rank, stride, silent.data() + at, count, m, counts.max_ar, false, share(counts.max_ar, present, T(1)));
      } else if (side < 0) {
        mark(own.data() + at, m, silent.data() + at, count, m, counts.iar, true, share(counts.iar, absent, T(1)));
      }
    }
  }
  return {active, silent};
}

/// The sum of the maps of all LAPs (or the own one) at the size of map l, by which MinAR and MaxAR rank.
template <Backend B>
[[nodiscard]] Tensor<B> reference_map(const Run<B>& run, const std::vector<Tensor<B>>& maps, std::size_t l,
                                      Reference reference) {
  if (reference == Reference::own) return maps[l];
  const NoRecord no_record;
  Var<B> sum = maps[l];
  for (std::size_t other = 0; other < maps.size(); ++other)
    if (other != l) sum = sum + laid_on(run, Var<B>(maps[other]), maps[l].shape());
  return sum.value();
}

/// The supervision of all LAPs, for the weak and the expert form. marked(step, shape of a map): Marked or Unmarked.
template <Backend B, class M = Unmarked>
Var<B> supervise_laps(const char* name, const Step<B>& step, const LapSupervisionOptions& options,
                      const M& marked = {}) {
  const auto in_range = [](float v) { return v >= 0 && v <= 1; };
  require<OptionError>(in_range(options.min_active) && in_range(options.max_active) && in_range(options.inactive) &&
                           in_range(options.warm_up),
                       name, ": shares must be 0 to 1, got min_active ", options.min_active, ", max_active ",
                       options.max_active, ", inactive ", options.inactive, ", warm_up ", options.warm_up);
  require(!step.run.laps.empty(), name, ": the network has no LAP (use pool::Lap)");
  std::vector<Tensor<B>> maps;  // per LAP the sum of both scorers' importance, by which elements are ranked
  {
    const NoRecord no_record;
    for (const auto& lap : step.run.laps) {
      require<ShapeError>(lap.logits.dim(0) == static_cast<Index>(step.batch.labels.size()), name, ": ",
                          step.batch.labels.size(), " labels for maps ", lap.logits.shape());
      for (Index label : step.batch.labels)
        require(label >= 0 && label < lap.clues.classes, name, ": label ", label, ", but the clues are for ",
                lap.clues.classes, " classes");
      const Var<B> own = sigmoid(lap.logits);
      maps.push_back((lap.discriminative.empty() ? own : own + sigmoid(lap.discriminative)).value());
    }
  }
  Var<B> total = Tensor<B>(Shape{1}, typename B::scalar(0));
  for (std::size_t l = 0; l < maps.size(); ++l) {
    const auto& lap = step.run.laps[l];
    const auto add = [&](const Var<B>& logits, const auto& weights) {
      total = total + chosen_cross_entropy(logits, weights.first, weights.second);
    };
    if (step.progress >= options.warm_up)
      add(lap.logits, supervision_weights(reference_map(step.run, maps, l, options.reference), maps[l], lap.clues,
                                          step.batch.labels, options, marked(step, maps[l].shape())));
    if (!lap.discriminative.empty())
      add(lap.discriminative, supervision_weights(maps[l], maps[l], lap.clues, step.batch.labels,
                                                  {.min_active = 1, .max_active = 1, .inactive = 1}));
  }
  return total;
}

}  // namespace detail

/// Weak supervision of all LAPs (Eq. 4 and 5, Algorithm 2), summed over LAPs and clues: at least min_active of the
/// elements are pushed up where a clue is present (MinAR, factor 2), the lowest 1 - max_active are pushed down (MaxAR),
/// and the highest `inactive` are pushed down where it is absent (IAR), each divided by the number of such samples.
/// The discriminative scorers learn by MinAR and IAR over all elements and help to rank (appendix C.5).
struct LapSupervision {
  static constexpr const char* name = "lap_supervision";
  LapSupervisionOptions options = {};

  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return detail::supervise_laps(name, step, options);
  }
};

/// Consecutive LAPs shall agree (Eq. 9): the symmetric Kullback-Leibler divergence of their importance, element by
/// element, the deeper map resized to the shallower; mean over samples and elements, halved, summed over clues and
/// pairs. Both its parts are (p - r)(logit p - logit r); the deeper LAP is resized as logits, so no logarithm can
/// overflow.
struct LapConcordance {
  static constexpr const char* name = "lap_concordance";

  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    using T = typename B::scalar;
    require(!step.run.laps.empty(), "lap_concordance: the network has no LAP (use pool::Lap)");
    Var<B> total = Tensor<B>(Shape{1}, T(0));
    for (std::size_t l = 0; l + 1 < step.run.laps.size(); ++l) {
      const Var<B>& shallow = step.run.laps[l].logits;
      const Var<B> deep = detail::laid_on(step.run, step.run.laps[l + 1].logits, shallow.shape());
      const Var<B> divergence = (sigmoid(shallow) - sigmoid(deep)) * (shallow - deep);
      const Index samples_and_elements = shallow.size() / shallow.dim(-1);
      total = total + sum(divergence) * (T(0.5) / static_cast<T>(samples_and_elements));
    }
    return total;
  }
};

}  // namespace limn
