// Random changes of pictures in training. The mask goes wherever its image goes.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/core/random.hpp"
#include "limn/data/resize.hpp"

namespace limn::data {

/// The part of `height` x `width` pixels at (top, left). Throws ShapeError where it does not lie inside.
[[nodiscard]] inline Image crop(const Image& image, Index top, Index left, Index height, Index width) {
  const auto in_height = static_cast<Index>(image.shape()[0]), in_width = static_cast<Index>(image.shape()[1]);
  require<ShapeError>(
      top >= 0 && left >= 0 && height > 0 && width > 0 && top <= in_height - height && left <= in_width - width,
      "crop: ", height, " x ", width, " at (", top, ", ", left, ") of a picture of ", in_height, " x ", in_width);
  auto out = Image::from_shape({static_cast<std::size_t>(height), static_cast<std::size_t>(width), image.shape()[2]});
  const Index channels = static_cast<Index>(image.shape()[2]);
  for (Index y = 0; y < height; ++y) {
    const float* from = image.data() + ((top + y) * in_width + left) * channels;
    std::copy(from, from + width * channels, out.data() + y * width * channels);
  }
  return out;
}

namespace detail {

/// (height, width, channels) mirrored left to right, in place.
inline void flip(float* values, Index height, Index width, Index channels) {
  for (Index y = 0; y < height; ++y)
    for (Index left = 0, right = width - 1; left < right; ++left, --right)
      std::swap_ranges(values + (y * width + left) * channels, values + (y * width + left + 1) * channels,
                       values + (y * width + right) * channels);
}

/// Where an output pixel, seen from the centre, comes from: source = [a b; -b a] * output + (dx, dy).
struct Similarity {
  double a = 1, b = 0, dx = 0, dy = 0;
};

/// Bilinear. Beyond the border lies the border pixel again (`repeat`) or 0.
inline std::vector<float> warp(const float* from, Index height, Index width, Index channels, const Similarity& map,
                               bool repeat) {
  std::vector<float> out(static_cast<std::size_t>(height * width * channels), 0.f);
  const double middle_y = static_cast<double>(height - 1) / 2, middle_x = static_cast<double>(width - 1) / 2;
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) - middle_x, v = static_cast<double>(y) - middle_y;
      // The bounds keep far-away positions within Index; beyond one pixel outside nothing changes.
      const double sx = std::clamp(map.a * u + map.b * v + map.dx + middle_x, -1., static_cast<double>(width));
      const double sy = std::clamp(map.a * v - map.b * u + map.dy + middle_y, -1., static_cast<double>(height));
      const auto x0 = static_cast<Index>(std::floor(sx)), y0 = static_cast<Index>(std::floor(sy));
      const auto fx = static_cast<float>(sx - static_cast<double>(x0)),
                 fy = static_cast<float>(sy - static_cast<double>(y0));
      float* to = out.data() + (y * width + x) * channels;
      for (int corner = 0; corner < 4; ++corner) {
        Index px = x0 + (corner & 1), py = y0 + (corner >> 1);
        const float weight = ((corner & 1) != 0 ? fx : 1 - fx) * ((corner >> 1) != 0 ? fy : 1 - fy);
        if (repeat) {
          px = std::clamp<Index>(px, 0, width - 1);
          py = std::clamp<Index>(py, 0, height - 1);
        } else if (px < 0 || py < 0 || px >= width || py >= height) {
          continue;
        }
        const float* at = from + (py * width + px) * channels;
        for (Index c = 0; c < channels; ++c) to[c] += weight * at[c];
      }
    }
  }
  return out;
}

}  // namespace detail

/// Mirrors an image or a mask left to right.
inline void flip(Image& image) {
  detail::flip(image.data(), static_cast<Index>(image.shape()[0]), static_cast<Index>(image.shape()[1]),
               static_cast<Index>(image.shape()[2]));
}
inline void flip(Mask& mask) {
  detail::flip(mask.data(), static_cast<Index>(mask.shape()[0]), static_cast<Index>(mask.shape()[1]), 1);
}

/// How far pictures are changed at random; each number is the largest change, 0 is none.
struct Augment {
  bool flip = false;         // left to right, one in two
  float rotate_degrees = 0;  // either way
  float shift = 0;           // share of the picture's side, in each direction
  float scale = 0;           // .1: enlarged or reduced up to 1.1 times
  float brightness = 0;      // added or taken away
  float contrast = 0;        // .2: distance from the mean times 1/1.2 to 1.2
  float gamma = 0;           // .2: values to a power from 1/1.2 to 1.2
  float noise = 0;           // standard deviation of normal noise per value, drawn from 0 to this

  /// Throws OptionError for numbers out of range.
  void check() const {
    const auto within = [](const char* name, float value, float limit) {
      require<OptionError>(value >= 0 && value <= limit, "augment: ", name, " must be 0 to ", limit, ", got ", value);
    };
    within("rotate_degrees", rotate_degrees, 180);
    within("shift", shift, 1);
    within("scale", scale, 4);
    within("gamma", gamma, 4);
    within("contrast", contrast, 4);
    within("brightness", brightness, 1);
    within("noise", noise, 1);
  }

  /// Changes image and mask in place. Values stay in [0, 1]; the mask stays 0 or 1. Every number is drawn whether it is
  /// used or not, so switching one change on does not alter the others.
  void apply(Image& image, std::optional<Mask>& mask, Random& random) const {
    check();
    const auto either = [&](float limit) { return limit * random.uniform(-1, 1); };
    const auto factor = [&](float limit) {
      return std::exp(std::log1p(static_cast<double>(limit)) * random.uniform(-1, 1));
    };
    const bool mirrored = random.chance(.5) && flip;
    const double angle = either(rotate_degrees) * 3.14159265358979 / 180, right = either(shift), down = either(shift);
    const double zoom = factor(scale), power = factor(gamma), stretch = factor(contrast), light = either(brightness);
    const double deviation = noise * random.uniform();

    const auto height = static_cast<Index>(image.shape()[0]), width = static_cast<Index>(image.shape()[1]);
    const auto channels = static_cast<Index>(image.shape()[2]);
    if (mirrored) {
      data::flip(image);
      if (mask) data::flip(*mask);
    }
    if (rotate_degrees > 0 || shift > 0 || scale > 0) {
      detail::Similarity map{std::cos(angle) / zoom, std::sin(angle) / zoom, 0, 0};
      map.dx = -right * static_cast<double>(width);
      map.dy = -down * static_cast<double>(height);
      const auto values = detail::warp(image.data(), height, width, channels, map, true);
      std::copy(values.begin(), values.end(), image.data());
      if (mask) detail::threshold(detail::warp(mask->data(), height, width, 1, map, false), *mask);
    }
    change_values(image, power, stretch, light, deviation, random);
  }

 private:
  void change_values(Image& image, double power, double stretch, double light, double deviation, Random& random) const {
    if (gamma == 0 && contrast == 0 && brightness == 0 && noise == 0) return;
    float* values = image.data();
    double mean = 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      if (gamma > 0) values[i] = std::pow(std::max(values[i], 0.f), static_cast<float>(power));
      mean += static_cast<double>(values[i]);
    }
    mean /= static_cast<double>(image.size());
    const auto slope = static_cast<float>(stretch), offset = static_cast<float>(mean * (1 - stretch) + light);
    for (std::size_t i = 0; i < image.size(); ++i) {
      const float grain = noise > 0 ? static_cast<float>(deviation * random.normal()) : 0.f;
      values[i] = std::clamp(values[i] * slope + offset + grain, 0.f, 1.f);
    }
  }
};

}  // namespace limn::data
