// Maps as colours over pictures: a colour scale of rising lightness, half-pixel bilinear resizing, overlays, outlines.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/core/config.hpp"
#include "limn/core/error.hpp"
#include "limn/report/types.hpp"

namespace limn::report {

using Rgb = xt::xtensor<std::uint8_t, 3>;  ///< (H, W, 3)
using Colour = std::array<float, 3>;       ///< sRGB, 0 to 255

/// Dark blue over red to yellow: equal steps of lightness (CIE L* 14 to 92) on a path around the hues, so that a
/// brighter colour always means more, for colour-blind eyes and on a grey print too.
inline constexpr std::array<std::array<std::uint8_t, 3>, 13> colour_scale{{{5, 30, 92},
                                                                           {52, 4, 152},
                                                                           {110, 9, 129},
                                                                           {146, 13, 121},
                                                                           {179, 17, 115},
                                                                           {212, 22, 105},
                                                                           {245, 28, 89},
                                                                           {251, 85, 80},
                                                                           {252, 123, 79},
                                                                           {252, 154, 84},
                                                                           {253, 181, 92},
                                                                           {254, 208, 95},
                                                                           {248, 237, 35}}};

/// The outline of a mask: no colour of the scale comes near it.
inline constexpr Colour outline_colour{70, 255, 190};

/// The colour of a value from 0 to 1; values beyond are cut.
[[nodiscard]] inline Colour colour(float value) {
  const float place = std::clamp(value, 0.0f, 1.0f) * static_cast<float>(colour_scale.size() - 1);
  const std::size_t low = std::min(static_cast<std::size_t>(place), colour_scale.size() - 2);
  const float part = place - static_cast<float>(low);
  Colour result{};
  for (std::size_t c = 0; c < 3; ++c) {
    const float a = colour_scale[low][c], b = colour_scale[low + 1][c];
    result[c] = a + part * (b - a);
  }
  return result;
}

/// Bilinear with half-pixel centres, the edges continued (align_corners=False of torch): (H, W, C) to (height, width,
/// C).
[[nodiscard]] inline xt::xtensor<float, 3> resize(const xt::xtensor<float, 3>& image, std::size_t height,
                                                  std::size_t width) {
  const std::size_t rows = image.shape()[0], columns = image.shape()[1], channels = image.shape()[2];
  struct Place {
    std::size_t low, high;
    float part;
  };
  const auto place = [](std::size_t at, std::size_t from, std::size_t to) {
    const double ratio = static_cast<double>(from) / static_cast<double>(to);
    const double x = std::clamp((static_cast<double>(at) + 0.5) * ratio - 0.5, 0.0, static_cast<double>(from - 1));
    const std::size_t low = static_cast<std::size_t>(x);
    return Place{low, std::min(low + 1, from - 1), static_cast<float>(x - static_cast<double>(low))};
  };
  xt::xtensor<float, 3> result(std::array<std::size_t, 3>{height, width, channels});
  for (std::size_t y = 0; y < height; ++y) {
    const Place v = place(y, rows, height);
    for (std::size_t x = 0; x < width; ++x) {
      const Place h = place(x, columns, width);
      for (std::size_t c = 0; c < channels; ++c) {
        const float top = image(v.low, h.low, c) + h.part * (image(v.low, h.high, c) - image(v.low, h.low, c));
        const float bottom = image(v.high, h.low, c) + h.part * (image(v.high, h.high, c) - image(v.high, h.low, c));
        result(y, x, c) = top + v.part * (bottom - top);
      }
    }
  }
  return result;
}

/// The size at which a picture is shown: small ones are enlarged by a whole factor to about 256 pixels on the longer
/// side, ones above 512 are reduced by a whole divisor.
[[nodiscard]] inline std::array<std::size_t, 2> shown_size(std::size_t height, std::size_t width) {
  const std::size_t longer = std::max(height, width);
  if (longer > 512) {
    const std::size_t divisor = (longer + 511) / 512;
    return {std::max<std::size_t>(1, height / divisor), std::max<std::size_t>(1, width / divisor)};
  }
  const std::size_t factor = std::max<std::size_t>(1, (256 + longer / 2) / longer);
  return {height * factor, width * factor};
}

/// The picture as RGB at the size shown: enlarged bilinearly, reduced by averaging blocks.
[[nodiscard, gnu::cold]] inline Rgb shown_image(const xt::xtensor<float, 3>& image) {
  const std::size_t rows = image.shape()[0], columns = image.shape()[1], channels = image.shape()[2];
  const auto [height, width] = shown_size(rows, columns);
  const std::size_t block_rows = std::max<std::size_t>(1, rows / height),
                    block_columns = std::max<std::size_t>(1, columns / width);
  const std::size_t colours = channels == 3 ? 3 : 1;  // two or four channels are no colours: they are averaged to grey
  const std::size_t merged = channels == 3 ? 1 : channels;
  xt::xtensor<float, 3> small(std::array<std::size_t, 3>{rows / block_rows, columns / block_columns, colours}, 0.0f);
  const float scale = 255.0f / static_cast<float>(block_rows * block_columns * merged);
  for (std::size_t y = 0; y < small.shape()[0]; ++y)
    for (std::size_t x = 0; x < small.shape()[1]; ++x)
      for (std::size_t v = y * block_rows; v < (y + 1) * block_rows; ++v)
        for (std::size_t h = x * block_columns; h < (x + 1) * block_columns; ++h)
          for (std::size_t c = 0; c < channels; ++c) {
            const float value = image(v, h, c);
            small(y, x, c % colours) += std::isnan(value) ? 0.0f : std::clamp(value, 0.0f, 1.0f) * scale;
          }
  const xt::xtensor<float, 3> large = resize(small, height, width);
  Rgb result(std::array<std::size_t, 3>{height, width, 3});
  for (std::size_t i = 0; i < height * width; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      result.data()[3 * i + c] = static_cast<std::uint8_t>(std::lround(large.data()[colours * i + c % colours]));
  return result;
}

/// A map's values as they are shown, from 0 to 1: probabilities cut to that range, other maps divided by their largest
/// value with negative values as 0. NaN is shown as 0.
[[nodiscard]] inline xt::xtensor<float, 3> shown_values(const NamedMap& named) {
  const xt::xtensor<float, 2>& map = named.map;
  float top = named.probability ? 1.0f : 0.0f;
  if (!named.probability)
    for (float v : map.storage()) top = std::isfinite(v) ? std::max(top, v) : top;
  xt::xtensor<float, 3> result(std::array<std::size_t, 3>{map.shape()[0], map.shape()[1], 1}, 0.0f);
  for (std::size_t i = 0; i < map.size(); ++i) {
    const float v = map.data()[i];
    result.data()[i] = top > 0 && !std::isnan(v) ? std::clamp(v / top, 0.0f, 1.0f) : 0.0f;
  }
  return result;
}

/// Lays a map over a shown picture. The map is resized bilinearly; the more it says, the less of the picture shows
/// through: the share of colour is 0.7 times the value.
inline void overlay(Rgb& picture, const NamedMap& map) {
  const std::size_t height = picture.shape()[0], width = picture.shape()[1];
  const xt::xtensor<float, 3> values = resize(shown_values(map), height, width);
  for (std::size_t i = 0; i < height * width; ++i) {
    const float value = values.data()[i], alpha = 0.7f * value;
    const Colour top = colour(value);
    for (std::size_t c = 0; c < 3; ++c) {
      std::uint8_t& below = picture.data()[3 * i + c];
      below = static_cast<std::uint8_t>(std::lround((1 - alpha) * static_cast<float>(below) + alpha * top[c]));
    }
  }
}

/// Draws the border of a mask (any size; nearest neighbour): a line of two pixels and a dark seam around it, both
/// outside the mask, so that it is seen on any ground and hides nothing of what was marked.
inline void outline(Rgb& picture, const xt::xtensor<float, 2>& mask) {
  const Index height = static_cast<Index>(picture.shape()[0]), width = static_cast<Index>(picture.shape()[1]);
  const Index rows = static_cast<Index>(mask.shape()[0]), columns = static_cast<Index>(mask.shape()[1]);
  const auto at = [&](Index y, Index x) { return static_cast<std::size_t>(y * width + x); };
  std::vector<std::uint8_t> inside(static_cast<std::size_t>(height * width));
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) inside[at(y, x)] = mask(y * rows / height, x * columns / width) > 0.5f;
  // Everything at most `reach` pixels away, rows first, then columns.
  const auto grown = [&](Index reach) {
    std::vector<std::uint8_t> wide(inside.size()), out(inside.size());
    for (Index y = 0; y < height; ++y)
      for (Index x = 0; x < width; ++x)
        for (Index h = std::max<Index>(x - reach, 0); h <= std::min(x + reach, width - 1); ++h)
          wide[at(y, x)] |= inside[at(y, h)];
    for (Index y = 0; y < height; ++y)
      for (Index v = std::max<Index>(y - reach, 0); v <= std::min(y + reach, height - 1); ++v)
        for (Index x = 0; x < width; ++x) out[at(y, x)] |= wide[at(v, x)];
    return out;
  };
  const std::vector<std::uint8_t> line = grown(2), seam = grown(3);
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      if (inside[at(y, x)] || !seam[at(y, x)]) continue;
      for (Index c = 0; c < 3; ++c) {
        std::uint8_t& value = picture(y, x, c);
        value = line[at(y, x)] ? static_cast<std::uint8_t>(outline_colour[static_cast<std::size_t>(c)])
                               : static_cast<std::uint8_t>(value / 2);
      }
    }
}

}  // namespace limn::report
