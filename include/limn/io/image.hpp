// Pictures from files: PNG and JPEG, told apart by their first bytes, never by their names.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "limn/io/jpeg.hpp"
#include "limn/io/png.hpp"

namespace limn::io {

/// A picture (H, W, C), C = 1 (grey) or 3 (RGB), values in [0, 1].
using Image = xt::xtensor<float, 3>;

namespace detail {
inline RawImage decode_raw(std::span<const std::uint8_t> file, const std::string& name, bool header_only) {
  const std::string_view start(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 8));
  if (start == "\x89PNG\r\n\x1a\n") return decode_png(file, name, header_only);
  if (start.substr(0, 3) == "\xFF\xD8\xFF") return decode_jpeg(file, name, header_only);
  throw FileError(name + (file.empty() ? ": the file is empty" : ": neither PNG nor JPEG"));
}
}  // namespace detail

/// Decodes the bytes of a PNG or JPEG file; `name` stands for the file in messages. 8-bit samples are divided by 255,
/// 16-bit ones by 65535; alpha is dropped; no gamma is applied. Throws FileError for whatever is broken, truncated,
/// empty or larger than 2^28 pixels.
[[nodiscard]] inline Image decode_image(std::span<const std::uint8_t> file, const std::string& name) {
  const detail::RawImage raw = detail::decode_raw(file, name, false);
  auto image = Image::from_shape({static_cast<std::size_t>(raw.height), static_cast<std::size_t>(raw.width),
                                  static_cast<std::size_t>(raw.channels)});
  const std::uint8_t* from = raw.bytes.data();
  float* to = image.data();
  const std::size_t count = image.size();
  if (raw.bits == 16) {
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[2 * i] * 256 + from[2 * i + 1]) / 65535.f;
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]) / 255.f;
  }
  return image;
}

[[nodiscard]] inline Image read_image(const std::filesystem::path& path) {
  return decode_image(read_file(path), path.string());
}

/// Height and width, from the header of the file.
[[nodiscard]] inline std::pair<Index, Index> image_size(const std::filesystem::path& path) {
  const detail::RawImage raw = detail::decode_raw(read_file(path), path.string(), true);
  return {raw.height, raw.width};
}

/// The image with 1 or 3 channels: grey is repeated, RGB becomes its luma (ITU-R BT.601: .299 R + .587 G + .114 B).
[[nodiscard]] inline Image to_channels(Image image, Index channels) {
  const std::size_t have = image.shape()[2], want = static_cast<std::size_t>(channels);
  require<ShapeError>((have == 1 || have == 3) && (want == 1 || want == 3),
                      "to_channels: expected 1 or 3 channels, got ", have, " to make ", channels);
  if (have == want) return image;
  auto out = Image::from_shape({image.shape()[0], image.shape()[1], want});
  const float* from = image.data();
  float* to = out.data();
  for (std::size_t i = 0; i < image.shape()[0] * image.shape()[1]; ++i) {
    if (want == 1) {
      to[i] = .299f * from[3 * i] + .587f * from[3 * i + 1] + .114f * from[3 * i + 2];
    } else {
      to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = from[i];
    }
  }
  return out;
}

/// 8-bit samples of an image in [0, 1], rounded; values outside are cut off, not-a-number becomes 0.
[[nodiscard]] inline xt::xtensor<std::uint8_t, 3> to_bytes(const Image& image) {
  auto out = xt::xtensor<std::uint8_t, 3>::from_shape(image.shape());
  for (std::size_t i = 0; i < image.size(); ++i) {
    const float value = image.data()[i];
    out.data()[i] =
        value > 0.f ? static_cast<std::uint8_t>(std::lround(std::min(value, 1.f) * 255.f)) : std::uint8_t{0};
  }
  return out;
}

}  // namespace limn::io
