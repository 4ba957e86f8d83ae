// A report put together from parts: words, tables, charts, galleries. For studies; a single run has report::html.
//   report::Page("A study").words("What was done.").table("Results", table).chart(svg).write("runs/study");
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limn/report/grid.hpp"
#include "limn/report/html.hpp"

namespace limn::report {

/// Whatever is given as words, names or cells is escaped; charts are taken as they are.
class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  [[gnu::cold]] Page& heading(const std::string& words) { return add({"<h2>", escape(words), "</h2>\n"}); }
  /// A paragraph.
  [[gnu::cold]] Page& words(const std::string& words) { return add({"<p>", escape(words), "</p>\n"}); }
  /// Names and values, in two columns.
  [[gnu::cold]] Page& facts(const Facts& facts) { return add({detail::facts_table(facts)}); }
  [[gnu::cold]] Page& table(const Table& table) { return add({html_table(table)}); }
  /// Charts (report/charts/), side by side where there is room.
  [[gnu::cold]] Page& charts(const std::vector<std::string>& svgs) {
    std::string all;
    for (const std::string& svg : svgs) all += svg;
    return add({"<div class=\"columns\">\n", all, "</div>\n"});
  }
  /// Under its heading, and nothing without pictures; ShapeError where a picture's parts do not go together.
  [[gnu::cold]] Page& gallery(const std::string& heading, Gallery gallery) {
    detail::check_gallery(gallery);
    if (!gallery.pictures.empty()) parts_.push_back({heading, std::move(gallery)});
    return *this;
  }

  /// Writes FOLDER/report.html and FOLDER/pictures/*.png; folders are made where they are missing. Throws FileError.
  [[gnu::cold]] void write(const std::filesystem::path& folder) const {
    const std::filesystem::path pictures = detail::pictures_folder(folder);
    std::string page = detail::page_begin(title_);
    std::size_t shown = 0;
    for (const auto& [content, gallery] : parts_) {
      page += gallery.pictures.empty() ? content : detail::gallery_section(gallery, pictures, content, shown);
      shown += gallery.pictures.size();
    }
    io::write_file_atomically(folder / "report.html", page + detail::page_end());
  }

 private:
  Page& add(std::initializer_list<std::string_view> content) {
    parts_.push_back({joined(content), {}});
    return *this;
  }

  std::string title_;
  std::vector<std::pair<std::string, Gallery>> parts_;  ///< HTML; or a heading and its pictures
};

}  // namespace limn::report
