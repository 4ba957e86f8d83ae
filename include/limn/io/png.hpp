// PNG through libpng. libpng reports errors by longjmp, so each function that calls it after setjmp holds nothing with
// a destructor; what must be freed is owned by its caller.
#pragma once

#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/io/files.hpp"

namespace limn::io {

/// More pixels than this are taken for a broken file.
inline constexpr Index max_pixels = Index{1} << 28;

namespace detail {

/// Samples as they come out of a decoder: rows of pixels of 1 or 3 channels, 8 bits or 16 bits (high byte first).
struct RawImage {
  Index height = 0, width = 0, channels = 0, bits = 8;
  std::vector<std::uint8_t> bytes;
};

inline void check_image_size(Index height, Index width, const std::string& name) {
  require<FileError>(height > 0 && width > 0, name, ": a picture of ", width, " x ", height, " pixels");
  require<FileError>(height <= max_pixels / width, name, ": ", width, " x ", height, " pixels, expected at most 2^28");
}

/// What libpng's callbacks share with us.
struct PngState {
  std::span<const std::uint8_t> in;  // what is left to read
  std::vector<std::uint8_t>* out = nullptr;
  char message[128] = "";
};

inline void png_fail(png_structp png, png_const_charp message) {
  auto* state = static_cast<PngState*>(png_get_error_ptr(png));
  std::strncpy(state->message, message, sizeof state->message - 1);
  png_longjmp(png, 1);
}
inline void png_ignore(png_structp, png_const_charp) {}
inline void png_take(png_structp png, png_bytep to, std::size_t count) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  if (count > state->in.size()) png_error(png, "the file is truncated");
  std::memcpy(to, state->in.data(), count);
  state->in = state->in.subspan(count);
}
inline void png_put(png_structp png, png_bytep from, std::size_t count) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  bool done = true;
  try {
    state->out->insert(state->out->end(), from, from + count);
  } catch (...) {
    done = false;  // the jump must not leave a handler
  }
  if (!done) png_error(png, "out of memory");
}
inline void png_flush_nothing(png_structp) {}

struct PngReader {
  PngState state;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::size_t file_size;

  explicit PngReader(std::span<const std::uint8_t> file) : file_size(file.size()) {
    state.in = file;
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, png_fail, png_ignore);
    if (png != nullptr) info = png_create_info_struct(png);
  }
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool read_header() {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_set_read_fn(png, &state, png_take);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // we judge the size ourselves
    png_read_info(png, info);
    return true;
  }

  /// Whether so few bytes can hold so many pixels at all: deflate packs at most 1032 to 1.
  bool plausible() const {
    return png_get_rowbytes(png, info) / 1032 <= file_size / png_get_image_height(png, info) + 1;
  }

  /// Asks for grey or RGB without alpha, 8 or 16 bits; returns bytes per row, 0 for an error.
  std::size_t convert() {
    if (setjmp(png_jmpbuf(png)) != 0) return 0;
    png_set_expand(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return png_get_rowbytes(png, info);
  }

  bool read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_read_image(png, rows);
    png_read_end(png, nullptr);  // to the end mark: a truncated tail is an error too
    return true;
  }
};

struct PngWriter {
  PngState state;
  png_structp png = nullptr;
  png_infop info = nullptr;

  explicit PngWriter(std::vector<std::uint8_t>& out) {
    state.out = &out;
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, png_fail, png_ignore);
    if (png != nullptr) info = png_create_info_struct(png);
  }
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  bool write(png_uint_32 height, png_uint_32 width, int colour, png_bytepp rows) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_set_write_fn(png, &state, png_put, png_flush_nothing);
    png_set_IHDR(png, info, width, height, 8, colour, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_rows(png, info, rows);
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
    return true;
  }
};

/// Size (and, unless `header_only`, samples) of a PNG. Palettes become RGB, fewer than 8 bits become 8, alpha goes.
inline RawImage decode_png(std::span<const std::uint8_t> file, const std::string& name, bool header_only = false) {
  PngReader reader(file);
  require<FileError>(reader.info != nullptr, name, ": libpng cannot start");
  require<FileError>(reader.read_header(), name, ": broken PNG (", reader.state.message, ")");
  RawImage image;
  image.height = png_get_image_height(reader.png, reader.info);
  image.width = png_get_image_width(reader.png, reader.info);
  check_image_size(image.height, image.width, name);
  if (header_only) return image;
  require<FileError>(reader.plausible(), name, ": broken PNG (", image.width, " x ", image.height, " pixels in ",
                     file.size(), " bytes; the file is truncated)");
  const std::size_t row_bytes = reader.convert();
  image.channels = png_get_channels(reader.png, reader.info);
  image.bits = png_get_bit_depth(reader.png, reader.info);
  const Index expected = image.width * image.channels * image.bits / 8;
  require<FileError>(
      row_bytes > 0 && static_cast<Index>(row_bytes) == expected && (image.channels == 1 || image.channels == 3), name,
      ": broken PNG (", reader.state.message, ")");
  image.bytes.resize(row_bytes * static_cast<std::size_t>(image.height));
  std::vector<png_bytep> rows(static_cast<std::size_t>(image.height));
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = image.bytes.data() + y * row_bytes;
  require<FileError>(reader.read_rows(rows.data()), name, ": broken PNG (", reader.state.message, ")");
  return image;
}

}  // namespace detail

/// The bytes of a PNG file of an image (H, W, C), C = 1 (grey), 3 (RGB) or 4 (RGBA), 8 bits.
/// Throws ShapeError for other shapes.
[[nodiscard]] inline std::vector<std::uint8_t> encode_png(const xt::xtensor<std::uint8_t, 3>& image) {
  const std::size_t height = image.shape()[0], width = image.shape()[1], channels = image.shape()[2];
  require<ShapeError>(height > 0 && width > 0 && (channels == 1 || channels == 3 || channels == 4) &&
                          static_cast<Index>(height * width) <= max_pixels,
                      "PNG: expected an image (H, W, C) with C = 1, 3 or 4, got (", height, ", ", width, ", ", channels,
                      ")");
  std::vector<png_bytep> rows(height);  // libpng takes them without const and does not write
  for (std::size_t y = 0; y < height; ++y) rows[y] = const_cast<png_bytep>(image.data()) + y * width * channels;
  const int colour = channels == 1   ? PNG_COLOR_TYPE_GRAY
                     : channels == 3 ? PNG_COLOR_TYPE_RGB
                                     : PNG_COLOR_TYPE_RGB_ALPHA;
  std::vector<std::uint8_t> out;
  detail::PngWriter writer(out);
  require(writer.info != nullptr &&
              writer.write(static_cast<png_uint_32>(height), static_cast<png_uint_32>(width), colour, rows.data()),
          "PNG: cannot be encoded (", writer.state.message, ")");
  return out;
}

/// Writes the image as a PNG file, atomically.
inline void write_png(const std::filesystem::path& path, const xt::xtensor<std::uint8_t, 3>& image) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace limn::io
