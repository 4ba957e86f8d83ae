// Lines with a band around each: a mean over runs and how far the runs lie from it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/report/charts/svg.hpp"

namespace limn::report {

/// A line and its band. Points of which anything is NaN are left out.
struct Band {
  std::string name;
  std::vector<double> x, mean, low, high;
};

/// The first lines lie above the later ones. Empty where no point is defined. Throws ShapeError where a band has not as
/// many of one as of the other.
[[nodiscard, gnu::cold]] inline std::string band_chart(const std::string& title, const std::string& x_name,
                                                       const std::string& y_name, const std::vector<Band>& bands) {
  constexpr double far = std::numeric_limits<double>::infinity();
  std::array<double, 2> across{far, -far}, up{far, -far};
  const auto defined = [](const Band& b, std::size_t i) {
    return std::isfinite(b.x[i]) && std::isfinite(b.mean[i]) && std::isfinite(b.low[i]) && std::isfinite(b.high[i]);
  };
  for (const Band& b : bands) {
    require<ShapeError>(b.mean.size() == b.x.size() && b.low.size() == b.x.size() && b.high.size() == b.x.size(),
                        "band_chart: ", b.name, ": ", b.x.size(), " places, but ", b.mean.size(), " means, ",
                        b.low.size(), " lower and ", b.high.size(), " upper ends");
    for (std::size_t i = 0; i < b.x.size(); ++i) {
      if (!defined(b, i)) continue;
      across = {std::min(across[0], b.x[i]), std::max(across[1], b.x[i])};
      up = {std::min({up[0], b.low[i], b.mean[i]}), std::max({up[1], b.high[i], b.mean[i]})};
    }
  }
  if (!(across[0] <= across[1])) return "";
  const detail::Frame frame{detail::linear_axis(across[0], across[1]), detail::linear_axis(up[0], up[1]), 640, 420};
  std::string svg = joined(
      {"<figure class=\"plot\"><figcaption>", escape(title), "</figcaption>\n", frame.open(title, x_name, y_name)});
  std::string legend = "<p class=\"legend\">";
  for (std::size_t k = bands.size(); k-- > 0;) {
    const Band& b = bands[k];
    std::string line, rim, back;
    for (std::size_t i = 0; i < b.x.size(); ++i) {
      if (!defined(b, i)) continue;
      const std::string x = fixed(frame.x(b.x[i]), 1);
      put(line, {x, ",", fixed(frame.y(b.mean[i]), 1), " "});
      put(rim, {x, ",", fixed(frame.y(b.high[i]), 1), " "});
      back.insert(0, joined({x, ",", fixed(frame.y(b.low[i]), 1), " "}));
    }
    put(svg, {"<polygon class=\"band\" style=\"fill: var(--", detail::style_class(k), ")\" points=\"", rim, back,
              "\"/>\n<polyline class=\"line ", detail::style_class(k), "\" points=\"", line, "\"/>\n"});
  }
  for (std::size_t k = 0; k < bands.size(); ++k)
    put(legend, {"<span>", detail::line_sample(k), " ", escape(bands[k].name), "</span> "});
  return joined({svg, "</svg>\n", legend, "</p></figure>\n"});
}

}  // namespace limn::report
