#include <tcrops/core/json.hpp>

#include <catch_all.hpp>
#include <error_of.hpp>
#include <limits>

namespace tcrops {
namespace {

using test::error_of;

TEST_CASE("canonical JSON: sorted, indented by one, shortest numbers, one newline") {
  const Json value = Json::parse(R"({"b": [1, 0.1, 1e300], "a": {"z": null, "y": true}})");
  CHECK(canonical_json(value) ==
        "{\n \"a\": {\n  \"y\": true,\n  \"z\": null\n },\n \"b\": [\n  1,\n  0.1,\n  1e+300\n "
        "]\n}\n");
  CHECK(canonical_json(0.1 + 0.2) == "0.30000000000000004\n");
  CHECK(canonical_json(1.0) == "1.0\n");
  CHECK(canonical_json(1) == "1\n");
}

TEST_CASE("every double reads back as itself") {
  for (const double x : {0.1, 1.0 / 3.0, 5e-324, std::numeric_limits<double>::max(), -0.0, 1e23}) {
    CHECK(parse_json(canonical_json(x), "x").get<double>() == x);
  }
}

TEST_CASE("the order in which keys were added does not matter") {
  Json one;
  one["x"] = 1;
  one["a"] = 2;
  Json two;
  two["a"] = 2;
  two["x"] = 1;
  CHECK(canonical_json(one) == canonical_json(two));
}

TEST_CASE("numbers that are not finite are refused, however deep") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(canonical_json(nan), Error);
  CHECK_THROWS_AS(canonical_json({{"a", {{"b", {1.0, -infinity}}}}}), Error);
}

TEST_CASE("text that is not UTF-8 is refused, as value and as key") {
  const std::string bad = "caf\xe9";
  CHECK(error_of([&] {
          static_cast<void>(canonical_json({{"a", bad}}));
        }).code == ExitCode::kInputData);
  CHECK(error_of([&] {
          static_cast<void>(canonical_json({{bad, 1}}));
        }).code == ExitCode::kInputData);
  CHECK(canonical_json("caf\xc3\xa9") == "\"caf\xc3\xa9\"\n");
}

TEST_CASE("what cannot be parsed is a damaged artifact, named") {
  for (const std::string text : {"", "{", "{\"a\": 1,}", "[1] x", "1e999", "\"caf\xe9\"", "NaN"}) {
    INFO(text);
    const auto error = error_of([&] { static_cast<void>(parse_json(text, "store/x.json")); });
    CHECK(error.code == ExitCode::kArtifact);
    CHECK(error.says("store/x.json"));
  }
}

}  // namespace
}  // namespace tcrops
