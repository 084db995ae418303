#include <tcrops/core/error.hpp>
#include <tcrops/tune/space.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <limits>

namespace tcrops::tune {
namespace {

const Space kSpace = {{"rate", FloatRange{0.001, 0.1, true}},
                      {"epochs", IntegerRange{5, 25}},
                      {"model", Choice{{"small", "medium", "large"}}}};

std::string refusal(const Space& space) {
  try {
    check_space(space);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kConfiguration);
    return error.what();
  }
  return "";
}

TEST_CASE("points survive JSON exactly") {
  const Point point = {{"rate", 0.1 / 3.0}, {"epochs", std::int64_t{7}}, {"model", "large"}};
  const Json json = to_json(point);
  CHECK(json["epochs"].is_number_integer());
  CHECK(point_from_json(Json::parse(canonical_json(json)), kSpace) == point);
  // A float that happens to be whole stays a float.
  const Space whole = {{"rate", FloatRange{0.0, 2.0, false}}};
  CHECK(point_from_json(Json::parse(R"({"rate": 1})"), whole) == Point{{"rate", 1.0}});
}

TEST_CASE("points of another space are refused") {
  for (const char* text : {R"([])", R"({"rate": 0.01, "epochs": 7})",
                           R"({"rate": 0.01, "epochs": 7, "mode": "large"})",
                           R"({"rate": 0.2, "epochs": 7, "model": "large"})",
                           R"({"rate": "x", "epochs": 7, "model": "large"})",
                           R"({"rate": 0.01, "epochs": 7.5, "model": "large"})",
                           R"({"rate": 0.01, "epochs": 26, "model": "large"})",
                           R"({"rate": 0.01, "epochs": 7, "model": "huge"})",
                           R"({"rate": 0.01, "epochs": 7, "model": 1})"}) {
    CHECK_THROWS_AS(point_from_json(Json::parse(text), kSpace), Error);
  }
}

TEST_CASE("a space is written in its own order") {
  const Json json = to_json(kSpace);
  REQUIRE(json.size() == 3);
  CHECK(json[0]["name"] == "rate");
  CHECK(json[0]["log"] == true);
  CHECK(json[1] == Json{{"name", "epochs"}, {"type", "integer"}, {"low", 5}, {"high", 25}});
  CHECK(json[2]["options"] == Json{"small", "medium", "large"});
}

TEST_CASE("check_space names the parameter and what is wrong") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(refusal(kSpace).empty());
  CHECK(refusal({{"one", FloatRange{2.0, 2.0, false}}, {"two", IntegerRange{3, 3}}}).empty());
  const std::vector<std::pair<Space, std::string>> bad = {
      {{{"x", FloatRange{2.0, 1.0, false}}}, "empty"},
      {{{"x", FloatRange{0.0, 1.0, true}}}, "above 0"},
      {{{"x", FloatRange{-1.0, 1.0, true}}}, "above 0"},
      {{{"x", FloatRange{0.0, infinity, false}}}, "finite"},
      {{{"x", FloatRange{std::nan(""), 1.0, false}}}, "finite"},
      {{{"x", FloatRange{-1e308, 1e308, false}}}, "finite"},
      {{{"x", IntegerRange{2, 1}}}, "empty"},
      {{{"x", IntegerRange{0, std::numeric_limits<std::int64_t>::max()}}}, "2^53"},
      {{{"x", Choice{{}}}}, "no option"},
      {{{"x", Choice{{"a", "a"}}}}, "twice"},
      {{{"x", IntegerRange{1, 2}}, {"x", IntegerRange{1, 2}}}, "twice"}};
  for (const auto& [space, part] : bad) {
    const std::string message = refusal(space);
    CAPTURE(message, part);
    CHECK(message.find("\"x\"") != std::string::npos);
    CHECK(message.find(part) != std::string::npos);
  }
}

}  // namespace
}  // namespace tcrops::tune
