// Tables of any content, as HTML, Markdown and CSV: one value, so that report, documents and files cannot disagree.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "limn/core/error.hpp"
#include "limn/io/csv.hpp"
#include "limn/report/table.hpp"
#include "limn/report/text.hpp"

namespace limn::report {

/// Cells are text as it is; it is escaped where it is written. What stands behind a line end is a remark (an interval,
/// say): small in HTML, in brackets elsewhere.
struct Table {
  std::vector<std::string> columns = {};
  std::vector<std::vector<std::string>> rows = {};

  /// Throws ShapeError unless there is a cell for every column.
  [[gnu::cold]] void add(std::vector<std::string> cells) {
    require<ShapeError>(cells.size() == columns.size(), "table: ", cells.size(), " cells for ", columns.size(),
                        " columns");
    rows.push_back(std::move(cells));
  }
};

namespace detail {
/// The cell and its remark.
[[gnu::cold]] inline std::pair<std::string, std::string> parts(const std::string& cell) {
  const auto end = cell.find('\n');
  return end == std::string::npos ? std::pair{cell, std::string()}
                                  : std::pair{cell.substr(0, end), cell.substr(end + 1)};
}
[[gnu::cold]] inline std::string on_one_line(const std::string& cell) {
  const auto [content, remark] = parts(cell);
  return remark.empty() ? content : joined({content, " (", remark, ")"});
}
}  // namespace detail

[[nodiscard, gnu::cold]] inline std::string html_table(const Table& table) {
  std::string out = "<div class=\"scroll\"><table>\n<tr>";
  for (const std::string& name : table.columns) put(out, {"<th>", escape(name), "</th>"});
  for (const auto& row : table.rows) {
    out += "</tr>\n<tr>";
    for (const std::string& content : row) {
      const auto [value, remark] = detail::parts(content);
      put(out, {"<td>", escape(value)});
      if (!remark.empty()) put(out, {"<br><small>", escape(remark), "</small>"});
      out += "</td>";
    }
  }
  return out + "</tr>\n</table></div>\n";
}

/// The first column is aligned to the left, the others to the right.
[[nodiscard, gnu::cold]] inline std::string markdown(const Table& table) {
  std::string head = "|", rule = "|", body;
  for (const std::string& name : table.columns) {
    put(head, {" ", detail::cell(name), " |"});
    rule += rule.size() == 1 ? "---|" : "---:|";
  }
  for (const auto& row : table.rows) {
    body += "|";
    for (const std::string& content : row) put(body, {" ", detail::cell(detail::on_one_line(content)), " |"});
    body += "\n";
  }
  return joined({head, "\n", rule, "\n", body});
}

[[nodiscard, gnu::cold]] inline std::string csv(const Table& table) {
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
      put(out, {i > 0 ? "," : "", io::csv_cell(detail::on_one_line(cells[i]))});
    out += "\n";
  };
  line(table.columns);
  for (const auto& row : table.rows) line(row);
  return out;
}

}  // namespace limn::report
