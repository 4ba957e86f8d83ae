// What the tests of pages share: a folder that goes, and whether tags are well nested.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "limn/core/error.hpp"

namespace limn::testing {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / text("limn_report_", ::getpid());
  Folder() { std::filesystem::remove_all(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

inline std::size_t count(const std::string& where, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = where.find(what); at != std::string::npos; at = where.find(what, at + 1)) ++n;
  return n;
}

/// The first thing wrong with the nesting of a page's tags; empty if all is well.
inline std::string nesting(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return "a tag without an end";
    const std::string tag = page.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (name == "!DOCTYPE" || name == "meta" || name == "img" || name == "br" || tag.back() == '/') continue;
    if (name[0] != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || "/" + open.back() != name)
        return "<" + name + "> closes " + (open.empty() ? "" : open.back());
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

}  // namespace limn::testing
