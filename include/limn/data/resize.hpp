// Pictures and masks of another size.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/data/sample.hpp"

namespace limn::data {

namespace detail {

/// How one line of samples becomes another: output i is the sum of weight[k] * input[first + k].
struct Taps {
  struct Tap {
    Index first;
    std::vector<float> weights;
  };
  std::vector<Tap> taps;
};

/// Bilinear with half-pixel centres; when shrinking the triangle is widened by the scale, so that nothing is skipped.
/// The same arithmetic as torch's interpolate(mode="bilinear", antialias=True).
inline Taps bilinear_taps(Index in, Index out) {
  Taps result;
  const double scale = static_cast<double>(in) / static_cast<double>(out), reach = std::max(scale, 1.);
  for (Index i = 0; i < out; ++i) {
    const double center = scale * (static_cast<double>(i) + .5);
    const auto first = std::max<Index>(static_cast<Index>(center - reach + .5), 0);
    const auto last = std::min<Index>(static_cast<Index>(center + reach + .5), in);
    std::vector<double> weights;
    double sum = 0;
    for (Index k = first; k < last; ++k) {
      weights.push_back(std::max(0., 1. - std::abs((static_cast<double>(k) - center + .5) / reach)));
      sum += weights.back();
    }
    Taps::Tap tap{first, {}};
    for (double weight : weights) tap.weights.push_back(static_cast<float>(weight / sum));
    result.taps.push_back(std::move(tap));
  }
  return result;
}

/// Mean over the area that the output pixel covers.
inline Taps area_taps(Index in, Index out) {
  Taps result;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  for (Index i = 0; i < out; ++i) {
    const double low = scale * static_cast<double>(i), high = low + scale;
    Taps::Tap tap{static_cast<Index>(low), {}};
    for (Index k = tap.first; k < in && static_cast<double>(k) < high - 1e-9; ++k) {
      const double covered = std::min(high, static_cast<double>(k + 1)) - std::max(low, static_cast<double>(k));
      tap.weights.push_back(static_cast<float>(covered / scale));
    }
    result.taps.push_back(std::move(tap));
  }
  return result;
}

/// Both directions, rows of `channels` interleaved values: (height, width, channels) to (rows, columns, channels).
inline std::vector<float> resample(const float* from, Index width, Index channels, Index height, const Taps& rows,
                                   const Taps& columns) {
  const Index out_width = static_cast<Index>(columns.taps.size());
  const auto line = static_cast<std::size_t>(out_width * channels);
  std::vector<float> narrow(static_cast<std::size_t>(height) * line, 0.f);
  for (Index y = 0; y < height; ++y) {
    float* to = narrow.data() + static_cast<std::size_t>(y) * line;
    for (const Taps::Tap& tap : columns.taps) {
      const float* at = from + (y * width + tap.first) * channels;
      for (float weight : tap.weights)
        for (Index c = 0; c < channels; ++c) to[c] += weight * *at++;
      to += channels;
    }
  }
  std::vector<float> out(rows.taps.size() * line, 0.f);
  for (std::size_t y = 0; y < rows.taps.size(); ++y) {
    float* to = out.data() + y * line;
    const float* at = narrow.data() + static_cast<std::size_t>(rows.taps[y].first) * line;
    for (float weight : rows.taps[y].weights) {
      for (std::size_t x = 0; x < line; ++x) to[x] += weight * at[x];
      at += line;
    }
  }
  return out;
}

/// 1 where at least half of a pixel is covered. A mask that is not empty stays so: its most covered pixel is kept.
inline void threshold(const std::vector<float>& cover, Mask& mask) {
  constexpr float half = .5f - 1e-5f;  // weights that sum to one half in float may miss it by a rounding
  for (std::size_t i = 0; i < cover.size(); ++i) mask.data()[i] = cover[i] >= half ? 1.f : 0.f;
  const auto most = std::max_element(cover.begin(), cover.end());
  if (*most > 0.f && *most < half) mask.data()[most - cover.begin()] = 1.f;
}

}  // namespace detail

/// The image at another size: bilinear, half-pixel centres, antialiased when shrinking (as torch and Pillow do).
[[nodiscard]] inline Image resize(const Image& image, Index height, Index width) {
  const auto in_height = static_cast<Index>(image.shape()[0]), in_width = static_cast<Index>(image.shape()[1]);
  require<ShapeError>(height > 0 && width > 0 && image.size() > 0, "resize: ", in_height, " x ", in_width, " to ",
                      height, " x ", width);
  if (height == in_height && width == in_width) return image;
  const std::vector<float> values =
      detail::resample(image.data(), in_width, static_cast<Index>(image.shape()[2]), in_height,
                       detail::bilinear_taps(in_height, height), detail::bilinear_taps(in_width, width));
  auto out = Image::from_shape({static_cast<std::size_t>(height), static_cast<std::size_t>(width), image.shape()[2]});
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

/// The mask at another size: 1 where at least half of the area is covered. A mask that is not empty never becomes empty
/// (its most covered pixel is kept), so that a tiny lesion stays a lesion.
[[nodiscard]] inline Mask resize(const Mask& mask, Index height, Index width) {
  const auto in_height = static_cast<Index>(mask.shape()[0]), in_width = static_cast<Index>(mask.shape()[1]);
  require<ShapeError>(height > 0 && width > 0 && mask.size() > 0, "resize: ", in_height, " x ", in_width, " to ",
                      height, " x ", width);
  if (height == in_height && width == in_width) return mask;
  const std::vector<float> cover = detail::resample(
      mask.data(), in_width, 1, in_height, detail::area_taps(in_height, height), detail::area_taps(in_width, width));
  auto out = Mask::from_shape({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
  detail::threshold(cover, out);
  return out;
}

/// How a picture comes into a square. `pad`: as a whole, its shape kept, black beside it (the default: the shape of a
/// lesion is a finding, and nothing is lost). `crop`: the middle, its shape kept. `stretch`: as a whole, distorted.
enum class Fit { pad, crop, stretch };

namespace detail {
inline Image blank(const Image& like, std::size_t size) {
  return Image(Image::shape_type{size, size, like.shape()[2]}, 0.f);
}
inline Mask blank(const Mask&, std::size_t size) { return Mask(Mask::shape_type{size, size}, 0.f); }
}  // namespace detail

/// The image or mask in a square of size x size.
template <class Picture>
[[nodiscard]] Picture fit_square(const Picture& picture, Index size, Fit fit) {
  const auto in_height = static_cast<double>(picture.shape()[0]), in_width = static_cast<double>(picture.shape()[1]);
  if (fit == Fit::stretch || in_height == in_width) return resize(picture, size, size);
  const double scale =
      static_cast<double>(size) / (fit == Fit::pad ? std::max(in_height, in_width) : std::min(in_height, in_width));
  const Index height = std::max<Index>(1, std::lround(in_height * scale)),
              width = std::max<Index>(1, std::lround(in_width * scale));
  const Picture scaled = resize(picture, height, width);
  Picture out = detail::blank(picture, static_cast<std::size_t>(size));
  const Index channels =
      static_cast<Index>(picture.size()) / static_cast<Index>(picture.shape()[0] * picture.shape()[1]);
  // Offset of the square in the scaled picture; negative where there is padding.
  const Index top = (height - size) / 2, left = (width - size) / 2;
  for (Index y = std::max<Index>(0, -top); y < std::min(size, height - top); ++y) {
    const Index first = std::max<Index>(0, -left), last = std::min(size, width - left);
    const float* from = scaled.data() + ((y + top) * width + first + left) * channels;
    std::copy(from, from + (last - first) * channels, out.data() + (y * size + first) * channels);
  }
  return out;
}

}  // namespace limn::data
