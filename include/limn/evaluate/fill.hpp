// What stands in place of the parts of a picture that are taken away.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "limn/core/tensor.hpp"
#include "limn/metrics/faithfulness.hpp"

namespace limn {

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

/// The pictures that stand in place of these (n, h, w, c). Of a picture the same in any batch.
template <class T>
[[nodiscard, gnu::cold]] Tensor<CpuOf<T>> filled(const Tensor<CpuOf<T>>& images, const metrics::Fill& fill) {
  const Index n = images.dim(0), h = images.dim(1), w = images.dim(2), c = images.dim(3);
  Tensor<CpuOf<T>> out(images.shape());
  if (fill.with == metrics::FillWith::constant) {
    out.fill(static_cast<T>(fill.value));
  } else if (fill.with == metrics::FillWith::mean) {
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
