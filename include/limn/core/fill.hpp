// What stands in place of the parts of a picture that are taken away.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "limn/core/tensor.hpp"

namespace limn {

/// What stands in place of what is taken away.
enum class FillWith {
  constant,
  mean,
  blur,
  inpaint  ///< what is left of the picture, continued: see inpaint(). It depends on what is taken away
};
struct Fill {
  FillWith with = FillWith::constant;
  float value = 0;             ///< constant: this number; mean: of the picture, each channel its own
  Index kernel = 11;           ///< blur: pixels along a side, odd
  double sigma = 5;            ///< blur: in pixels
  bool zeros_outside = false;  ///< blur: count what lies outside the picture as 0 (RISE's code) or leave it out
};

namespace detail {

/// Weights of a blur along one axis: a Gaussian over all whole numbers within four sigma, what lies outside the kernel
/// folded back in at its ends, as RISE's code gets them by blurring a single one in a field of that size. They add up
/// to 1.
[[gnu::cold]] inline std::vector<double> blur_weights(Index kernel, double sigma) {
  require<OptionError>(kernel >= 1 && kernel % 2 == 1 && sigma > 0, "blur: kernel ", kernel, ", sigma ", sigma,
                       ", expected an odd kernel and sigma above 0");
  const auto reach = static_cast<Index>(4 * sigma + 0.5);
  std::vector<double> out(static_cast<std::size_t>(kernel), 0);
  double sum = 0;
  for (Index i = -reach; i <= reach; ++i) {
    const double weight = std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma));
    const Index period = 2 * kernel;
    const Index at = ((kernel / 2 + i) % period + period) % period;
    out[static_cast<std::size_t>(std::min(at, period - 1 - at))] += weight;
    sum += weight;
  }
  for (double& weight : out) weight /= sum;
  return out;
}

/// Blurs `count` lines of `length` numbers, each `stride` apart; line k starts at start(k).
template <class T, class Start>
void blur_lines(const T* from, T* to, Index count, Index length, Index stride, const std::vector<double>& weights,
                bool zeros_outside, const Start& start) {
  const Index half = static_cast<Index>(weights.size()) / 2;
  for (Index k = 0; k < count; ++k)
    for (Index i = 0; i < length; ++i) {
      double sum = 0, mass = 0;
      for (Index j = std::max(i - half, Index{0}); j <= std::min(i + half, length - 1); ++j) {
        const double weight = weights[static_cast<std::size_t>(j - i + half)];
        sum += weight * static_cast<double>(from[start(k) + j * stride]);
        mass += weight;
      }
      to[start(k) + i * stride] = static_cast<T>(zeros_outside ? sum : sum / mass);
    }
}

}  // namespace detail

/// Continues what is visible of a picture (h, w, c) into what is hidden (h w, not 0), from coarse to fine: each hidden
/// pixel gets what the visible ones around it come to at the finest scale at which there are any (pull and push,
/// Gortler et al. 1996). Where nothing is visible, the mean of the picture, each channel its own.
template <class T>
[[gnu::cold]] void inpaint(T* picture, std::span<const std::uint8_t> hidden, Index h, Index w, Index c) {
  struct Level {
    Index h, w;
    std::vector<double> values, weight;
  };
  const bool nothing = std::all_of(hidden.begin(), hidden.end(), [](std::uint8_t v) { return v != 0; });
  std::vector<Level> levels{{h, w, std::vector<double>(picture, picture + h * w * c), {}}};
  for (const std::uint8_t v : hidden) levels[0].weight.push_back(v == 0 || nothing ? 1 : 0);
  while (levels.back().h > 1 || levels.back().w > 1) {  // means of 2 x 2 visible ones
    const Level& fine = levels.back();
    Level coarse{(fine.h + 1) / 2, (fine.w + 1) / 2, {}, {}};
    coarse.values.resize(static_cast<std::size_t>(coarse.h * coarse.w * c));
    coarse.weight.resize(static_cast<std::size_t>(coarse.h * coarse.w));
    for (Index i = 0; i < fine.h * fine.w; ++i) {
      const Index to = i / fine.w / 2 * coarse.w + i % fine.w / 2;
      const double weight = fine.weight[static_cast<std::size_t>(i)];
      coarse.weight[static_cast<std::size_t>(to)] += weight;
      for (Index k = 0; k < c; ++k)
        coarse.values[static_cast<std::size_t>(to * c + k)] +=
            weight * fine.values[static_cast<std::size_t>(i * c + k)];
    }
    for (std::size_t i = 0; i < coarse.weight.size(); ++i)
      for (Index k = 0; coarse.weight[i] > 0 && k < c; ++k)
        coarse.values[i * static_cast<std::size_t>(c) + static_cast<std::size_t>(k)] /= coarse.weight[i];
    // The mean of a whole picture counts its pixels; otherwise every visible element counts alike.
    for (double& weight : coarse.weight) weight = nothing ? weight : std::min(weight, 1.0);
    levels.push_back(std::move(coarse));
  }
  if (nothing) {
    for (Index i = 0; i < h * w * c; ++i)
      picture[i] = static_cast<T>(levels.back().values[static_cast<std::size_t>(i % c)]);
    return;
  }
  for (std::size_t l = levels.size() - 1; l-- > 0;) {
    Level& fine = levels[l];
    const Level& coarse = levels[l + 1];
    const auto near = [](Index i, Index count) {  // the two coarse elements around a fine one, and the second's share
      const double at = std::clamp((static_cast<double>(i) - .5) / 2, 0.0, static_cast<double>(count - 1));
      const auto low = static_cast<Index>(at);
      return std::tuple{low, std::min(low + 1, count - 1), at - static_cast<double>(low)};
    };
    for (Index i = 0; i < fine.h * fine.w; ++i) {
      if (fine.weight[static_cast<std::size_t>(i)] > 0) continue;
      const auto [top, bottom, down] = near(i / fine.w, coarse.h);
      const auto [left, right, across] = near(i % fine.w, coarse.w);
      for (Index k = 0; k < c; ++k) {
        const auto value = [&](Index row, Index column) {
          return coarse.values[static_cast<std::size_t>((row * coarse.w + column) * c + k)];
        };
        const double above = value(top, left) * (1 - across) + value(top, right) * across;
        const double below = value(bottom, left) * (1 - across) + value(bottom, right) * across;
        fine.values[static_cast<std::size_t>(i * c + k)] = above * (1 - down) + below * down;
      }
    }
  }
  for (Index i = 0; i < h * w * c; ++i)
    if (hidden[static_cast<std::size_t>(i / c)] != 0)
      picture[i] = static_cast<T>(levels[0].values[static_cast<std::size_t>(i)]);
}

/// The pictures that stand in place of these (n, h, w, c). Of a picture the same in any batch. OptionError for inpaint.
template <class T>
[[nodiscard, gnu::cold]] Tensor<CpuOf<T>> filled(const Tensor<CpuOf<T>>& images, const Fill& fill) {
  const Index n = images.dim(0), h = images.dim(1), w = images.dim(2), c = images.dim(3);
  require<OptionError>(fill.with != FillWith::inpaint,
                       "fill: inpainting is not possible here: use a constant, the mean "
                       "or a blur");
  Tensor<CpuOf<T>> out(images.shape());
  if (fill.with == FillWith::constant) {
    out.fill(static_cast<T>(fill.value));
  } else if (fill.with == FillWith::mean) {
    for (Index i = 0; i < n * c; ++i) {
      const Index first = i / c * h * w * c + i % c;
      double sum = 0;
      for (Index p = 0; p < h * w; ++p) sum += static_cast<double>(images.data()[first + p * c]);
      for (Index p = 0; p < h * w; ++p) out.data()[first + p * c] = static_cast<T>(sum / static_cast<double>(h * w));
    }
  } else {
    const std::vector<double> weights = detail::blur_weights(fill.kernel, fill.sigma);
    Tensor<CpuOf<T>> rows(images.shape());
    detail::blur_lines(images.data(), rows.data(), n * h * c, w, c, weights, fill.zeros_outside,
                       [&](Index k) { return k / c * w * c + k % c; });
    detail::blur_lines(rows.data(), out.data(), n * w * c, h, w * c, weights, fill.zeros_outside,
                       [&](Index k) { return k / (w * c) * h * w * c + k % (w * c); });
  }
  return out;
}

}  // namespace limn
