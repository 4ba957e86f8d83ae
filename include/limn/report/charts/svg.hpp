// Charts as inline SVG, without scripts. Colours come from the classes s0 to s7 of the style sheet (style.hpp), so that
// one chart serves light and dark screens and print; dashes tell lines apart without colour.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "limn/metrics/classification.hpp"
#include "limn/report/text.hpp"

namespace limn::report {

/// One line of a chart. A NaN interrupts it.
struct Series {
  std::string name;
  std::vector<double> x, y;
};

namespace detail {

/// An axis: its ends, the marks on it, and where values lie between the ends (0 to 1).
struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;
  std::vector<double> ticks = {};
  int digits = 0;

  double operator()(double v) const {
    if (logarithmic) return (std::log10(v) - std::log10(low)) / (std::log10(high) - std::log10(low));
    return (v - low) / (high - low);
  }
  /// Logarithmic ticks reach from thousandths to thousands: each gets the digits that it needs.
  std::string label(double tick) const {
    return fixed(tick, logarithmic ? static_cast<int>(std::max(0.0, -std::floor(std::log10(tick) + 1e-9))) : digits);
  }
};

/// About five ticks at 1, 2 or 5 times a power of ten; the ends are ticks.
[[gnu::cold]] inline Axis linear_axis(double low, double high, bool whole = false) {
  if (!(high > low)) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= room;
    high += room;
  }
  const double raw = (high - low) / 5, power = std::pow(10, std::floor(std::log10(raw)));
  double step = power * (raw / power <= 1.5 ? 1 : raw / power <= 3.5 ? 2 : raw / power <= 7.5 ? 5 : 10);
  if (whole) step = std::max(1.0, step);
  Axis axis;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double k = first; k <= last; ++k) axis.ticks.push_back(k * step);
  axis.low = axis.ticks.front();
  axis.high = axis.ticks.back();
  axis.digits = static_cast<int>(std::max(0.0, -std::floor(std::log10(step) + 1e-9)));
  return axis;
}

/// Ticks at 1, 2 and 5 times powers of ten, at powers of ten alone where the values span many.
[[gnu::cold]] inline Axis logarithmic_axis(double low, double high) {
  Axis axis;
  axis.logarithmic = true;
  const int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
  std::vector<double> marks;
  for (int power = first; power <= last; ++power)
    for (double m : {1.0, 2.0, 5.0})
      if (m == 1.0 || last - first <= 3) marks.push_back(m * std::pow(10, power));
  for (std::size_t i = 0; i < marks.size(); ++i)
    if ((i + 1 == marks.size() || marks[i + 1] > low) && (i == 0 || marks[i - 1] < high))
      axis.ticks.push_back(marks[i]);
  axis.low = axis.ticks.front();
  axis.high = axis.ticks.back();
  return axis;
}

/// What the labels of an upright axis and its name need beside the plot.
[[gnu::cold]] inline double room_for(const Axis& up) {
  std::size_t longest = 0;
  for (const double tick : up.ticks) longest = std::max(longest, up.label(tick).size());
  return std::max(52.0, 26 + 6.5 * static_cast<double>(longest));
}

/// The plot area, frame, grid and labels of a chart; `x` and `y` place values on it.
struct Frame {
  Axis across, up;
  double width, height, left = room_for(up), right = 12, top = 10, bottom = 40;

  double x(double v) const { return left + across(v) * (width - left - right); }
  double y(double v) const { return top + (1 - up(v)) * (height - top - bottom); }

  std::string open(const std::string& title, const std::string& x_name, const std::string& y_name) const {
    std::string s = joined({"<svg class=\"chart\" viewBox=\"0 0 ", fixed(width, 0), " ", fixed(height, 0),
                            "\" role=\"img\"><title>", escape(title), "</title>\n"});
    const auto line = [&](double x1, double y1, double x2, double y2) {
      put(s, {"<line class=\"grid\" x1=\"", fixed(x1, 1), "\" y1=\"", fixed(y1, 1), "\" x2=\"", fixed(x2, 1),
              "\" y2=\"", fixed(y2, 1), "\"/>"});
    };
    const auto write = [&](double px, double py, const char* anchor, const std::string& words) {
      put(s, {"<text x=\"", fixed(px, 1), "\" y=\"", fixed(py, 1), "\" text-anchor=\"", anchor, "\">", escape(words),
              "</text>\n"});
    };
    for (double tick : up.ticks) {
      line(left, y(tick), width - right, y(tick));
      write(left - 6, y(tick) + 4, "end", up.label(tick));
    }
    for (double tick : across.ticks) {
      line(x(tick), top, x(tick), height - bottom);
      write(x(tick), height - bottom + 16, "middle", across.label(tick));
    }
    write((left + width - right) / 2, height - 6, "middle", x_name);
    const double middle = (top + height - bottom) / 2;
    put(s, {"<text transform=\"translate(12 ", fixed(middle, 1), ") rotate(-90)\" text-anchor=\"middle\">",
            escape(y_name), "</text>\n"});
    return s;
  }
};

inline std::string style_class(std::size_t i) { return "s" + std::to_string(i % 8); }

/// A piece of line k, for legends.
[[gnu::cold]] inline std::string line_sample(std::size_t k) {
  return joined({"<svg viewBox=\"0 0 26 8\"><line class=\"line ", style_class(k),
                 "\" x1=\"0\" y1=\"4\" x2=\"26\" y2=\"4\"/></svg>"});
}

}  // namespace detail

/// A line chart with its legend (which gives each line's last value). The vertical axis is logarithmic where all values
/// are positive and span more than a factor of 30. Empty where no value is defined.
[[nodiscard, gnu::cold]] inline std::string line_chart(const std::string& title, const std::string& x_name,
                                                       const std::vector<Series>& lines) {
  double x_low = std::numeric_limits<double>::infinity(), x_high = -x_low, y_low = x_low, y_high = -x_low;
  for (const Series& line : lines)
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      if (!std::isfinite(line.y[i]) || !std::isfinite(line.x[i])) continue;
      x_low = std::min(x_low, line.x[i]);
      x_high = std::max(x_high, line.x[i]);
      y_low = std::min(y_low, line.y[i]);
      y_high = std::max(y_high, line.y[i]);
    }
  if (!(x_low <= x_high)) return "";
  const bool logarithmic = y_low > 0 && y_high > 30 * y_low;
  detail::Frame frame{detail::linear_axis(x_low, x_high, true),
                      logarithmic ? detail::logarithmic_axis(y_low, y_high) : detail::linear_axis(y_low, y_high), 560,
                      300};
  // Whole epochs: the axis ends with the data, not with the next tick.
  if (x_high > x_low) {
    frame.across.low = x_low;
    frame.across.high = x_high;
    std::erase_if(frame.across.ticks, [&](double t) { return t < x_low || t > x_high; });
  }
  std::string svg = joined({"<figure class=\"plot\"><figcaption>", escape(title), "</figcaption>\n",
                            frame.open(title, x_name, logarithmic ? "value (logarithmic)" : "value")});
  std::string legend = "<p class=\"legend\">";
  for (std::size_t k = 0; k < lines.size(); ++k) {
    const Series& line = lines[k];
    const std::string style = detail::style_class(k);
    double last = std::numeric_limits<double>::quiet_NaN();
    for (std::size_t i = 0; i < line.x.size();) {
      if (!std::isfinite(line.y[i]) || !std::isfinite(line.x[i])) {
        ++i;
        continue;
      }
      std::string points;
      std::size_t end = i;
      for (; end < line.x.size() && std::isfinite(line.y[end]) && std::isfinite(line.x[end]); ++end) {
        put(points, {fixed(frame.x(line.x[end]), 1), ",", fixed(frame.y(line.y[end]), 1), " "});
        last = line.y[end];
      }
      if (end - i == 1)
        put(svg, {"<circle class=\"dot ", style, "\" cx=\"", fixed(frame.x(line.x[i]), 1), "\" cy=\"",
                  fixed(frame.y(line.y[i]), 1), "\" r=\"3\"/>\n"});
      else
        put(svg, {"<polyline class=\"line ", style, "\" points=\"", points, "\"/>\n"});
      i = end;
    }
    put(legend, {"<span>", detail::line_sample(k), " ", escape(line.name), " <b>", fixed(last, 3), "</b></span> "});
  }
  return joined({svg, "</svg>\n", legend, "</p></figure>\n"});
}

/// The ROC curve with the diagonal of a coin toss. Empty without a curve.
[[nodiscard, gnu::cold]] inline std::string roc_chart(const metrics::ClassificationScores& scores) {
  if (scores.roc.empty()) return "";
  const detail::Frame frame{detail::linear_axis(0, 1), detail::linear_axis(0, 1), 360, 350};
  std::string svg = joined({"<figure class=\"plot narrow\"><figcaption>ROC curve, AUC ", fixed(scores.auc, 3)});
  if (std::isfinite(scores.auc_interval[0]))
    put(svg, {" (95% interval ", fixed(scores.auc_interval[0], 3), " to ", fixed(scores.auc_interval[1], 3), ")"});
  put(svg, {"</figcaption>\n", frame.open("ROC curve", "1 \u2212 specificity", "sensitivity")});
  put(svg, {"<line class=\"diagonal\" x1=\"", fixed(frame.x(0), 1), "\" y1=\"", fixed(frame.y(0), 1), "\" x2=\"",
            fixed(frame.x(1), 1), "\" y2=\"", fixed(frame.y(1), 1), "\"/>\n<polyline class=\"line s0\" points=\""});
  for (const metrics::RocPoint& p : scores.roc)
    put(svg, {fixed(frame.x(p.false_positive_rate), 1), ",", fixed(frame.y(p.true_positive_rate), 1), " "});
  return svg + "\"/>\n</svg>\n<p class=\"legend\">Dashed: a coin toss (AUC 0.5).</p></figure>\n";
}

}  // namespace limn::report
