// docs/ops.md is made from the table of operations; this test says when it is out of date, and how to renew it.
// It also sees to it that every public function of include/limn/ops has a row.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "table.hpp"

using namespace limn;
namespace fs = std::filesystem;

namespace {

/// The root of the source tree: LIMN_SOURCE_DIR of the environment, or the first folder above this file that holds the
/// library's headers.
fs::path source_root() {
  if (const char* given = std::getenv("LIMN_SOURCE_DIR"); given && *given) return given;
  for (fs::path at = fs::absolute(__FILE__).parent_path(); at != at.root_path(); at = at.parent_path())
    if (fs::exists(at / "include/limn/core/config.hpp")) return at;
  return {};
}

std::string contents(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

std::string document() {
  std::size_t listed = 0;
  for (const auto& op : table::all()) listed += op.cases.size();
  std::ostringstream out;
  out << "# Operations\n\n"
         "Made from the table in `tests/ops/table/` by `LIMN_UPDATE_DOCS=1 test_ops_table -tc=\"docs/ops.md*\"`; do "
         "not edit it by "
         "hand.\n\n"
         "Every operation below is compared with a plain reference in float and double; its first and second "
         "derivatives "
         "with central differences in double (error below 1e-6); its first derivative computed by a kernel with the "
         "one "
         "recorded from operations; and its bits with 1, 2, 3 and 8 threads. Derivatives are operations again, so "
         "there "
         "is no highest order. `Cuda` is not part of this version. Images are (n, h, w, c); shapes are in `"
         "include/limn/ops/`.\n\n"
      << table::all().size() << " rows, " << listed << " listed cases; " << table::random_values
      << " cases of random shapes are added to each row.\n\n"
         "| operation | arguments | meaning | differentiable in | orders checked | first derivative | cpu | cuda | "
         "cases |\n"
         "|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& op : table::all())
    out << "| `" << op.name << "` | " << op.arguments << " | " << op.meaning << " | " << op.gradients << " | 1, 2 | "
        << (op.fused ? "own kernel" : "operations") << " | yes | not yet | " << op.cases.size() << " |\n";
  return out.str();
}

}  // namespace

TEST_CASE("docs/ops.md is what the table says") {
  const fs::path root = source_root();
  REQUIRE_MESSAGE(!root.empty(), "the source tree was not found; set LIMN_SOURCE_DIR to it");
  const fs::path path = root / "docs/ops.md";
  if (std::getenv("LIMN_UPDATE_DOCS")) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << document();
  }
  CHECK_MESSAGE(
      contents(path) == document(),
      path.string() << " is out of date; renew it with: LIMN_UPDATE_DOCS=1 test_ops_table -tc=\"docs/ops.md*\"");
}

TEST_CASE("every public function of include/limn/ops has a row") {
  const fs::path root = source_root();
  REQUIRE_MESSAGE(!root.empty(), "the source tree was not found; set LIMN_SOURCE_DIR to it");
  std::set<std::string> rows;
  for (const auto& op : table::all()) rows.insert(op.name.substr(0, op.name.find(' ')));
  std::size_t found = 0;
  for (const auto& file : fs::directory_iterator(root / "include/limn/ops")) {
    std::istringstream lines(contents(file.path()));
    // Declarations start in the first column: "[[nodiscard]] Var<B> name(" or "... BatchNormed<B> name(".
    for (std::string line; std::getline(lines, line);) {
      const auto type = line.find("<B> ");
      if (line.rfind("[[nodiscard]] ", 0) != 0 || type == std::string::npos) continue;
      const auto begin = type + 4, end = line.find('(', begin);
      const std::string name = line.substr(begin, end - begin);
      ++found;
      CHECK_MESSAGE(rows.count(name) == 1, "no row for " << name << " of " << file.path().filename().string());
    }
  }
  CHECK(found >= rows.size());  // the scan sees the declarations at all
}
