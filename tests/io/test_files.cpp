// Whole files and tables.
#include "limn/io/csv.hpp"
#include "limn/io/files.hpp"
#include "support.hpp"

using namespace limn;
using support::holds;

TEST_CASE("files are written whole, replace the old one and leave nothing beside it") {
  const support::Folder folder("files");
  const auto path = folder.path / "a.bin";
  io::write_file_atomically(path, "first");
  const std::vector<std::uint8_t> bytes = {0, 255, 10, 13};
  io::write_file_atomically(path, bytes);
  CHECK(io::read_file(path) == bytes);
  io::write_file_atomically(path, std::string_view{});
  CHECK(io::read_text(path).empty());
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);

  // A write that fails (the target is a folder) leaves the target alone and no draft.
  std::filesystem::create_directory(folder.path / "taken");
  CHECK(holds(support::message<FileError>([&] { io::write_file_atomically(folder.path / "taken", "x"); }),
              "taken: cannot be written"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 2);
  CHECK(holds(support::message<FileError>([&] { io::write_file_atomically(folder.path / "no" / "b", "x"); }),
              "No such file"));
  CHECK(
      holds(support::message<FileError>([&] { (void)io::read_file(folder.path / "absent"); }), "absent: no such file"));
  CHECK(holds(support::message<FileError>([&] { (void)io::read_file(folder.path); }), "not a regular file"));
}

TEST_CASE("a table with quotes, both line ends, blank lines and a byte order mark") {
  const auto table = io::Csv::parse("\xEF\xBB\xBFid,note\r\n1,\"a, \"\"b\"\"\nc\"\r\n\n2,\n3,last", "t.csv");
  REQUIRE(table.size() == 3);
  CHECK(table.columns() == std::vector<std::string>{"id", "note"});
  CHECK(table.at(0, "note") == "a, \"b\"\nc");
  CHECK(table.at(1, "note").empty());
  CHECK(table.at(2, "note") == "last");
  CHECK(table.line(0) == 2);
  CHECK(table.line(1) == 5);  // the cell with a line end and the blank line are counted
  CHECK(table.has("id"));
  CHECK_FALSE(table.has("ID"));
  CHECK(support::message<FileError>([&] { (void)table.at(0, "label"); }) ==
        "t.csv: no column \"label\"; it has id, note");
}

TEST_CASE("tables that are none are refused with file and line") {
  const auto refused = [](std::string_view content) {
    return support::message<FileError>([&] { (void)io::Csv::parse(content, "t.csv"); });
  };
  CHECK(refused("") == "t.csv: empty, expected a header line");
  CHECK(refused("\n\n") == "t.csv: empty, expected a header line");
  CHECK(refused("a,b\n1,2\n3\n") == "t.csv:3: expected 2 cells, got 1");
  CHECK(refused("a,a\n") == "t.csv:1: two columns are called \"a\"");
  CHECK(refused("a,,c\n") == "t.csv:1: column 2 has no name");
  CHECK(refused("a\n\"x\n") == "t.csv:2: a quote is opened and never closed");
  CHECK(refused("a\n\"x\"y\n") == "t.csv:2: text behind the closing quote of a cell");
  CHECK(refused("a\nx\"y\"\n") == "t.csv:2: a quote inside a cell that does not begin with one");
  CHECK(refused(std::string_view("a\nx\0y\n", 6)) == "t.csv:2: a zero byte; this is not a text file");
}

TEST_CASE("numbers survive being written and read; what is none is refused with file and line") {
  for (const double value : {0., -1.5, .1, 1. / 3, 1e-300, 123456789.123}) {
    const auto table = io::Csv::parse("v,w\n" + io::csv_number(value) + ",\n", "t");
    CHECK(table.number(0, "v") == value);
    CHECK(std::isnan(table.number(0, "w")));
  }
  CHECK(io::csv_number(NAN).empty());
  CHECK(io::csv_number(INFINITY).empty());
  for (const char* cell : {"x", "1 ", "1,5", "nan", "inf", "0x1"}) {
    const auto table = io::Csv::parse(std::string("v\n") + io::csv_cell(cell) + "\n", "t.csv");
    CHECK(support::message<FileError>([&] { (void)table.number(0, "v"); }) ==
          text("t.csv:2: column \"v\": expected a number, got \"", cell, "\""));
  }
}

TEST_CASE("cells survive being written and read; broken tables load or are refused") {
  for (const char* cell : {"plain", "a,b", "say \"x\"", "two\nlines", "\r", ""}) {
    const auto table = io::Csv::parse("k,v\n1," + io::csv_cell(cell) + "\n", "t");
    CHECK(table.at(0, "v") == cell);
  }
  const std::string good = "id,image,label\n1,\"a, b.png\",x\r\n2,c.png,\"y \"\"z\"\"\"\n";
  const int loaded = support::fuzz({good.begin(), good.end()}, 4000, [](const std::vector<std::uint8_t>& file) {
    (void)io::Csv::parse({reinterpret_cast<const char*>(file.data()), file.size()}, "t");
  });
  CHECK(loaded > 0);
  CHECK(loaded < 4000);
}
