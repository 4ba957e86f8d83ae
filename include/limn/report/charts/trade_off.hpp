// What one thing costs of another: a chart with an interval both ways at every point, a line for each way to do it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "limn/metrics/comparison.hpp"
#include "limn/report/charts/svg.hpp"

namespace limn::report {

/// A point with its name (a strength, say). Intervals that are NaN are not drawn.
struct TradeOffPoint {
  std::string label;
  metrics::Summary x, y;
};

struct TradeOffLine {
  std::string name;
  std::vector<TradeOffPoint> points;  ///< in the order in which they are joined
};

/// Points without a mean are left out. Empty where none has one.
[[nodiscard, gnu::cold]] inline std::string trade_off_chart(const std::string& title, const std::string& x_name,
                                                            const std::string& y_name,
                                                            const std::vector<TradeOffLine>& lines) {
  constexpr double far = std::numeric_limits<double>::infinity();
  std::array<double, 2> across{far, -far}, up{far, -far};
  const auto widen = [](std::array<double, 2>& ends, const metrics::Summary& s) {
    for (const double v : {s.mean, s.interval[0], s.interval[1]})
      if (std::isfinite(v)) ends = {std::min(ends[0], v), std::max(ends[1], v)};
  };
  const auto drawn = [](const TradeOffPoint& p) { return std::isfinite(p.x.mean) && std::isfinite(p.y.mean); };
  for (const TradeOffLine& line : lines)
    for (const TradeOffPoint& p : line.points)
      if (drawn(p)) {
        widen(across, p.x);
        widen(up, p.y);
      }
  if (!(across[0] <= across[1])) return "";
  const detail::Frame frame{detail::linear_axis(across[0], across[1]), detail::linear_axis(up[0], up[1]), 640, 420};
  std::string svg = joined(
      {"<figure class=\"plot\"><figcaption>", escape(title), "</figcaption>\n", frame.open(title, x_name, y_name)});
  const auto segment = [&](const std::string& style, double x1, double y1, double x2, double y2) {
    put(svg, {"<line class=\"whisker ", style, "\" x1=\"", fixed(frame.x(x1), 1), "\" y1=\"", fixed(frame.y(y1), 1),
              "\" x2=\"", fixed(frame.x(x2), 1), "\" y2=\"", fixed(frame.y(y2), 1), "\"/>\n"});
  };
  std::string legend = "<p class=\"legend\">";
  for (std::size_t k = 0; k < lines.size(); ++k) {
    const std::string style = detail::style_class(k);
    std::string path, dots;
    for (const TradeOffPoint& p : lines[k].points) {
      if (!drawn(p)) continue;
      if (std::isfinite(p.x.interval[0])) segment(style, p.x.interval[0], p.y.mean, p.x.interval[1], p.y.mean);
      if (std::isfinite(p.y.interval[0])) segment(style, p.x.mean, p.y.interval[0], p.x.mean, p.y.interval[1]);
      const std::string x = fixed(frame.x(p.x.mean), 1), y = fixed(frame.y(p.y.mean), 1);
      put(path, {x, ",", y, " "});
      put(dots, {"<circle class=\"dot ", style, "\" cx=\"", x, "\" cy=\"", y, "\" r=\"3.5\"/><text x=\"",
                 fixed(frame.x(p.x.mean) + 6, 1), "\" y=\"", fixed(frame.y(p.y.mean) - 6, 1), "\">", escape(p.label),
                 "</text>\n"});
    }
    put(svg, {"<polyline class=\"line ", style, "\" points=\"", path, "\"/>\n", dots});
    put(legend, {"<span>", detail::line_sample(k), " ", escape(lines[k].name), "</span> "});
  }
  return joined({svg, "</svg>\n", legend, "</p></figure>\n"});
}

}  // namespace limn::report
