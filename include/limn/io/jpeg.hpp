// JPEG through libjpeg-turbo. Like png.hpp: errors come by longjmp, so the functions after setjmp own nothing.
#pragma once

#include <cstddef>
#include <cstdio>
// jpeglib.h needs the two above it
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <string>

#include "limn/io/png.hpp"

namespace limn::io::detail {

struct JpegErrors {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it is a pointer to us
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] inline void jpeg_fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->back, 1);
}
inline void jpeg_print_nothing(j_common_ptr) {}

/// libjpeg only warns of missing or damaged data and paints the rest grey. Here they are errors; spare bytes between
/// segments and odd version numbers, which real cameras write, are not.
inline void jpeg_judge_warning(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace message
  switch (info->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_TOO_MUCH_DATA:
      return;
    default:
      jpeg_fail(info);
  }
}

struct JpegReader {
  jpeg_decompress_struct info{};
  JpegErrors errors{};

  JpegReader() {
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = jpeg_fail;
    errors.manager.output_message = jpeg_print_nothing;
    errors.manager.emit_message = jpeg_judge_warning;
  }
  ~JpegReader() { jpeg_destroy_decompress(&info); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  bool read_header(const std::uint8_t* data, unsigned long size) {
    if (setjmp(errors.back) != 0) return false;
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, data, size);
    jpeg_read_header(&info, TRUE);
    return true;
  }

  bool start() {
    if (setjmp(errors.back) != 0) return false;
    info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&info);
    return true;
  }

  bool read_rows(std::uint8_t* out, std::size_t row_bytes) {
    if (setjmp(errors.back) != 0) return false;
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = out + info.output_scanline * row_bytes;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    return true;
  }
};

/// Size (and, unless `header_only`, samples) of a JPEG, grey or RGB. CMYK is refused. The orientation mark of cameras
/// (EXIF) is not applied.
inline RawImage decode_jpeg(std::span<const std::uint8_t> file, const std::string& name, bool header_only = false) {
  JpegReader reader;
  const auto broken = [&] { return text(name, ": broken JPEG (", reader.errors.message, ")"); };
  if (!reader.read_header(file.data(), file.size())) throw FileError(broken());
  RawImage image;
  image.height = reader.info.image_height;
  image.width = reader.info.image_width;
  check_image_size(image.height, image.width, name);
  if (header_only) return image;
  require<FileError>(reader.info.num_components == 1 || reader.info.num_components == 3, name, ": a JPEG with ",
                     reader.info.num_components, " colour components, expected grey (1) or RGB (3)");
  // A block of 64 pixels takes at least one bit; far fewer bits than blocks cannot be a whole picture.
  require<FileError>(image.height * image.width / 4096 <= static_cast<Index>(file.size()), name, ": broken JPEG (",
                     image.width, " x ", image.height, " pixels in ", file.size(), " bytes; the file is truncated)");
  if (!reader.start()) throw FileError(broken());
  image.channels = reader.info.output_components;
  const auto row_bytes = static_cast<std::size_t>(image.width * image.channels);
  image.bytes.resize(row_bytes * static_cast<std::size_t>(image.height));
  if (!reader.read_rows(image.bytes.data(), row_bytes)) throw FileError(broken());
  return image;
}

}  // namespace limn::io::detail
