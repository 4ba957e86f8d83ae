// Tables in comma-separated text (RFC 4180): a header line, quoted cells, LF or CRLF. Strict: a table that is not one
// is refused with file and line.
#pragma once

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limn/io/files.hpp"

namespace limn::io {

/// A table of text cells, read by row number and column name.
class Csv {
 public:
  /// Reads the text of a table; `name` stands for the file in messages. Throws FileError.
  static Csv parse(std::string_view content, std::string name) {
    Csv table;
    table.name_ = std::move(name);
    if (content.substr(0, 3) == "\xEF\xBB\xBF") content.remove_prefix(3);  // the mark that spreadsheets put in front
    std::size_t at = 0;
    Index line = 1;
    while (at < content.size()) {
      const Index first_line = line;
      std::vector<std::string> cells = table.read_record(content, at, line);
      if (cells.size() == 1 && cells[0].empty()) continue;  // a blank line
      if (table.columns_.empty()) {
        table.columns_ = std::move(cells);
        table.check_header(first_line);
        continue;
      }
      table.check(cells.size() == table.columns_.size(), first_line, "expected ", table.columns_.size(), " cells, got ",
                  cells.size());
      table.rows_.push_back(std::move(cells));
      table.lines_.push_back(first_line);
    }
    require<FileError>(!table.columns_.empty(), table.name_, ": empty, expected a header line");
    return table;
  }

  static Csv read(const std::filesystem::path& path) { return parse(read_text(path), path.string()); }

  Index size() const { return static_cast<Index>(rows_.size()); }
  const std::vector<std::string>& columns() const { return columns_; }
  const std::string& name() const { return name_; }
  /// The line of the file in which the row begins, from 1.
  Index line(Index row) const { return lines_.at(static_cast<std::size_t>(row)); }

  bool has(std::string_view column) const { return find(column) < columns_.size(); }

  /// The cell; throws FileError listing the columns where there is no such column.
  const std::string& at(Index row, std::string_view column) const {
    const std::size_t position = find(column);
    if (position == columns_.size()) {
      std::string known;
      for (const std::string& name : columns_) known += (known.empty() ? "" : ", ") + name;
      throw FileError(text(name_, ": no column \"", column, "\"; it has ", known));
    }
    return rows_.at(static_cast<std::size_t>(row))[position];
  }

  /// The cell as a number, NaN where it is empty (csv_number); throws FileError where it is none.
  [[gnu::cold]] double number(Index row, std::string_view column) const {
    const std::string& cell = at(row, column);
    if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
    double value = 0;
    const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    check(problem == std::errc() && end == cell.data() + cell.size() && std::isfinite(value), line(row), "column \"",
          column, "\": expected a number, got \"", cell, "\"");
    return value;
  }

 private:
  template <class... Parts>
  void check(bool condition, Index line, const Parts&... parts) const {
    require<FileError>(condition, name_, ":", line, ": ", parts...);
  }

  std::size_t find(std::string_view column) const {
    std::size_t i = 0;
    while (i < columns_.size() && columns_[i] != column) ++i;
    return i;
  }

  void check_header(Index line) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      check(!columns_[i].empty(), line, "column ", i + 1, " has no name");
      check(find(columns_[i]) == i, line, "two columns are called \"", columns_[i], "\"");
    }
  }

  /// One record from `at` to behind its line end.
  std::vector<std::string> read_record(std::string_view content, std::size_t& at, Index& line) const {
    std::vector<std::string> cells(1);
    bool quoted = false, closed = false;  // inside quotes; behind the closing quote
    Index opened = line;
    for (; at < content.size(); ++at) {
      const char c = content[at];
      check(c != '\0', line, "a zero byte; this is not a text file");
      if (quoted) {
        if (c == '"' && at + 1 < content.size() && content[at + 1] == '"') {
          cells.back() += '"';
          ++at;
        } else if (c == '"') {
          quoted = false;
          closed = true;
        } else {
          line += c == '\n';
          cells.back() += c;
        }
        continue;
      }
      const bool crlf = c == '\r' && at + 1 < content.size() && content[at + 1] == '\n';
      if (c == '\n' || crlf) {
        at += crlf ? 2 : 1;
        ++line;
        return cells;
      }
      if (c == ',') {
        cells.emplace_back();
        closed = false;
        continue;
      }
      check(!closed, line, "text behind the closing quote of a cell");
      if (c == '"') {
        check(cells.back().empty(), line, "a quote inside a cell that does not begin with one");
        quoted = true;
        opened = line;
        continue;
      }
      cells.back() += c;
    }
    check(!quoted, opened, "a quote is opened and never closed");
    return cells;
  }

  std::string name_;
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<Index> lines_;
};

/// A cell as it must stand in a file: quoted where it holds commas, quotes or line ends.
[[nodiscard, gnu::cold]] inline std::string csv_cell(std::string_view content) {
  if (content.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(content);
  std::string cell = "\"";
  for (char c : content) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

/// A number that reads back as the same bits; empty where it is NaN or infinite.
[[nodiscard, gnu::cold]] inline std::string csv_number(double value) {
  if (!std::isfinite(value)) return {};
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace limn::io
