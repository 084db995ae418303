#include "json_positions.hpp"

#include <catch_all.hpp>
#include <error_of.hpp>

namespace tcrops {
namespace {

std::string place(const std::string& text, const std::string& path) {
  const auto positions = parse_positioned_json(text, "c").positions;
  const auto at = positions.find(path);
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

TEST_CASE("a key given twice is named with its second place") {
  const auto thrown = test::error_of(
      [] { static_cast<void>(parse_positioned_json("{\"a\": {\"b\": 1,\n \"b\": 2}}", "c")); });
  CHECK(thrown.code == ExitCode::kConfiguration);
  CHECK(thrown.text == "c:2:2: a.b: given twice; keep one");
  CHECK(test::error_of([] {
          static_cast<void>(parse_positioned_json("{\"a\": 1, \"a\": 1}", "c"));
        }).says("c:1:10: a: given twice"));
  CHECK_NOTHROW(parse_positioned_json("{\"a\": {\"b\": 1}, \"c\": {\"b\": 1}}", "c"));
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
    const auto thrown =
        test::error_of([&, &json = text] { static_cast<void>(parse_positioned_json(json, "c")); });
    CHECK(thrown.code == ExitCode::kConfiguration);
    const std::string start = "c:" + expected + ": not valid JSON: ";
    CHECK(thrown.text.substr(0, start.size()) == start);
  }
}

}  // namespace
}  // namespace tcrops
