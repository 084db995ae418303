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
      {{{"x", Choice{}}}, "no option"},
      {{{"x", Choice{{"a", "a"}}}}, "twice"},
      {{{"x", IntegerRange{1, 2}}, {"x", IntegerRange{1, 2}}}, "twice"}};
  for (const auto& [space, part] : bad) {
    const std::string message = refusal(space);
    CAPTURE(message, part);
    CHECK(message.find("\"x\"") != std::string::npos);
    CHECK(message.find(part) != std::string::npos);
  }
}

// What the JSON form says about an entry that is wrong.
std::string json_refusal(const std::string& text) {
  try {
    static_cast<void>(space_from_json(Json::parse(text)));
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kConfiguration);
    return error.what();
  }
  return "";
}

Space everything() {
  Space space = {{"model", Choice{{"small", "large", "forest"}}},
                 {"rate", FloatRange{0.001, 0.1, true}},
                 {"dropout", FloatRange{0.0, 0.5, false, 0.1}},
                 {"width", IntegerRange{8, 256, true}},
                 {"epochs", IntegerRange{5, 25, false, 5}},
                 {"batch", Choice{{std::int64_t{32}, std::int64_t{64}, 0.5, "all"}}},
                 {"kind", Choice{{"relu", "gelu"}}},
                 {"slope", FloatRange{0.0, 1.0}}};
  space[2].when = Condition{"model", {"small", "large"}};
  space[6].when = Condition{"model", {"large"}};
  space[7].when = Condition{"kind", {"relu"}};
  return space;
}

TEST_CASE("every kind of space survives JSON") {
  const Json json = to_json(everything());
  const Space again = space_from_json(Json::parse(canonical_json(json)));
  CHECK(to_json(again) == json);
  CHECK(json[2]["step"] == 0.1);
  CHECK(json[3] ==
        Json{{"name", "width"}, {"type", "integer"}, {"low", 8}, {"high", 256}, {"log", true}});
  CHECK(json[4]["step"] == 5);
  CHECK(json[5]["options"] == Json{32, 64, 0.5, "all"});
  CHECK(json[5]["options"][0].is_number_integer());
  CHECK(json[6]["when"] == Json{{"parameter", "model"}, {"values", {"large"}}});
  CHECK_FALSE(json[0].contains("when"));
}

TEST_CASE("points hold the active parameters only") {
  const Space space = everything();
  const Json forest = {
      {"model", "forest"}, {"rate", 0.01}, {"width", 8}, {"epochs", 10}, {"batch", "all"}};
  const Point point = point_from_json(forest, space);
  CHECK(point.size() == 5);
  CHECK(to_json(point) == forest);
  CHECK_FALSE(is_active(space[2], point));
  CHECK_FALSE(is_active(space[7], point));  // its parent is not active
  Json extra = forest;
  extra["dropout"] = 0.1;
  CHECK_THROWS_WITH(point_from_json(extra, space), Catch::Matchers::Contains("5 parameters"));
  Json large = forest;
  large["model"] = "large";
  CHECK_THROWS_WITH(point_from_json(large, space), Catch::Matchers::Contains("\"dropout\""));
  large["dropout"] = 0.30000000000000004;
  large["kind"] = "relu";
  CHECK_THROWS_WITH(point_from_json(large, space), Catch::Matchers::Contains("\"slope\""));
  large["slope"] = 1;
  CHECK(point_from_json(large, space).size() == 8);
  large["dropout"] = 0.25;
  CHECK_THROWS_WITH(point_from_json(large, space), Catch::Matchers::Contains("\"dropout\""));
  Json uneven = forest;
  uneven["epochs"] = 12;
  CHECK_THROWS_WITH(point_from_json(uneven, space), Catch::Matchers::Contains("\"epochs\""));
}

TEST_CASE("options that are numbers keep their type") {
  const Space space = {{"x", Choice{{std::int64_t{1}, 2.0, 0.5}}}};
  CHECK(point_from_json(Json::parse(R"({"x": 1})"), space).at("x") == Value(std::int64_t{1}));
  CHECK(point_from_json(Json::parse(R"({"x": 2})"), space).at("x") == Value(2.0));
  CHECK(point_from_json(Json::parse(R"({"x": 0.5})"), space).at("x") == Value(0.5));
  CHECK_THROWS_AS(point_from_json(Json::parse(R"({"x": "1"})"), space), Error);
}

TEST_CASE("check_space names what is wrong with steps, logs and conditions") {
  const auto with = [](Condition when) {
    Space space = {{"n", IntegerRange{1, 2}},
                   {"m", Choice{{"a", "b"}}},
                   {"x", IntegerRange{1, 2}},
                   {"z", Choice{{"a"}}}};
    space[2].when = std::move(when);
    return space;
  };
  CHECK(refusal(with({"m", {"a"}})).empty());
  const std::vector<std::pair<Space, std::string>> bad = {
      {{{"x", FloatRange{0.0, 1.0, false, -0.1}}}, "below 0"},
      {{{"x", FloatRange{0.0, 1.0, false, std::nan("")}}}, "below 0"},
      {{{"x", FloatRange{0.1, 1.0, true, 0.1}}}, "takes no step"},
      {{{"x", FloatRange{0.0, 1.0, false, 1e-12}}}, "too fine"},
      {{{"x", IntegerRange{0, 9, false, 0}}}, "at least 1"},
      {{{"x", IntegerRange{0, 9, true}}}, "1 or above"},
      {{{"x", IntegerRange{1, 9, true, 2}}}, "takes no step"},
      {{{"x", Choice{{std::int64_t{1}, 1.0}}}}, "twice"},
      {{{"x", Choice{{std::nan("")}}}}, "not finite"},
      {with({"nothing", {"a"}}), "\"nothing\", which is no parameter before it"},
      {with({"z", {"a"}}), "\"z\", which is no parameter before it"},
      {with({"x", {"a"}}), "\"x\", which is no parameter before it"},
      {with({"n", {std::int64_t{1}}}), "\"n\", which is not a choice"},
      {with({"m", {}}), "on no value"},
      {with({"m", {"c"}}), "\"c\", which is not an option of \"m\""},
      {with({"m", {"a", "a"}}), "twice"}};
  for (const auto& [space, part] : bad) {
    const std::string message = refusal(space);
    CAPTURE(message, part);
    CHECK(message.find("parameter \"x\"") != std::string::npos);
    CHECK(message.find(part) != std::string::npos);
  }
}

TEST_CASE("a space in JSON that is wrong: the message names the parameter and the key") {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({})", "a list"},
      {R"([1])", "number 1: expected an object"},
      {R"([{"type": "float"}])", "number 1: the key \"name\" is missing"},
      {R"([{"name": 1}])", "\"name\" must be a text"},
      {R"([{"name": "x"}])", "\"x\": the key \"type\" is missing"},
      {R"([{"name": "x", "type": "flaot"}])", "did you mean \"float\""},
      {R"([{"name": "x", "type": "float", "low": 0}])", "\"high\" is missing"},
      {R"([{"name": "x", "type": "float", "low": "0", "high": 1}])", "\"low\" must be a number"},
      {R"([{"name": "x", "type": "integer", "low": 0.5, "high": 1}])", "whole number"},
      {R"([{"name": "x", "type": "float", "low": 0, "high": 1, "log": 1}])", "true or false"},
      {R"([{"name": "x", "type": "float", "low": 0, "hihg": 1}])", "did you mean \"high\""},
      {R"([{"name": "x", "type": "choice", "options": "a"}])", "must be a list"},
      {R"([{"name": "x", "type": "choice", "options": [true]}])", "neither a text nor a number"},
      {R"([{"name": "x", "type": "choice", "options": ["a"], "low": 1}])", "no key \"low\""},
      {R"([{"name": "x", "type": "choice", "options": ["a"], "when": {}}])", "\"when\" must"},
      {R"([{"name": "x", "type": "float", "low": 2, "high": 1}])", "empty"}};
  for (const auto& [text, part] : bad) {
    const std::string message = json_refusal(text);
    CAPTURE(message, part);
    CHECK(message.find(part) != std::string::npos);
    CHECK(message.find("search space") == 0);
  }
}

}  // namespace
}  // namespace tcrops::tune
