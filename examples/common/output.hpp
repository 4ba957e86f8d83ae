// Where the tables of a study go: to the page, to the terminal as Markdown, and to one CSV.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include "limn/report/page.hpp"

namespace example {

struct Output {
  limn::report::Page page;
  std::string csv = {};

  /// A table of its own, under its title.
  void section(const std::string& title, const limn::report::Table& table, const std::string& words = {}) {
    page.heading(title);
    if (!words.empty()) page.words(words);
    put(title, table);
  }
  /// One of several tables under a heading.
  void table(const std::string& title, const limn::report::Table& table) {
    page.words(title);
    put(title, table);
  }
  /// Writes FOLDER/report.html and FOLDER/summary.csv.
  void write(const std::filesystem::path& folder) const {
    limn::io::write_file_atomically(folder / "summary.csv", csv);
    page.write(folder);
  }

 private:
  void put(const std::string& title, const limn::report::Table& table) {
    page.table(table);
    csv += title + "\n" + limn::report::csv(table) + "\n";
    std::printf("%s\n\n%s\n", title.c_str(), limn::report::markdown(table).c_str());
  }
};

}  // namespace example
