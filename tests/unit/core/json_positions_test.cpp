#include "json_positions.hpp"

#include <catch_all.hpp>

namespace tcrops {
namespace {

// The only problem, as it is shown.
std::string problem(const std::string& text) {
  const auto problems = parse_positioned_json(text, "c").problems;
  REQUIRE(problems.size() == 1);
  return problems.front().text();
}

// `path` is a key, or "a.b".
std::string place(const std::string& text, const std::string& path) {
  const auto positions = parse_positioned_json(text, "c").positions;
  KeyPath keys = {path};
  if (path.size() > 2 && path[1] == '.') keys = {path.substr(0, 1), path.substr(2)};
  const auto at = positions.find(keys);
  if (at == positions.end()) return "none";
  return std::to_string(at->second.line) + ":" + std::to_string(at->second.column);
}

TEST_CASE("the place of a key is that of its opening quote") {
  CHECK(place("{\"a\":1}", "a") == "1:2");
  CHECK(place("{\"\":1}", "") == "1:2");
  CHECK(place("\n\n  { \"a\" :\n {\"b\":1, \"c\" : -1.5e3,\t\"d\":[{\"x\":1}] }}", "a") == "3:5");
  CHECK(place("{\"a\":\n {\"b\":1, \"c\" : -1.5e3,\t\"d\":[] }}", "a.c") == "2:10");
  CHECK(place("{\"a\":\n {\"b\":1, \"c\" : -1.5e3,\t\"d\":[] }}", "a.d") == "2:24");
  CHECK(place("{\"a\":{\"b\":1},\"c\":2}", "c") == "1:14");
  CHECK(place("{\"a\":1}", "b") == "none");
}

TEST_CASE("quotes and backslashes inside keys and values do not mislead") {
  CHECK(place(R"({"a\"b": 1})", "a\"b") == "1:2");
  CHECK(place(R"({"\"": 1})", "\"") == "1:2");
  CHECK(place(R"({"\"\"\"": 1})", "\"\"\"") == "1:2");
  CHECK(place(R"({"a\\": 1})", "a\\") == "1:2");
  CHECK(place(R"({"\\\"": 1})", "\\\"") == "1:2");
  CHECK(place(R"({"x": "\\", "a\\\"": 1})", "a\\\"") == "1:13");
  CHECK(place(R"({"\u0041": 1})", "A") == "1:2");
  CHECK(place(R"({"x": "\"a\":", "a": 1})", "a") == "1:17");
}

TEST_CASE("comments do not mislead") {
  CHECK(place("// \"a\": 1\n{ /* \"a\" */ \"a\" /* \" */ : 1}", "a") == "2:13");
  CHECK(place("{ // \\\n\"a\": 1}", "a") == "2:1");
  CHECK(place("{ /* \n\n */ \"a\": 1}", "a") == "3:5");
}

TEST_CASE("a key given twice is named with both places, and the last one counts") {
  const std::string text = "{\"a\": {\"b\": 1,\n \"b\": 2}}";
  CHECK(problem(text) == "c:2:2: a.b: given twice, first in line 1 column 8; keep one");
  CHECK(place(text, "a.b") == "2:2");
  CHECK(parse_positioned_json(text, "c").value.at("a").at("b") == 2);
  CHECK(problem("{\"a\": 1, \"a\": 1}") ==
        "c:1:10: a: given twice, first in line 1 column 2; keep one");
  CHECK(parse_positioned_json("{\"a\": 1, \"a\": 1, \"a\": 1}", "c").problems.size() == 2);
}

TEST_CASE("keys that only look alike are not given twice") {
  for (const char* text :
       {R"({"a": {"b": 1}, "c": {"b": 1}})", R"({"a.b": 1, "a": {"b": 1}})",
        R"({"": {"b": 1}, "b": 1})", R"({"a": [{"x": 1}, {"x": 1}]})", R"([{"x": 1}, {"x": 1}])"}) {
    CHECK(parse_positioned_json(text, "c").problems.empty());
  }
}

TEST_CASE("a byte order mark is no column, and a NUL is not the end") {
  CHECK(place("\xef\xbb\xbf{\"a\":1}", "a") == "1:2");
  const std::string nul("{\"a\":1}\0x", 9);
  CHECK(problem(nul) == "c:1:8: not valid JSON: a NUL byte; is this a text file?");
  CHECK(parse_positioned_json(nul, "c").value.is_discarded());
}

TEST_CASE("deep nesting is read") {
  const std::size_t depth = 100'000;
  CHECK(parse_positioned_json(std::string(depth, '[') + std::string(depth, ']'), "c")
            .problems.empty());
  CHECK(problem(std::string(depth, '[')).starts_with("c:1:100001: not valid JSON: "));
}

TEST_CASE("bad syntax is named with the place of what should not be there") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{\"a\": 1,}", "1:9"},
      {"{\"a\": 1\n \"b\": 2}", "2:2"},
      {"{\"a\": 1\n \"b\\\"c\": 2}", "2:2"},
      {"{\n\"a\" 123}", "2:5"},
      {"{\n\"a\" true}", "2:5"},
      {"{\"a\": tru}", "1:10"},
      {"{\"a\": 'x'}", "1:7"},
      {"{\"a\": 1", "1:8"},
      {"{\"a\": 1\n", "2:1"},
      {"{\"a\": \"x\n\"}", "1:9"},
      {"{a: 1}", "1:2"},
      {"{\"a\": 01}", "1:7"},
      {"{\"a\": 1}}", "1:9"},
      {"{\"a\": 1} x", "1:10"},
      {"{\"a\": 1} \"tail\"", "1:10"},
      {"{\"a\": [1 2]}", "1:10"},
      {"/* open", "1:8"},
      {"\"", "1:2"},
      {"{\"", "1:3"}};
  for (const auto& [text, expected] : cases) {
    INFO(text);
    const std::string start = "c:" + expected + ": not valid JSON: ";
    CHECK(problem(text).substr(0, start.size()) == start);
    CHECK(parse_positioned_json(text, "c").value.is_discarded());
  }
}

}  // namespace
}  // namespace tcrops
