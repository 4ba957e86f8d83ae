// Masks that people drew in Label Studio, from its JSON export: rectangles (also turned), polygons and brush strokes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "limn/io/files.hpp"
#include "limn/io/json.hpp"

namespace limn::io {

/// What one person marked on one picture.
struct Annotation {
  std::string image;                ///< as the task names it
  std::string task;                 ///< its number
  std::string annotator;            ///< number or address of who completed it; empty where the file does not say
  xt::xtensor<float, 2> mask = {};  ///< (h, w), 0 or 1: all that was marked; empty where nothing was
};

/// Of several annotations of one task, as the file lists them; latest: by the time of their last change, if it is
/// there.
enum class Which { all, first, latest };

struct LabelStudioOptions {
  std::vector<std::string> labels = {};  ///< what counts; empty: everything that was marked
  Which which = Which::all;
  std::string image_key = {};  ///< of a task's data; empty: the only one, or "image"
};

namespace detail {

/// Bits from the most significant on.
class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  /// Throws FileError past the end.
  [[nodiscard]] std::uint32_t read(int count) {
    std::uint32_t out = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      require<FileError>(at_ / 8 < bytes_.size(), "the brush stroke ends too early");
      out = out << 1 | (bytes_[at_ / 8] >> (7 - at_ % 8) & 1u);
    }
    return out;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

}  // namespace detail

/// Brush strokes as Label Studio keeps them: run lengths of the bytes of an RGBA picture (h, w, 4), of which the last
/// channel is the mask. A pixel counts from 128 on. Throws FileError unless the bytes are a picture of this size.
[[nodiscard, gnu::cold]] inline xt::xtensor<float, 2> decode_brush(std::span<const std::uint8_t> bytes, Index h,
                                                                   Index w) {
  detail::BitReader bits(bytes);
  const auto count = static_cast<Index>(bits.read(32));
  require<FileError>(count == h * w * 4, "a brush stroke for ", count, " numbers, expected ", h, " x ", w, " x 4");
  const int word = static_cast<int>(bits.read(5)) + 1;
  int sizes[4];
  for (int& size : sizes) size = static_cast<int>(bits.read(4)) + 1;
  xt::xtensor<float, 2> mask(std::array<std::size_t, 2>{static_cast<std::size_t>(h), static_cast<std::size_t>(w)}, 0.f);
  const auto put = [&](Index at, std::uint32_t value) {
    if (at % 4 == 3) mask.data()[at / 4] = value >= 128 ? 1.f : 0.f;
  };
  for (Index at = 0; at < count;) {
    const bool run = bits.read(1) != 0;
    const auto length = static_cast<Index>(bits.read(sizes[bits.read(2)])) + 1;
    require<FileError>(length <= count - at, "a brush stroke runs over the end of the picture");
    const std::uint32_t value = run ? bits.read(word) : 0;
    for (Index i = 0; i < length; ++i, ++at) put(at, run ? value : bits.read(word));
  }
  return mask;
}

/// Sets the pixels whose middles lie inside a polygon (even-odd); corners (x, y) in pixels.
inline void fill_polygon(xt::xtensor<float, 2>& mask, const std::vector<std::pair<double, double>>& corners) {
  const auto h = static_cast<Index>(mask.shape()[0]), w = static_cast<Index>(mask.shape()[1]);
  for (Index row = 0; row < h; ++row) {
    const double y = static_cast<double>(row) + .5;
    std::vector<double> crossings;
    for (std::size_t i = 0; i < corners.size(); ++i) {
      const auto& [x1, y1] = corners[i];
      const auto& [x2, y2] = corners[(i + 1) % corners.size()];
      if ((y1 <= y) != (y2 <= y)) crossings.push_back(x1 + (y - y1) / (y2 - y1) * (x2 - x1));
    }
    std::sort(crossings.begin(), crossings.end());
    for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const auto column = [&](double x) {  // the first whose middle is not left of x
        return static_cast<Index>(std::clamp(std::ceil(x - .5), 0.0, static_cast<double>(w)));
      };
      for (Index k = column(crossings[i]); k < column(crossings[i + 1]); ++k)
        mask(static_cast<std::size_t>(row), static_cast<std::size_t>(k)) = 1;
    }
  }
}

namespace detail {

/// A number of a shape, in percent of the picture.
[[gnu::cold]] inline double percent(const Json& value, const char* name) {
  const double out = value.at(name).as_number();
  require<FileError>(std::isfinite(out) && std::abs(out) <= 1e6, "\"", name, "\" is ", out, ", expected a percentage");
  return out;
}

/// Adds what one result marks; the mask has the size of the picture.
[[gnu::cold]] inline void add_result(const std::string& type, const Json& value, xt::xtensor<float, 2>& mask) {
  const auto h = static_cast<Index>(mask.shape()[0]), w = static_cast<Index>(mask.shape()[1]);
  const double across = static_cast<double>(w) / 100, down = static_cast<double>(h) / 100;
  std::vector<std::pair<double, double>> corners;
  if (type == "rectanglelabels" || type == "rectangle") {
    // Turned about its upper left corner, in pixels: percentages of width and height differ in length.
    const Json turn = value.find("rotation");
    const double angle = turn ? turn.as_number() * std::numbers::pi / 180 : 0;
    require<FileError>(std::isfinite(angle), "\"rotation\" is no number");
    const double x = percent(value, "x") * across, y = percent(value, "y") * down;
    const double width = percent(value, "width") * across, height = percent(value, "height") * down;
    const double c = std::cos(angle), s = std::sin(angle);
    corners = {{x, y},
               {x + width * c, y + width * s},
               {x + width * c - height * s, y + width * s + height * c},
               {x - height * s, y + height * c}};
    fill_polygon(mask, corners);
  } else if (type == "polygonlabels" || type == "polygon") {
    const Json points = value.at("points");
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double x = points[i][0].as_number(), y = points[i][1].as_number();
      require<FileError>(std::abs(x) <= 1e6 && std::abs(y) <= 1e6, "a corner of a polygon at ", x, ", ", y);
      corners.emplace_back(x * across, y * down);
    }
    require<FileError>(corners.size() >= 3, "a polygon of ", corners.size(), " corners");
    fill_polygon(mask, corners);
  } else {
    const Json format = value.find("format"), rle = value.at("rle");
    require<FileError>(!format || format.as_text() == "rle", "brush strokes that are not \"rle\"");
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < rle.size(); ++i) {
      const Index byte = rle[i].as_whole();
      require<FileError>(byte >= 0 && byte <= 255, "\"rle\" holds ", byte, ", expected bytes");
      bytes.push_back(static_cast<std::uint8_t>(byte));
    }
    const auto stroke = decode_brush(bytes, h, w);
    for (std::size_t i = 0; i < mask.size(); ++i) mask.data()[i] = std::max(mask.data()[i], stroke.data()[i]);
  }
}

/// Whether a result marks something that counts. What marks nothing (choices, texts) does not.
[[gnu::cold]] inline bool counts(const std::string& type, const Json& value, const std::vector<std::string>& wanted) {
  const bool shape = type.starts_with("rectangle") || type.starts_with("polygon") || type.starts_with("brush");
  if (!shape || wanted.empty()) return shape;
  const Json labels = value.find(type);
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (std::find(wanted.begin(), wanted.end(), labels[i].as_text()) != wanted.end()) return true;
  return false;
}

/// Text, or a whole number as text.
[[gnu::cold]] inline std::string words(const Json& value) {
  return value.is_text() ? value.as_text() : text(value.as_whole());
}

[[gnu::cold]] inline Annotation read_annotation(const Json& annotation, const LabelStudioOptions& options) {
  constexpr Index most = 1 << 26;  // pixels
  Annotation out;
  if (const Json by = annotation.find("completed_by"))
    out.annotator = !by.is_object() ? words(by) : by.find("email") ? by.at("email").as_text() : words(by.at("id"));
  const Json results = annotation.at("result");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Json result = results[i], kind = result.find("type"), value = result.find("value");
    if (!kind || !value || !counts(kind.as_text(), value, options.labels)) continue;
    const Index w = result.at("original_width").as_whole(), h = result.at("original_height").as_whole();
    require<FileError>(w >= 1 && h >= 1 && w <= most && h <= most / w, "a picture of ", h, " x ", w,
                       ", expected up to ", most, " pixels");
    require<FileError>(result.find("image_rotation").as_whole_or(0) == 0,
                       "the picture was turned in Label Studio; turn the file and annotate that");
    if (out.mask.size() == 0)
      out.mask = xt::xtensor<float, 2>(
          std::array<std::size_t, 2>{static_cast<std::size_t>(h), static_cast<std::size_t>(w)}, 0.f);
    require<FileError>(static_cast<Index>(out.mask.shape()[0]) == h && static_cast<Index>(out.mask.shape()[1]) == w,
                       "results for pictures of different sizes");
    add_result(kind.as_text(), value, out.mask);
  }
  return out;
}

}  // namespace detail

/// What was marked, annotation by annotation, in the order of the file. Annotations that were cancelled are left out.
/// Throws FileError naming the file and the task. The shapes' size is that of the picture when it was annotated:
/// compare it with the file's, since pictures with an EXIF orientation are exported with their sides exchanged.
[[nodiscard, gnu::cold]] inline std::vector<Annotation> parse_label_studio(std::string_view content,
                                                                           const std::string& file,
                                                                           const LabelStudioOptions& options = {}) {
  const Json tasks = Json::parse(content, file);
  require<FileError>(tasks.is_array(), file, ": expected an array of tasks, as Label Studio's JSON export has it");
  std::vector<Annotation> out;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    std::string task = text(t + 1);
    try {
      if (const Json id = tasks[t].find("id")) task = detail::words(id);
      const Json data = tasks[t].at("data");
      std::string key = options.image_key;
      if (key.empty()) {
        key = "image";
        if (data.size() == 1) data.each([&](const std::string& name, const Json&) { key = name; });
      }
      Json annotations = tasks[t].find("annotations");
      if (!annotations) annotations = tasks[t].at("completions");  // exports before version 1
      std::vector<Annotation> found;
      std::pair<std::string, std::size_t> latest;  // when, and which of those found
      for (std::size_t i = 0; i < annotations.size(); ++i) {
        const Json cancelled = annotations[i].find("was_cancelled");
        if (cancelled && cancelled.is_true()) continue;
        found.push_back(detail::read_annotation(annotations[i], options));
        found.back().image = data.at(key).as_text();
        found.back().task = task;
        const Json changed = annotations[i].find("updated_at");  // ISO 8601: later times are greater as text
        latest = std::max(latest, {changed ? changed.as_text() : std::string(), found.size() - 1});
      }
      if (options.which == Which::first && !found.empty()) found.resize(1);
      if (options.which == Which::latest && !found.empty()) found = {std::move(found[latest.second])};
      for (Annotation& one : found) out.push_back(std::move(one));
    } catch (const Error& problem) {
      throw FileError(text(file, ", task ", task, ": ", problem.what()));
    }
  }
  return out;
}

[[nodiscard, gnu::cold]] inline std::vector<Annotation> read_label_studio(const std::filesystem::path& path,
                                                                          const LabelStudioOptions& options = {}) {
  return parse_label_studio(read_text(path), path.string(), options);
}

}  // namespace limn::io
