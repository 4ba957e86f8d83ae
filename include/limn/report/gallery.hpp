// The pictures of a report: each with its mask's outline and its maps, as figures with the PNGs inside, and as PNG
// files.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/io/files.hpp"
#include "limn/io/png.hpp"
#include "limn/report/colour.hpp"
#include "limn/report/text.hpp"
#include "limn/report/types.hpp"

namespace limn::report::detail {

/// Refuses what cannot be drawn, naming the picture, before anything is written.
[[gnu::cold]] inline void check_gallery(const Gallery& gallery) {
  for (const Picture& p : gallery.pictures) {
    const auto shape = p.image.shape();
    require<ShapeError>(p.image.size() > 0, "report: picture ", p.id, " is empty (", shape[0], " x ", shape[1], " x ",
                        shape[2], ")");
    if (p.mask)
      require<ShapeError>(p.mask->shape()[0] == shape[0] && p.mask->shape()[1] == shape[1], "report: picture ", p.id,
                          " is ", shape[0], " x ", shape[1], ", its mask ", p.mask->shape()[0], " x ",
                          p.mask->shape()[1]);
    for (const NamedMap& m : p.maps)
      require<ShapeError>(m.map.size() > 0, "report: picture ", p.id, ": the map ", m.name, " is empty");
  }
}

[[gnu::cold]] inline bool has_positive(const NamedMap& map) {
  return std::ranges::any_of(map.map.storage(), [](float v) { return v > 0; });
}

/// Pictures with three equal channels are written as grey ones: a third of the bytes.
[[gnu::cold]] inline std::vector<std::uint8_t> encode(const Rgb& picture) {
  const std::size_t pixels = picture.shape()[0] * picture.shape()[1];
  Rgb grey(std::array<std::size_t, 3>{picture.shape()[0], picture.shape()[1], 1});
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* p = picture.data() + 3 * i;
    if (p[0] != p[1] || p[1] != p[2]) return io::encode_png(picture);
    grey.data()[i] = p[0];
  }
  return io::encode_png(grey);
}

/// One picture's row. Writes FOLDER/NN_id_M_name.png for each of its figures; the two numbers make the names unique.
[[gnu::cold]] inline std::string picture_row(const Picture& p, std::size_t number,
                                             const std::filesystem::path& folder) {
  std::string html = "<section class=\"picture\"><h3>";
  if (!p.predicted.empty()) {
    const bool correct = p.truth == p.predicted;
    put(html,
        {"<span class=\"badge ", correct ? "correct\">\u2713 correct" : "incorrect\">\u2717 incorrect", "</span>"});
  }
  put(html, {escape(p.id), " <span>\u00b7 truth: <b>", escape(p.truth), "</b>"});
  if (!p.predicted.empty())
    put(html, {" \u00b7 predicted: <b>", escape(p.predicted), "</b>, probability ", fixed(p.probability, 2)});
  html += "</span></h3>\n<div class=\"maps\">\n";
  std::size_t figures = 0;
  const auto figure = [&](const Rgb& pixels, const std::string& name, const std::string& note) {
    const std::vector<std::uint8_t> png = encode(pixels);
    std::string file = text(number < 10 ? "0" : "", number, "_", slug(p.id), "_", figures++, "_", slug(name), ".png");
    io::write_file_atomically(folder / file, png);
    put(html, {"<figure tabindex=\"0\"><img alt=\"", escape(name), " of ", escape(p.id), "\" width=\"",
               std::to_string(pixels.shape()[1]), "\" height=\"", std::to_string(pixels.shape()[0]),
               "\" src=\"data:image/png;base64,", base64(png), "\"><figcaption>", escape(name),
               note.empty() ? "" : "<br>", escape(note), "</figcaption></figure>\n"});
  };
  const Rgb plain = shown_image(p.image);
  figure(plain, "picture", "");
  if (p.mask) {
    Rgb marked = plain;
    outline(marked, *p.mask);
    const bool empty = std::ranges::none_of(p.mask->storage(), [](float v) { return v > .5f; });
    figure(marked, "marked by a person", empty ? "nothing is marked" : "");
  }
  for (const NamedMap& map : p.maps) {
    Rgb covered = plain;
    overlay(covered, map);
    if (p.mask) outline(covered, *p.mask);
    figure(covered, map.name, has_positive(map) ? "" : "no positive value: nothing to show");
  }
  return html + "</div></section>\n";
}

}  // namespace limn::report::detail
