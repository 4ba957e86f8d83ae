// Many pictures on one, to look at data before trusting it.
#pragma once

#include <algorithm>

#include "limn/data/dataset.hpp"
#include "limn/io/image.hpp"

namespace limn::data {

struct SheetOptions {
  Index columns = 8, rows = 6;
  Index zoom = 2;        // each pixel becomes zoom x zoom
  bool outline = false;  // draw the border of each mask
};

/// The first columns x rows samples, row by row, as an RGB picture (for io::write_png). Throws OptionError.
[[nodiscard, gnu::cold]] inline xt::xtensor<std::uint8_t, 3> contact_sheet(const Dataset& data,
                                                                           const SheetOptions& options = {}) {
  require<OptionError>(
      options.columns >= 1 && options.rows >= 1 && options.zoom >= 1 && options.zoom <= 64 && !data.empty(),
      "contact_sheet: expected at least one column, row and sample, and a zoom of 1 to 64");
  const Index zoom = options.zoom, gap = 2, height = data.height() * zoom, width = data.width() * zoom;
  const Index rows = std::min(options.rows, (data.size() + options.columns - 1) / options.columns);
  xt::xtensor<std::uint8_t, 3> sheet({static_cast<std::size_t>(rows * (height + gap) - gap),
                                      static_cast<std::size_t>(options.columns * (width + gap) - gap), 3},
                                     std::uint8_t{255});
  for (Index i = 0; i < std::min(data.size(), rows * options.columns); ++i) {
    const Sample& sample = data[i];
    const auto colours = io::to_bytes(io::to_channels(sample.image, 3));
    const Index top = i / options.columns * (height + gap), left = i % options.columns * (width + gap);
    const auto masked = [&](Index y, Index x) {  // in zoomed pixels
      return y >= 0 && x >= 0 && y < height && x < width && (*sample.mask)(y / zoom, x / zoom) > .5f;
    };
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        const bool border = options.outline && sample.mask && masked(y, x) &&
                            !(masked(y - 1, x) && masked(y + 1, x) && masked(y, x - 1) && masked(y, x + 1));
        for (Index c = 0; c < 3; ++c)
          sheet(top + y, left + x, c) = border ? std::uint8_t(c == 2 ? 0 : 255) : colours(y / zoom, x / zoom, c);
      }
    }
  }
  return sheet;
}

}  // namespace limn::data
