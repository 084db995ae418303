#include "quick_line.hpp"

#include <tcrops/core/json.hpp>

#include <catch_all.hpp>
#include <string>

namespace tcrops::store {
namespace {

const Json kEntry = {{"event", "publish"},
                     {"id", "ab12"},
                     {"kind", "model"},
                     {"stage", "train"},
                     {"time", "2026-01-31T12:00:00Z"},
                     {"key", "cd34"},
                     {"bytes", 18446744073709551615U},
                     {"parents", {{"dataset", "ef56"}, {"study", "0789"}}},
                     {"previous", "00"},
                     {"run_sha256", "11"}};

TEST_CASE("a line as it is written is read quickly") {
  const std::string text = kEntry.dump();
  const auto line = read_quickly(text);
  REQUIRE(line);
  CHECK(line->event == "publish");
  CHECK(line->id == "ab12");
  CHECK(line->kind == "model");
  CHECK(line->stage == "train");
  CHECK(line->time == "2026-01-31T12:00:00Z");
  CHECK(line->key == "cd34");
  CHECK(line->bytes == 18446744073709551615U);
  REQUIRE(line->parents);
  CHECK(line->parents->size() == 2);
  CHECK(line->parents->at(1).second == "0789");
}

TEST_CASE("a line that was cut off is not read quickly") {
  const std::string text = kEntry.dump();
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(read_quickly(std::string_view(text).substr(0, size)));
  }
}

TEST_CASE("what has another form is left to others") {
  for (const char* text :
       {"", "{", "[]", "null", "7", "{} ", " {}", "{\"event\": \"publish\"}", "{\"event\":7}",
        "{\"note\":\"a \\\"quoted\\\" one\"}", "{\"ids\":[\"a\"]}", "{\"bytes\":-1}",
        "{\"bytes\":1.5}", "{\"bytes\":18446744073709551616}", "{\"parents\":{\"a\":1}}",
        "{\"id\":\"a\",}", "{\"id\":\"a\"}}", "{\"id\" :\"a\"}", "{id:\"a\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(read_quickly(text));
  }
  CHECK(read_quickly("{}"));
}

TEST_CASE("what is read quickly is JSON that says the same, whatever byte is changed") {
  const std::string text = kEntry.dump();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char byte : {'"', '{', '}', ',', ':', '\\', '0', 'x', ' '}) {
      std::string changed = text;
      changed[at] = byte;
      const auto line = read_quickly(changed);
      if (!line) continue;
      const Json json = Json::parse(changed, nullptr, /*allow_exceptions=*/false);
      CAPTURE(changed);
      REQUIRE(json.is_object());
      if (!line->id.empty()) CHECK(json.at("id").get<std::string>() == line->id);
      if (line->bytes) CHECK(json.at("bytes").get<std::uint64_t>() == *line->bytes);
      if (line->parents) CHECK(json.at("parents").size() <= line->parents->size());
    }
  }
}

}  // namespace
}  // namespace tcrops::store
