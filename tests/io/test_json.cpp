// JSON: what is read, what is refused, and that a second reader understands what is written.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "limn/io/json.hpp"
#include "support.hpp"

using namespace limn;
using io::Json;
using support::holds;

namespace {
std::string refused(const std::string& content) {
  return support::message<FileError>([&] { (void)Json::parse(content, "f.json"); });
}
}  // namespace

TEST_CASE("values of every kind") {
  const Json json = Json::parse(R"({"b": [1, -2.5, null, "caf\u00e9"], "a": {}, "n": 9223372036854775807} )", "f");
  CHECK(json.is_object());
  CHECK(json.size() == 3);
  std::string order;
  json.each([&](const std::string& name, const Json&) { order += name; });
  CHECK(order == "ban");
  const Json list = json.at("b");
  CHECK(list.is_array());
  CHECK(list.size() == 4);
  CHECK(list[0].as_whole() == 1);
  CHECK(list[0].as_number() == 1);
  CHECK(list[1].as_number() == -2.5);
  CHECK(std::isnan(list[2].as_number()));
  CHECK(list[3].as_text() == "caf\xC3\xA9");
  CHECK_FALSE(list[4]);
  CHECK(json.at("n").as_whole() == std::numeric_limits<Index>::max());
  CHECK_FALSE(json.find("x"));
  CHECK_FALSE(list.find("x"));
  CHECK_FALSE(Json()[0]);
  CHECK(list[1].as_whole_or(-1) == -1);
}

TEST_CASE("a value outlives what it was read with") {
  Json inner;
  {
    const Json outer = Json::parse(R"([["kept"]])", "f");
    inner = outer[0];
  }
  CHECK(inner[0].as_text() == "kept");
}

TEST_CASE("the wrong kind of value is an error") {
  const Json json = Json::parse(R"({"t": "x", "d": 1.5})", "f");
  CHECK(support::message<FileError>([&] { (void)json.at("x"); }) == "there is no \"x\"");
  CHECK(support::message<FileError>([&] { (void)json.at("d").as_whole(); }) == "expected a whole number");
  CHECK(support::message<FileError>([&] { (void)json.at("t").as_number(); }) == "expected a number");
  CHECK(support::message<FileError>([&] { (void)json.at("d").as_text(); }) == "expected text");
}

TEST_CASE("what is no JSON, or means different things to different readers, is refused") {
  CHECK(holds(refused("{\n\"a\":"), "f.json: no JSON ("));
  CHECK(holds(refused("{\n\"a\":"), "line 2"));
  CHECK(holds(refused(""), "no JSON"));
  CHECK(holds(refused("[1] 2"), "no JSON"));
  CHECK(holds(refused(R"({"a":1,"a":2})"), "duplicate object key"));
  CHECK(holds(refused("[\"\xC0\xAF\"]"), "no JSON"));
  CHECK(holds(refused("[18446744073709551616]"), "too big integer"));
  CHECK(holds(refused("[1e999]"), "overflow"));
  CHECK(holds(refused(std::string(100000, '[')), "maximum parsing depth"));
}

TEST_CASE("what is written is read back by another reader") {
  for (const std::string& s :
       {std::string("a\"b\\c\nd\x01"), std::string("caf\xC3\xA9 \xF0\x9F\x98\x80"), std::string()})
    CHECK(nlohmann::json::parse(io::json_string(s)).get<std::string>() == s);
  for (const double v : {0.1, -1.0 / 3, 5e-324, 1.7976931348623157e308, 0.0})
    CHECK(nlohmann::json::parse(io::json_number(v)).get<double>() == v);
  CHECK(io::json_number(0.1) == "0.1");
  CHECK(io::json_number(NAN) == "null");
  CHECK(io::json_number(-INFINITY) == "null");
  CHECK(support::message<OptionError>([] { (void)io::json_string("\xFF"); }) == "text must be UTF-8");
}
