// Superpixels by SLIC (Achanta et al. 2012): parts of a picture that are near each other and look alike, found by
// k-means over position and colour.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/metrics/faithfulness.hpp"

namespace limn::metrics {

namespace detail {

/// Joins the pixels of equal labels that hang together by sides to units, numbered in reading order. Parts below
/// `least` pixels go to a unit beside them; none has more than `most`.
[[nodiscard, gnu::cold]] inline Units connected_units(const std::vector<Index>& label, Index h, Index w, Index least,
                                                      Index most) {
  Units out{.of = std::vector<Index>(label.size(), -1), .count = 0};
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  std::vector<Index> part;
  for (Index start = 0; start < h * w; ++start) {
    if (out.of[at(start)] >= 0) continue;
    out.of[at(start)] = out.count;
    part = {start};
    Index beside = -1;
    for (std::size_t next = 0; next < part.size() && static_cast<Index>(part.size()) < most; ++next) {
      const Index y = part[next] / w, x = part[next] % w;
      for (const auto& [v, u] : {std::pair{y, x + 1}, std::pair{y, x - 1}, std::pair{y + 1, x}, std::pair{y - 1, x}}) {
        if (v < 0 || v >= h || u < 0 || u >= w) continue;
        Index& unit = out.of[at(v * w + u)];
        if (unit < 0 && label[at(v * w + u)] == label[at(start)]) {
          unit = out.count;
          part.push_back(v * w + u);
          if (static_cast<Index>(part.size()) >= most) break;
        } else if (unit >= 0 && unit != out.count) {
          beside = unit;
        }
      }
    }
    if (static_cast<Index>(part.size()) < least && beside >= 0)
      for (const Index i : part) out.of[at(i)] = beside;
    else
      ++out.count;
  }
  return out;
}

}  // namespace detail

/// About `count` superpixels of a picture (h, w, c), as skimage.segmentation.slic(convert2lab=False) finds them: values
/// are scaled to 0 .. 1, centres start on a grid, ten rounds of k-means with the distance (space / step)^2 + (colour /
/// compactness)^2, then parts that do not hang together are cut, and those below half the mean size joined to another.
[[nodiscard, gnu::cold]] inline Units superpixels(const xt::xtensor<float, 3>& image, Index count = 25,
                                                  double compactness = 1) {
  const auto h = static_cast<Index>(image.shape()[0]), w = static_cast<Index>(image.shape()[1]);
  const std::size_t c = image.shape()[2], features = c + 2;
  require<OptionError>(count >= 1 && count <= h * w && compactness > 0, "superpixels: ", count, " of ", h * w,
                       " pixels, compactness ", compactness, ": expected 1 to all, and above 0");
  const double spacing = std::sqrt(static_cast<double>(h * w) / static_cast<double>(count));
  const double low = *std::min_element(image.begin(), image.end());
  const double range = *std::max_element(image.begin(), image.end()) - low;
  const auto step = std::max<Index>(1, std::lrint(spacing)), first = static_cast<Index>(spacing / 2);

  std::vector<double> point(static_cast<std::size_t>(h * w) * features);  // y, x in steps, colours
  for (Index i = 0; i < h * w; ++i) {
    double* const p = point.data() + static_cast<std::size_t>(i) * features;
    const Index y = i / w, x = i % w;
    p[0] = static_cast<double>(y) / static_cast<double>(step);
    p[1] = static_cast<double>(x) / static_cast<double>(step);
    for (std::size_t k = 0; k < c; ++k)
      p[2 + k] = range > 0 ? (image.data()[static_cast<std::size_t>(i) * c + k] - low) / range / compactness : 0;
  }
  std::vector<double> centre;
  for (Index y = first; y < h; y += step)
    for (Index x = first; x < w; x += step) {
      centre.insert(centre.end(), features, 0.0);
      centre[centre.size() - features] = static_cast<double>(y) / static_cast<double>(step);
      centre[centre.size() - features + 1] = static_cast<double>(x) / static_cast<double>(step);
    }
  const std::size_t centres = centre.size() / features;

  std::vector<Index> label(static_cast<std::size_t>(h * w), 0);
  std::vector<double> nearest(label.size()), size(centres);
  for (int round = 0; round < 10; ++round) {
    nearest.assign(nearest.size(), std::numeric_limits<double>::infinity());
    for (std::size_t k = 0; k < centres; ++k) {
      const double* const q = centre.data() + k * features;
      const auto from = [&](double at) {
        return std::max<Index>(0, static_cast<Index>((at - 2) * static_cast<double>(step)));
      };
      const auto to = [&](double at, Index end) {
        return std::min(end, static_cast<Index>((at + 2) * static_cast<double>(step) + 1));
      };
      for (Index y = from(q[0]); y < to(q[0], h); ++y)
        for (Index x = from(q[1]); x < to(q[1], w); ++x) {
          const auto i = static_cast<std::size_t>(y * w + x);
          double distance = 0;
          for (std::size_t f = 0; f < features; ++f) {
            const double d = point[i * features + f] - q[f];
            distance += d * d;
          }
          if (distance < nearest[i]) {
            nearest[i] = distance;
            label[i] = static_cast<Index>(k);
          }
        }
    }
    centre.assign(centre.size(), 0);
    size.assign(size.size(), 0);
    for (std::size_t i = 0; i < label.size(); ++i) {
      const auto k = static_cast<std::size_t>(label[i]);
      size[k] += 1;
      for (std::size_t f = 0; f < features; ++f) centre[k * features + f] += point[i * features + f];
    }
    for (std::size_t k = 0; k < centre.size(); ++k) centre[k] /= std::max(1.0, size[k / features]);
  }
  const double mean = static_cast<double>(h * w) / static_cast<double>(centres);
  return detail::connected_units(label, h, w, static_cast<Index>(mean / 2), static_cast<Index>(3 * mean));
}

}  // namespace limn::metrics
