// How answers on an ordered scale are spread: a bar for each question, a segment for each answer.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/report/charts/svg.hpp"

namespace limn::report {

struct StackedBar {
  std::string name;
  std::vector<Index> counts;  ///< of each answer, from the lowest to the highest
};

/// All bars have the same length, the answers' shares; each segment shows its count. The lower half of the scale in one
/// colour, the upper half in another, the stronger the farther from the middle. Empty without a count. Throws
/// ShapeError where a bar has not a count for each answer.
[[nodiscard, gnu::cold]] inline std::string stacked_bars(const std::string& title,
                                                         const std::vector<std::string>& answers,
                                                         const std::vector<StackedBar>& bars) {
  const auto rows = static_cast<double>(bars.size()), steps = static_cast<double>(answers.size());
  const detail::Frame frame{
      .across = detail::linear_axis(0, 100), .up = {0, rows}, .width = 640, .height = 50 + 30 * rows, .left = 190};
  const auto style = [&](std::size_t answer) {
    const double from_middle = steps > 1 ? 2 * static_cast<double>(answer) / (steps - 1) - 1 : 1;
    const char* colour = from_middle < 0 ? "s1" : from_middle > 0 ? "s0" : "s7";
    return joined({"fill: var(--", colour, "); opacity: ", fixed(.25 + .4 * std::abs(from_middle), 2)});
  };
  std::string svg = joined(
      {"<figure class=\"plot\"><figcaption>", escape(title), "</figcaption>\n", frame.open(title, "percent", "")});
  Index all = 0;
  for (std::size_t k = 0; k < bars.size(); ++k) {
    const std::vector<Index>& counts = bars[k].counts;
    require<ShapeError>(counts.size() == answers.size(), "stacked_bars: ", bars[k].name, " has ", counts.size(),
                        " counts for ", answers.size(), " answers");
    const Index sum = std::accumulate(counts.begin(), counts.end(), Index{0});
    all += sum;
    const double row = rows - .5 - static_cast<double>(k);
    const auto write = [&](double x, const char* anchor, const std::string& words) {
      put(svg, {"<text x=\"", fixed(x, 1), "\" y=\"", fixed(frame.y(row) + 4, 1), "\" text-anchor=\"", anchor,
                "\" style=\"fill: var(--ink)\">", escape(words), "</text>\n"});
    };
    write(frame.left - 8, "end", bars[k].name);
    Index before = 0;
    for (std::size_t answer = 0; answer < counts.size(); ++answer) {
      if (counts[answer] == 0) continue;
      const auto at = [&](Index count) { return frame.x(100 * static_cast<double>(count) / static_cast<double>(sum)); };
      const double left = at(before), right = at(before + counts[answer]);
      put(svg, {"<rect style=\"", style(answer), "\" x=\"", fixed(left, 1), "\" y=\"", fixed(frame.y(row + .4), 1),
                "\" width=\"", fixed(right - left, 1), "\" height=\"", fixed(frame.y(row - .4) - frame.y(row + .4), 1),
                "\"/>\n"});
      write((left + right) / 2, "middle", std::to_string(counts[answer]));
      before += counts[answer];
    }
  }
  if (all == 0) return "";
  std::string legend = "<p class=\"legend\">";
  for (std::size_t answer = 0; answer < answers.size(); ++answer)
    put(legend, {"<span><svg viewBox=\"0 0 26 8\"><rect style=\"", style(answer),
                 "\" width=\"26\" height=\"8\"/></svg> ", escape(answers[answer]), "</span> "});
  return joined({svg, "</svg>\n", legend, "</p></figure>\n"});
}

}  // namespace limn::report
