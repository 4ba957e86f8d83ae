// Faithfulness: what a network says when the parts of a picture that a map ranks highest, or lowest, are taken away.
// Here is the arithmetic: which parts, which perturbed pictures, and what their answers come to. Networks are asked in
// evaluate/faithfulness.hpp.
//
// "Taken away": something else stands there (core/fill.hpp). Most important first is MIF, least important first
// LIF. Parts are ranked by the mean of the map over them; among equals the first in reading order is the more important
// one. A map that is the same everywhere ranks nothing: all is undefined (NaN) on it.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/append.hpp"
#include "limn/core/fill.hpp"
#include "limn/core/order.hpp"
#include "limn/metrics/faithfulness_pictures.hpp"
#include "limn/metrics/localisation.hpp"

namespace limn::metrics {

/// The parts of a picture that are taken away as one.
struct Units {
  std::vector<Index> of;  ///< the number of the unit of every pixel, in reading order
  Index count = 0;
};

/// Squares of `side` pixels, in reading order, cut off at the right and lower edge; side 1: the pixels.
[[nodiscard, gnu::cold]] inline Units patches(Index h, Index w, Index side = 1) {
  require<OptionError>(side >= 1, "faithfulness: patches of ", side, " pixels, expected 1 or more");
  const Index across = (w + side - 1) / side;
  Units out{.of = {}, .count = across * ((h + side - 1) / side)};
  for (Index y = 0; y < h; ++y)
    for (Index x = 0; x < w; ++x) out.of.push_back(y / side * across + x / side);
  return out;
}

/// For every pixel the rank of its unit, 0 being the most important. ShapeError unless the map has the pixels of the
/// units; Error where it holds NaN or an infinite value.
[[nodiscard, gnu::cold]] inline std::vector<Index> ranks_of(const Map& map, const Units& units) {
  require<ShapeError>(map.size() == units.of.size(), "faithfulness: a map of ", map.size(), " pixels, but units of ",
                      units.of.size());
  const auto count = static_cast<std::size_t>(units.count);
  std::vector<double> value(count, 0), size(count, 0);
  for (std::size_t i = 0; i < map.size(); ++i) {
    require(std::isfinite(map.data()[i]), "faithfulness: the map holds ", map.data()[i], " at pixel ", i);
    const auto unit = static_cast<std::size_t>(units.of[i]);
    value[unit] += map.data()[i];
    size[unit] += 1;
  }
  std::vector<std::size_t> order(count);
  for (std::size_t u = 0; u < count; ++u) {
    order[u] = u;
    value[u] /= size[u];
  }
  stable_order(order, [&](std::size_t a, std::size_t b) { return value[a] > value[b]; });
  std::vector<Index> rank(count), out;
  for (std::size_t place = 0; place < count; ++place) rank[order[place]] = static_cast<Index>(place);
  for (const Index unit : units.of) out.push_back(rank[static_cast<std::size_t>(unit)]);
  return out;
}

/// The area under a curve by trapezoids; `x` rising. NaN for fewer than two points. ShapeError for unequal lengths,
/// Error where x does not rise.
[[nodiscard, gnu::cold]] inline double area(std::span<const double> x, std::span<const double> y) {
  require<ShapeError>(x.size() == y.size(), "area: ", x.size(), " positions, but ", y.size(), " values");
  double sum = 0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    require(x[i] > x[i - 1], "area: position ", i, " is ", x[i], " after ", x[i - 1], ", expected to rise");
    sum += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
  }
  return x.size() < 2 ? undefined_value : sum;
}

/// The same where steps are equal: (sum - half of both ends) / (n - 1) (RISE).
[[nodiscard, gnu::cold]] inline double area(std::span<const double> y) {
  if (y.size() < 2) return undefined_value;
  double sum = -(y.front() + y.back()) / 2;
  for (const double v : y) sum += v;
  return sum / static_cast<double>(y.size() - 1);
}

/// Counts of units from 1 to all, evenly on a logarithmic scale, whole parts, each once.
[[nodiscard, gnu::cold]] inline std::vector<Index> log_spaced(Index units, Index points) {
  std::vector<Index> out;
  for (Index i = 0; i < points; ++i) {
    const double share = points > 1 ? static_cast<double>(i) / static_cast<double>(points - 1) : 0;
    const auto count = static_cast<Index>(std::pow(static_cast<double>(units), share) * (1 + 1e-12));
    if (out.empty() || count > out.back()) out.push_back(count);
  }
  return out;
}

using limn::Fill, limn::FillWith;

/// Which class of a picture is explained and watched.
enum class Explains { predicted, label };

struct FaithfulnessOptions {
  Explains explains = Explains::predicted;
  Index only = -1;  ///< pictures of which this class is explained; -1: all
  Index top = 1;    ///< an answer agrees if the explained class is among so many most probable ones
  std::vector<double> keep = {.1, .3, .5, .7, .9};  ///< agreement when these highest shares stay; empty: not measured
  Index points = 15;                   ///< SRG: log-spaced counts of units, beside none and all; 0: not measured
  std::vector<double> retention = {};  ///< SRG over these shares that stay, and 1, instead
  std::vector<double> shares = {.01, .05, .1, .2, .5};  ///< of sufficiency and comprehensiveness; empty: neither
  Index degradation = 0;                                ///< DS: steps in which all is taken away; 0: not measured
  Index step = 0;          ///< insertion and deletion: units a step (RISE: 224); 0: neither, for they take many passes
  Index patch = 1;         ///< units are squares of so many pixels a side; 1: pixels
  Index superpixels = 0;   ///< units are about so many SLIC superpixels instead; 0: they are not
  double compactness = 1;  ///< of superpixels: above 0; higher ones follow the colours less
  Fill fill = {};
  Fill insert_from = {.with = FillWith::blur};  ///< where insertion begins
  Index batch = 32;  ///< perturbed pictures a pass, of all pictures together: the memory that may be used
};

namespace preset {

/// Insertion and deletion as RISE's code measures them (Petsiuk et al. 2018), for pictures of 224 x 224 pixels whose
/// mean is 0; nothing else.
[[nodiscard, gnu::cold]] inline FaithfulnessOptions rise() {
  return {.keep = {},
          .points = 0,
          .shares = {},
          .step = 224,
          .insert_from = {.with = FillWith::blur, .zeros_outside = true}};
}

/// SRG as on the X-rays of Distinguishing Clues (D.2.3): over these shares of the picture that stay, so at most one
/// half of it is taken away and SRG is below 0.5.
[[nodiscard, gnu::cold]] inline FaithfulnessOptions lap_xray() {
  return {.retention = {.5, .6, .7, .8, .9, .925, .95, .975, .99}};
}

/// The degradation score of fusion networks (Abbaspour Onari et al. 2025, section 4.4.1): ten steps of blurring.
[[nodiscard, gnu::cold]] inline FaithfulnessOptions degradation() {
  return {.explains = Explains::label,
          .keep = {},
          .points = 0,
          .shares = {},
          .degradation = 10,
          .fill = {.with = FillWith::blur}};
}

/// SRG in the set-up of Bluecher et al. 2024, whose score is "SRG of probability": 25 superpixels, the label's class.
[[nodiscard, gnu::cold]] inline FaithfulnessOptions pixel_flipping() {
  return {.explains = Explains::label, .keep = {}, .shares = {}, .superpixels = 25};
}

/// Sufficiency and comprehensiveness alone, as in the tables of ALIGN (Hong et al.): over the top 1, 5, 10, 20 and 50%
/// of the map, what is taken away is 0.
[[nodiscard, gnu::cold]] inline FaithfulnessOptions align() { return {.keep = {}, .points = 0}; }

}  // namespace preset

/// A picture of which so many units are taken away.
struct Perturbed {
  bool most_first = true;
  Index count = 0;
  bool insertion = false;  ///< filled as insertion begins

  [[nodiscard]] bool takes(Index rank, Index units) const { return most_first ? rank < count : rank >= units - count; }
};

/// What the network says of a perturbed picture.
struct Answer {
  double agrees = 0;       ///< 1 or 0
  double probability = 0;  ///< of the explained class
};

/// The perturbed pictures that a picture of so many units is scored by, each once, and what their answers come to.
class FaithfulnessPlan {
 public:
  /// Throws OptionError for what cannot be done.
  [[gnu::cold]] FaithfulnessPlan(const FaithfulnessOptions& options, Index units) : units_(units) {
    check(options);
    (void)variant(true, 0);
    for (const double share : options.keep) {
      keep_.push_back(variant(false, units - kept(share)));
      measures_.push_back(text("keep ", 100 * share, "%"));
    }
    for (const Index count : flips(options)) {
      mif_.push_back(variant(true, count));
      lif_.push_back(variant(false, count));
    }
    if (!mif_.empty()) {
      require<OptionError>(mif_.size() > 1, "faithfulness: nothing of ", units, " units is taken away for SRG");
      append(measures_, {"SRG", "LIF area", "MIF area", "SRG of probability"});
    }
    for (const double share : options.shares) {
      sufficient_.push_back(variant(false, units - kept(share)));
      comprehensive_.push_back(variant(true, kept(share)));
    }
    if (!sufficient_.empty()) append(measures_, {"sufficiency", "comprehensiveness"});
    for (Index i = 1; i <= options.degradation; ++i) {
      const Index count = (units * i + options.degradation / 2) / options.degradation;
      morf_.push_back(variant(true, count));
      lerf_.push_back(variant(false, count));
    }
    if (!morf_.empty()) measures_.push_back("DS");
    for (Index count = 0; options.step > 0; count += options.step) {
      const Index moved = std::min(count, units);
      inserted_.push_back(variant(false, units - moved, true));
      deleted_.push_back(variant(true, moved));
      if (moved == units) break;
    }
    if (!inserted_.empty()) append(measures_, {"insertion", "deletion"});
  }

  [[nodiscard]] Index units() const { return units_; }
  /// The first is the picture as it is.
  [[nodiscard]] const std::vector<Perturbed>& variants() const { return variants_; }
  [[nodiscard]] const std::vector<std::string>& measures() const { return measures_; }

  /// Puts the values, in the order of measures(), and the curves into the picture. `ranks`: see ranks_of(); `answers`:
  /// one for each of variants().
  [[gnu::cold]] void measure(const std::vector<Index>& ranks, const std::vector<Answer>& answers,
                             PictureFaithfulness& out) const {
    require<ShapeError>(answers.size() == variants_.size(), "faithfulness: ", answers.size(), " answers to ",
                        variants_.size(), " pictures");
    const auto agrees = [&](std::size_t v) { return answers[v].agrees; };
    const auto probability = [&](std::size_t v) { return answers[v].probability; };
    for (const std::size_t v : keep_) out.values.push_back(agrees(v));
    if (!mif_.empty()) {
      for (const std::size_t v : mif_) out.taken.mif.push_back(share_taken(variants_[v], ranks));
      for (const std::size_t v : lif_) out.taken.lif.push_back(share_taken(variants_[v], ranks));
      out.agrees = {read(lif_, agrees), read(mif_, agrees)};
      out.probability = {read(lif_, probability), read(mif_, probability)};
      const double lif = area(out.taken.lif, out.agrees.lif), mif = area(out.taken.mif, out.agrees.mif);
      append(out.values, {lif - mif, lif, mif,
                          area(out.taken.lif, out.probability.lif) - area(out.taken.mif, out.probability.mif)});
    }
    const double p = probability(0);
    if (!sufficient_.empty())
      append(out.values, {p - mean(read(sufficient_, probability)), p - mean(read(comprehensive_, probability))});
    if (!morf_.empty()) {
      out.degradation = {read(lerf_, probability), read(morf_, probability)};
      out.values.push_back(mean(out.degradation.lif) - mean(out.degradation.mif));  // Eq. 12
      for (std::vector<double>* curve : {&out.degradation.lif, &out.degradation.mif}) curve->insert(curve->begin(), p);
    }
    if (!inserted_.empty()) append(out.values, {area(read(inserted_, probability)), area(read(deleted_, probability))});
  }
  /// For a picture of which nothing can be said.
  [[gnu::cold]] void leave(const char* reason, PictureFaithfulness& out) const {
    out.reason = reason;
    out.values.assign(measures_.size(), undefined_value);
  }

 private:
  [[gnu::cold]] static void check(const FaithfulnessOptions& o) {
    const auto shares = [](const char* name, const std::vector<double>& values, bool all) {
      for (const double v : values)
        require<OptionError>(v > 0 && (v < 1 || (all && v == 1)), "faithfulness: ", name, " holds ", v,
                             ", expected shares above 0 and ", all ? "at most 1" : "below 1");
    };
    shares("keep", o.keep, true);
    shares("retention", o.retention, false);
    shares("shares", o.shares, true);
    require<OptionError>(o.superpixels == 0 || (o.retention.empty() && o.patch == 1),
                         "faithfulness: superpixels go with neither retention nor patch");
    require<OptionError>(o.points >= 0 && o.degradation >= 0 && o.step >= 0 && o.top >= 1 && o.batch >= 1,
                         "faithfulness: points ", o.points, ", degradation ", o.degradation, ", step ", o.step,
                         ", top ", o.top, ", batch ", o.batch, ": expected none below 0, the last two not 0");
  }

  /// ceil(share * units). The small number forgives that .1 * 10 may be above 1.
  [[nodiscard]] Index kept(double share) const {
    return static_cast<Index>(std::ceil(share * static_cast<double>(units_) * (1 - 1e-12)));
  }

  /// How many units are taken away at each point of the curves, rising from 0.
  [[nodiscard, gnu::cold]] std::vector<Index> flips(const FaithfulnessOptions& options) const {
    std::vector<Index> out;
    if (options.retention.empty() && options.points == 0) return out;
    std::vector<double> stays = options.retention;
    std::sort(stays.begin(), stays.end());
    out.push_back(0);
    for (std::size_t i = stays.size(); i-- > 0;)
      if (units_ - kept(stays[i]) > out.back()) out.push_back(units_ - kept(stays[i]));
    if (!stays.empty()) return out;
    append(out, log_spaced(units_, options.points));
    if (out.back() < units_) out.push_back(units_);
    return out;
  }

  [[nodiscard, gnu::cold]] std::size_t variant(bool most_first, Index count, bool insertion = false) {
    if (count == 0) return first_of({});
    return first_of({.most_first = most_first || count == units_, .count = count, .insertion = insertion});
  }
  [[nodiscard, gnu::cold]] std::size_t first_of(const Perturbed& asked) {
    std::size_t v = 0;
    while (v < variants_.size() && (variants_[v].most_first != asked.most_first || variants_[v].count != asked.count ||
                                    variants_[v].insertion != asked.insertion))
      ++v;
    if (v == variants_.size()) variants_.push_back(asked);
    return v;
  }

  [[nodiscard]] double share_taken(const Perturbed& variant, const std::vector<Index>& ranks) const {
    const auto taken =
        std::count_if(ranks.begin(), ranks.end(), [&](Index rank) { return variant.takes(rank, units_); });
    return static_cast<double>(taken) / static_cast<double>(ranks.size());
  }
  template <class Value>
  [[nodiscard]] static std::vector<double> read(const std::vector<std::size_t>& variants, const Value& value) {
    std::vector<double> out;
    for (const std::size_t v : variants) out.push_back(value(v));
    return out;
  }
  [[nodiscard]] static double mean(const std::vector<double>& values) {
    Running sum;
    for (const double v : values) sum.add(v);
    return sum.mean();
  }

  Index units_;
  std::vector<Perturbed> variants_;
  std::vector<std::string> measures_;
  std::vector<std::size_t> keep_, mif_, lif_, sufficient_, comprehensive_, morf_, lerf_, inserted_, deleted_;
};

}  // namespace limn::metrics
