// Distributions side by side: violin plots (Hintze and Nelson 1998), lying, so that long names can be read.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "limn/metrics/statistics.hpp"
#include "limn/report/charts/svg.hpp"

namespace limn::report {

/// Values of one kind. NaN is left out.
struct Violin {
  std::string name;
  std::vector<double> values;
};

namespace detail {

/// The value below which a share of sorted values lies, linear between ranks.
[[nodiscard]] inline double quantile(const std::vector<double>& sorted, double share) {
  const double rank = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(rank), high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (rank - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

/// (value, density) from the smallest to the largest value: Gaussian kernels of Silverman's width, the densest 1. Empty
/// where all values are the same.
[[nodiscard, gnu::cold]] inline std::vector<std::pair<double, double>> density(const std::vector<double>& sorted) {
  constexpr int places = 81;
  metrics::Running all;
  for (const double v : sorted) all.add(v);
  const double spread = quantile(sorted, .75) - quantile(sorted, .25), std = all.std();
  const double narrow = spread > 0 ? std::min(std, spread / 1.34) : std;
  const double width = .9 * narrow * std::pow(static_cast<double>(sorted.size()), -.2);
  std::vector<std::pair<double, double>> out;
  if (!(width > 0)) return out;
  double densest = 0;
  for (int i = 0; i < places; ++i) {
    const double at = sorted.front() + (sorted.back() - sorted.front()) * i / (places - 1);
    double sum = 0;
    for (const double v : sorted) sum += std::exp(-.5 * (at - v) * (at - v) / (width * width));
    densest = std::max(densest, sum);
    out.emplace_back(at, sum);
  }
  for (auto& [at, value] : out) value /= densest;
  return out;
}

}  // namespace detail

/// Each violin as wide as the others at its densest value; the bar reaches from quartile to quartile, the dot is the
/// median. Empty where no value is defined.
[[nodiscard, gnu::cold]] inline std::string violin_chart(const std::string& title, const std::string& x_name,
                                                         const std::vector<Violin>& violins) {
  std::vector<std::vector<double>> sorted;
  std::vector<double> all;
  for (const Violin& violin : violins) {
    sorted.push_back(violin.values);
    std::erase_if(sorted.back(), [](double v) { return !std::isfinite(v); });
    std::sort(sorted.back().begin(), sorted.back().end());
    append(all, sorted.back());
  }
  if (all.empty()) return "";
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  const auto rows = static_cast<double>(violins.size());
  const detail::Frame frame{
      .across = detail::linear_axis(*low, *high), .up = {0, rows}, .width = 640, .height = 50 + 34 * rows, .left = 190};
  std::string svg =
      joined({"<figure class=\"plot\"><figcaption>", escape(title), "</figcaption>\n", frame.open(title, x_name, "")});
  for (std::size_t k = 0; k < violins.size(); ++k) {
    const double row = rows - .5 - static_cast<double>(k);
    const std::string middle = fixed(frame.y(row), 1), style = detail::style_class(k);
    put(svg, {"<text x=\"", fixed(frame.left - 8, 1), "\" y=\"", fixed(frame.y(row) + 4, 1), "\" text-anchor=\"end\">",
              escape(violins[k].name), "</text>\n"});
    if (sorted[k].empty()) continue;
    std::string upper, lower;
    for (const auto& [at, value] : detail::density(sorted[k])) {
      const std::string x = fixed(frame.x(at), 1);
      put(upper, {x, ",", fixed(frame.y(row + .42 * value), 1), " "});
      lower.insert(0, joined({x, ",", fixed(frame.y(row - .42 * value), 1), " "}));
    }
    const auto at = [&](double share) { return fixed(frame.x(detail::quantile(sorted[k], share)), 1); };
    put(svg, {"<polygon class=\"band\" style=\"fill: var(--", style, ")\" points=\"", upper, lower, "\"/>\n"});
    put(svg, {"<line style=\"stroke-dasharray: none\" class=\"line ", style, "\" x1=\"", at(.25), "\" y1=\"", middle,
              "\" x2=\"", at(.75), "\" y2=\"", middle, "\"/>\n"});
    put(svg, {"<circle class=\"dot ", style, "\" cx=\"", at(.5), "\" cy=\"", middle, "\" r=\"3.5\"/>\n"});
  }
  return svg + "</svg>\n<p class=\"legend\">Dot: median; bar: from quartile to quartile.</p></figure>\n";
}

}  // namespace limn::report
