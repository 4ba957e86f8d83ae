// SHAP values (Lundberg and Lee 2017): what the parts of a picture add to the network's answer, averaged over the
// orders in which parts are uncovered. Partition SHAP uncovers halves of halves (Owen values); gradient SHAP averages
// gradients.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "limn/core/fill.hpp"
#include "limn/explain/gradients/averaged_gradients.hpp"

namespace limn::explain {

/// What SHAP shares out.
enum class Output { probability, logit };

namespace detail {

/// A rectangle of pixels and its two halves.
struct Region {
  Index top, bottom, left, right;
  int first = -1, second = -1;  ///< -1: a pixel

  [[nodiscard]] Index size() const { return (bottom - top) * (right - left); }
};

/// The picture, halved along its longer side until pixels are left; a square into an upper and a lower half, an odd
/// side with the larger half first. The first is the picture; halves come after what they are halves of.
[[nodiscard, gnu::cold]] inline std::vector<Region> halves(Index h, Index w) {
  std::vector<Region> out{{0, h, 0, w}};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Region region = out[i];
    if (region.size() == 1) continue;
    Region first = region, second = region;
    if (region.bottom - region.top >= region.right - region.left) {
      first.bottom = second.top = region.top + (region.bottom - region.top + 1) / 2;
    } else {
      first.right = second.left = region.left + (region.right - region.left + 1) / 2;
    }
    out[i].first = static_cast<int>(out.size());
    out[i].second = out[i].first + 1;
    out.push_back(first);
    out.push_back(second);
  }
  return out;
}

}  // namespace detail

/// Partition SHAP: Owen values of the tree of halves. A region's value, the difference that uncovering it makes, is
/// shared between its halves: each gets the mean of what it makes as the first and as the second one. Regions whose
/// value is largest are halved first; those that the budget does not reach share their value equally among their
/// pixels. Values add up to the answer to the picture less the answer to the covered one.
struct Shap {
  static constexpr const char* name = "SHAP";
  static constexpr bool probability = false;

  Index evaluations = 500;  ///< partly covered pictures for each picture; two for each halving
  Fill cover = {.with = FillWith::blur};
  Output of = Output::probability;
  Index batch = 32;  ///< partly covered pictures a pass: the memory that may be used; the values depend on it a little

  /// The map has the picture's size. Throws OptionError for fewer than 2 evaluations or a batch below 2.
  template <class Net, Backend B>
  [[nodiscard, gnu::cold]] std::vector<Explanation> operator()(const Net& net, const Tensor<B>& images,
                                                               std::span<const Index> classes) const {
    const NoRecord no_record;
    return explain<B>(
        [&](const Tensor<B>& some) {
          Run<B> run;
          const Var<B> logits = run(net, Var<B>(some));
          return (of == Output::logit ? logits : softmax(logits)).value();
        },
        images, classes);
  }

 private:
  using Visible = std::vector<std::uint8_t>;  // of every pixel

  /// A region that may be halved: the answers without and with it, beside what else is visible.
  struct Open {
    double without, with, share;
    std::size_t region, turn;
    Visible visible;  // without it

    [[nodiscard]] double value() const { return (with - without) * share; }
    /// The smaller one comes later out of a priority queue; of equal ones the one that was put in first.
    friend bool operator<(const Open& a, const Open& b) {
      const double x = std::abs(a.value()), y = std::abs(b.value());
      return x != y ? x < y : a.turn > b.turn;
    }
  };

  template <Backend B>
  [[gnu::cold, gnu::noinline]] std::vector<Explanation> explain(
      const FunctionRef<Tensor<B>(const Tensor<B>& some)>& answer, const Tensor<B>& images,
      std::span<const Index> classes) const {
    require<OptionError>(evaluations >= 2 && batch >= 2, "SHAP: ", evaluations, " evaluations in batches of ", batch,
                         ", expected at least 2 of both");
    require<ShapeError>(images.rank() == 4 && images.dim(0) == static_cast<Index>(classes.size()), "SHAP: images ",
                        images.shape(), ", but ", classes.size(), " classes");
    const auto regions = detail::halves(images.dim(1), images.dim(2));
    std::vector<Explanation> out;
    for (Index i = 0; i < images.dim(0); ++i) {
      const Index size = images.size() / images.dim(0);
      const Tensor<B> picture(Shape{1, images.dim(1), images.dim(2), images.dim(3)},
                              std::span(images.data() + i * size, static_cast<std::size_t>(size)));
      out.push_back(of_picture<B>(answer, picture, classes[static_cast<std::size_t>(i)], regions));
    }
    return out;
  }

  template <Backend B>
  Explanation of_picture(const FunctionRef<Tensor<B>(const Tensor<B>& some)>& answer, const Tensor<B>& picture,
                         Index of_class, const std::vector<detail::Region>& regions) const {
    const Index h = picture.dim(1), w = picture.dim(2), pixels = h * w;
    const Tensor<B> cover_picture = cover.with == FillWith::inpaint ? picture : filled(picture, cover);
    const auto ask = [&](const std::vector<Visible>& masks) {
      return answers<B>(answer, picture, cover_picture, masks, of_class);
    };
    const auto ends = ask({Visible(static_cast<std::size_t>(pixels), 0), Visible(static_cast<std::size_t>(pixels), 1)});

    std::vector<double> value(regions.size(), 0);
    std::priority_queue<Open> open;
    std::size_t turns = 0;
    open.push({ends[0], ends[1], 1, 0, turns++, Visible(static_cast<std::size_t>(pixels), 0)});
    for (Index asked = 0; !open.empty() && asked < evaluations;) {
      std::vector<Open> now;
      std::vector<Visible> masks;
      while (!open.empty() && static_cast<Index>(masks.size()) < batch &&
             asked + static_cast<Index>(masks.size()) < evaluations) {
        Open next = open.top();
        open.pop();
        const detail::Region& region = regions[next.region];
        if (region.first < 0) {
          value[next.region] += next.value();
          continue;
        }
        for (const int half : {region.first, region.second}) {
          masks.push_back(next.visible);
          uncover(masks.back(), regions[static_cast<std::size_t>(half)], w);
        }
        now.push_back(std::move(next));
      }
      if (now.empty()) break;
      const auto found = ask(masks);
      asked += static_cast<Index>(masks.size());
      for (std::size_t k = 0; k < now.size(); ++k) {
        const Open& halved = now[k];
        const double first = found[2 * k], second = found[2 * k + 1], share = halved.share / 2;
        const auto one = static_cast<std::size_t>(regions[halved.region].first), other = one + 1;
        open.push({halved.without, first, share, one, turns++, halved.visible});
        open.push({halved.without, second, share, other, turns++, halved.visible});
        open.push({second, halved.with, share, one, turns++, std::move(masks[2 * k + 1])});
        open.push({first, halved.with, share, other, turns++, std::move(masks[2 * k])});
      }
    }
    for (; !open.empty(); open.pop()) value[open.top().region] += open.top().value();

    for (std::size_t r = 0; r < regions.size(); ++r) {  // down to the pixels
      if (regions[r].first < 0) continue;
      for (const int half : {regions[r].first, regions[r].second}) {
        const auto to = static_cast<std::size_t>(half);
        value[to] += value[r] * static_cast<double>(regions[to].size()) / static_cast<double>(regions[r].size());
      }
    }
    Explanation e;
    e.map = Map(std::array<std::size_t, 2>{static_cast<std::size_t>(h), static_cast<std::size_t>(w)});
    double sum = 0;
    for (std::size_t r = 0; r < regions.size(); ++r) {
      if (regions[r].first >= 0) continue;
      e.map(static_cast<std::size_t>(regions[r].top), static_cast<std::size_t>(regions[r].left)) =
          static_cast<float>(value[r]);
      sum += value[r];
    }
    e.residual = sum - (ends[1] - ends[0]);
    return e;
  }

  static void uncover(Visible& visible, const detail::Region& region, Index w) {
    for (Index row = region.top; row < region.bottom; ++row)
      std::fill_n(visible.begin() + row * w + region.left, region.right - region.left, std::uint8_t{1});
  }

  /// The answers to the picture where it is visible, and its cover elsewhere.
  template <Backend B>
  std::vector<double> answers(const FunctionRef<Tensor<B>(const Tensor<B>& some)>& answer, const Tensor<B>& picture,
                              const Tensor<B>& cover_picture, const std::vector<Visible>& masks, Index of_class) const {
    const Index h = picture.dim(1), w = picture.dim(2), c = picture.dim(3), size = picture.size();
    Tensor<B> some(Shape{static_cast<Index>(masks.size()), h, w, c});
    for (std::size_t m = 0; m < masks.size(); ++m) {
      auto* const to = some.data() + static_cast<Index>(m) * size;
      Visible hidden;
      for (const std::uint8_t v : masks[m]) hidden.push_back(v == 0);
      for (Index i = 0; i < size; ++i)
        to[i] = (hidden[static_cast<std::size_t>(i / c)] != 0 ? cover_picture : picture).data()[i];
      if (cover.with == FillWith::inpaint) inpaint(to, hidden, h, w, c);
    }
    const Tensor<B> found = answer(some);
    require(of_class >= 0 && of_class < found.dim(1), "SHAP: class ", of_class, ", expected 0 to ", found.dim(1) - 1);
    std::vector<double> out;
    for (Index m = 0; m < found.dim(0); ++m) out.push_back(static_cast<double>(found(m, of_class)));
    return out;
  }
};

}  // namespace limn::explain
