// Faithfulness in reports: a row per explainer in HTML, Markdown and metrics.json, and its curves.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "limn/io/json.hpp"
#include "limn/metrics/faithfulness_scores.hpp"
#include "limn/report/charts/svg.hpp"
#include "limn/report/table.hpp"
#include "limn/report/text.hpp"

namespace limn::report {

namespace detail {

/// From 0 to 1.
[[gnu::cold]] inline std::vector<double> equal_steps(std::size_t count) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<double>(i) / static_cast<double>(count - 1));
  return out;
}

[[gnu::cold]] inline std::string faithfulness_html(const std::vector<metrics::FaithfulnessScores>& all) {
  if (all.empty()) return "";
  std::string out = "<h2>What the explanations are worth to the network</h2>\n<div class=\"scroll\"><table>\n", charts,
              degraded;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const metrics::FaithfulnessScores& s = all[i];
    if (i == 0 || s.measures != all[i - 1].measures) {
      out += "<tr><th>explainer</th>";
      for (const std::string& measure : s.measures) put(out, {"<th>", escape(measure), "</th>"});
      out += "<th>pictures</th><th>undefined</th></tr>\n";
    }
    put(out, {"<tr><td class=\"name\">", escape(s.explainer), "</td>"});
    for (std::size_t k = 0; k < s.measures.size(); ++k) {
      put(out, {"<td>", fixed(s.mean[k], 3)});
      if (std::isfinite(s.std[k])) put(out, {"<br><small>\u00b1 ", fixed(s.std[k], 2), "</small>"});
      out += "</td>";
    }
    put(out, {"<td>", std::to_string(s.images), "</td><td>", std::to_string(s.undefined), "</td></tr>\n"});
    const auto chart = [&](const std::vector<double>& taken, const metrics::FlipCurves& curves) {
      return line_chart(s.explainer, "share of the picture taken away",
                        {{"least important first", taken, curves.lif}, {"most important first", taken, curves.mif}});
    };
    if (!s.taken.empty()) charts += chart(s.taken, s.agrees);
    if (!s.degradation.lif.empty()) degraded += chart(equal_steps(s.degradation.lif.size()), s.degradation);
  }
  put(out,
      {"</table></div>\n<p class=\"soft\">Parts of the pictures are taken away in the order of the map, and the "
       "network is asked again. Keep k%: how often its answer stays when the k% highest pixels stay. LIF and MIF area: "
       "the area under the curve of that agreement, least or most important first; SRG: their difference, 0 for a "
       "random map. Insertion and deletion: the area under the probability of the class, most important pixels first. "
       "Sufficiency and comprehensiveness: by how much the probability falls when only the highest pixels stay, or "
       "when "
       "they are taken away. A faithful map is high in all but MIF area, deletion and sufficiency.</p>\n",
       charts.empty() ? "" : "<p>Agreement of the answer, in the order of each map.</p>\n<div class=\"columns\">\n",
       charts, charts.empty() ? "" : "</div>\n",
       degraded.empty() ? "" : "<p>Probability of the class, of which DS is made.</p>\n<div class=\"columns\">\n",
       degraded, degraded.empty() ? "" : "</div>\n"});
  for (const metrics::FaithfulnessScores& s : all)
    for (const std::string& why : s.reasons)
      put(out, {"<p class=\"soft\">", escape(s.explainer), ", not defined for ", escape(why), ".</p>\n"});
  return out;
}

[[gnu::cold]] inline std::string faithfulness_markdown(const std::vector<metrics::FaithfulnessScores>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const metrics::FaithfulnessScores& s = all[i];
    if (i == 0 || s.measures != all[i - 1].measures) {
      std::string rule = "|---|";
      out += "\n| explainer |";
      for (const std::string& measure : s.measures) {
        put(out, {" ", measure, " |"});
        rule += "---:|";
      }
      put(out, {" pictures | undefined |\n", rule, "---:|---:|\n"});
    }
    put(out, {"| ", cell(s.explainer), " |"});
    for (std::size_t k = 0; k < s.measures.size(); ++k)
      put(out, {" ", fixed(s.mean[k], 3), " \u00b1 ", fixed(s.std[k], 3), " |"});
    put(out, {" ", std::to_string(s.images), " | ", std::to_string(s.undefined), " |\n"});
  }
  return out;
}

[[gnu::cold]] inline std::string faithfulness_json(const std::vector<metrics::FaithfulnessScores>& all) {
  std::string out = "\"faithfulness\": {";
  std::vector<std::string> used;
  for (const metrics::FaithfulnessScores& s : all) {
    put(out, {used.empty() ? "\n    " : ",\n    ", io::json_string(explainer_key(s.explainer, used)),
              ": {\"name\": ", io::json_string(clean(s.explainer))});
    for (std::size_t k = 0; k < s.measures.size(); ++k) {
      const std::string key = slug(s.measures[k]);
      put(out, {", \"", key, "\": ", io::json_number(s.mean[k]), ", \"", key, "_std\": ", io::json_number(s.std[k])});
    }
    put(out, {", \"images\": ", std::to_string(s.images), ", \"undefined\": ", std::to_string(s.undefined), "}"});
  }
  return out + "\n  },\n  ";
}

}  // namespace detail

inline constexpr metrics::FaithfulnessViews faithfulness_views{detail::faithfulness_html, detail::faithfulness_markdown,
                                                               detail::faithfulness_json};

}  // namespace limn::report
