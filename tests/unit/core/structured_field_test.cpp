// Fields that hold a list of objects.
#include <tcrops/core/error.hpp>
#include <tcrops/core/field_table.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <catch_all.hpp>

namespace tcrops {
namespace {

// Steps with a name and a number of rounds, and perhaps others inside.
std::vector<InnerProblem> step_problems(const Json& steps, InnerPath path) {
  static const std::vector<std::string> keys = {"name", "rounds", "inner"};
  std::vector<InnerProblem> problems;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    path.push_back(std::to_string(i));
    for (const auto& [key, value] : steps[i].items()) {
      path.push_back(key);
      if (key == "inner") {
        for (InnerProblem& each : step_problems(value, path)) problems.push_back(std::move(each));
      } else if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        problems.push_back({path, "unknown key" + suggestion(key, keys)});
      } else if (key == "rounds" && !value.is_number_integer()) {
        problems.push_back({path, "must be a whole number, not " + shown(value)});
      }
      path.pop_back();
    }
    if (!steps[i].contains("name")) problems.push_back({path, "the key \"name\" is missing"});
    path.pop_back();
  }
  return problems;
}

struct Plan {
  Json steps = Json::array();
  Json first = Json::array();
  std::int64_t rounds = 1;
  FieldTable table;

  Plan() {
    const auto check = [](const Json& value) { return step_problems(value, {}); };
    const auto schema = [] { return Json{{"type", "object"}, {"required", {"name"}}}; };
    table.begin_section("plan", "what is done");
    table.add("steps", steps, "one after the other", {schema, check});
    table.add("rounds", rounds, "of all", {.minimum = 1});
    table.begin_section("", "");
    table.add("first", first, "before them", {schema, check}, {.shapes_result = false});
  }
  std::string lines(const Problems& problems) {
    std::string text;
    for (const Problem& problem : problems) text += problem.text() + "\n";
    return text;
  }
  std::string read(const std::string& text) { return lines(table.read_text(text, "c.json")); }
};

TEST_CASE("a list of objects is set from a file, a variable and the command line") {
  Plan plan;
  CHECK(plan.read(R"({"plan": {"steps": [{"name": "a"}, {"name": "b", "rounds": 3}]}})").empty());
  CHECK(plan.steps == Json::parse(R"([{"name": "a"}, {"name": "b", "rounds": 3}])"));
  CHECK(plan.table.read_environment({{"TCROPS_FIRST", R"([{"name": "c, d"}])"}}).empty());
  CHECK(plan.first == Json::parse(R"([{"name": "c, d"}])"));
  CHECK(plan.table.assign(R"(plan.steps=[{"name":"e"}])").empty());
  CHECK(plan.steps == Json::parse(R"([{"name": "e"}])"));
  CHECK(plan.table.at("plan.steps").place.text() == "--set");
  CHECK(plan.table.assign("plan.steps=").empty());
  CHECK(plan.steps == Json::array());
  CHECK(plan.table.resolved("plan", true) == Json{{"steps", Json::array()}, {"rounds", 1}});
}

TEST_CASE("what is no list of objects is refused") {
  Plan plan;
  CHECK(plan.read(R"({"plan": {"steps": ["a"]}})") ==
        "c.json:1:11: plan.steps: must be a list of objects, not [\"a\"]\n");
  CHECK(plan.read(R"({"plan": {"steps": {"name": "a"}}})") ==
        "c.json:1:11: plan.steps: must be a list of objects, not {\"name\":\"a\"}\n");
  CHECK(plan.lines(plan.table.assign("plan.steps=a,b")) ==
        "--set plan.steps: must be a list of objects, not \"a,b\"\n");
  CHECK(plan.lines(plan.table.assign("plan.steps=[{\"name\"}]")) ==
        "--set plan.steps: must be a list of objects, not \"[{\\\"name\\\"}]\"\n");
  CHECK(plan.steps == Json::array());
}

TEST_CASE("every problem inside has the place of its key, or of what holds it") {
  Plan plan;
  CHECK(plan.read(R"({
  "first": [{"name": "a", "rounds": "x"}],
  "plan": {"rounds": 0, "steps": [
    {"name": "a", "round": 1},
    {"rounds": 2}, {"name": "b",
     "inner": [{"name": "c"}, {"name": "d", "rounds": [[2]]}, {}]}
  ]}
})") == R"(c.json:2:27: first[0].rounds: must be a whole number, not "x"
c.json:3:12: plan.rounds: 0 is out of range; must be at least 1
c.json:4:19: plan.steps[0].round: unknown key; did you mean "rounds"?
c.json:5:5: plan.steps[1]: the key "name" is missing
c.json:6:45: plan.steps[2].inner[1].rounds: must be a whole number, not [[2]]
c.json:6:63: plan.steps[2].inner[2]: the key "name" is missing
)");
  CHECK(plan.table.at("plan.steps").refused);
  CHECK(plan.lines(plan.table.assign(R"(first=[{"name":"a","rounds":2.5}])")) ==
        "--set first[0].rounds: must be a whole number, not 2.5\n");
  CHECK(plan.lines(plan.table.read_environment({{"TCROPS_FIRST", "[{}]"}})) ==
        "environment variable TCROPS_FIRST: first[0]: the key \"name\" is missing\n");
}

TEST_CASE("a key given twice inside is named") {
  Plan plan;
  CHECK(plan.read("{\"plan\": {\"steps\": [{\"name\": \"a\"},\n {\"name\": \"b\", \"name\": "
                  "\"c\"}]}}") ==
        "c.json:2:16: plan.steps[1].name: given twice, first in line 2 column 3; keep one\n");
  CHECK(plan.steps.at(1).at("name") == "c");
}

TEST_CASE("problems found later have the places, too, until another source sets the field") {
  Plan plan;
  CHECK(plan.read("{\"plan\": {\"steps\": [{\"name\": \"a\",\n \"rounds\": 2}]}}").empty());
  const auto said = [&](const InnerPath& part) {
    return plan.lines(plan.table.inner_problem("plan.steps", part, "is bad"));
  };
  CHECK(said({"0", "rounds"}) == "c.json:2:2: plan.steps[0].rounds: is bad\n");
  CHECK(said({"0", "rounds", "0"}) == "c.json:2:2: plan.steps[0].rounds[0]: is bad\n");
  CHECK(said({"0"}) == "c.json:1:21: plan.steps[0]: is bad\n");
  CHECK(said({}) == "c.json:1:11: plan.steps: is bad\n");
  CHECK(plan.table.assign(R"(plan.steps=[{"name":"e"}])").empty());
  CHECK(said({"0", "name"}) == "--set plan.steps[0].name: is bad\n");
  CHECK_FALSE(plan.table.assign("plan.steps=[{}]").empty());
  CHECK(said({"0", "name"}).empty());
}

TEST_CASE("a list of objects in the schema and in a commented file") {
  Plan plan;
  const Json schema = plan.table.schema();
  CHECK(schema.at("properties").at("plan").at("properties").at("steps") ==
        Json{{"title", "plan.steps"},
             {"type", "array"},
             {"description", "one after the other"},
             {"default", Json::array()},
             {"items", {{"type", "object"}, {"required", {"name"}}}}});
  CHECK(plan.table.commented_file("s").find("    \"steps\": [],\n") != std::string::npos);
  CHECK(plan.table.assign(R"(plan.steps=[{"name":"e"},{"name":"f","rounds":2}])").empty());
  const std::string text = plan.table.commented_file("s");
  CHECK(text.find("    \"steps\": [\n      {\"name\":\"e\"},\n      "
                  "{\"name\":\"f\",\"rounds\":2}\n    ],\n") != std::string::npos);
  Plan copy;
  CHECK(copy.read(text).empty());
  CHECK(copy.table.resolved() == plan.table.resolved());
}

TEST_CASE("what a field would refuse, without setting it") {
  Plan plan;
  using Texts = std::vector<std::string>;
  CHECK(plan.table.refusals("plan.rounds", 0) == Texts{"0 is out of range; must be at least 1"});
  CHECK(plan.table.refusals("plan.rounds", "x") == Texts{"must be a whole number, not \"x\""});
  CHECK(plan.table.refusals("plan.rounds", 7).empty());
  CHECK(plan.table.meant_by("plan.rounds", "7") == 7);
  CHECK(plan.table.meant_by("plan.rounds", "seven") == "seven");
  CHECK(plan.rounds == 1);
}

TEST_CASE("a text that may not be empty") {
  std::string name = "none";
  FieldTable table;
  table.begin_section("", "");
  table.add("name", name, "of it", {.not_empty = true});
  CHECK(table.refusals("name", "") == std::vector<std::string>{"must not be empty"});
  CHECK(table.refusals("name", "a b").empty());
  CHECK(table.schema().at("properties").at("name").at("minLength") == 1);
}

TEST_CASE("many and deep values keep to what can be noted") {
  Plan plan;
  std::string items;
  for (int i = 0; i < 120'000; ++i) items += fmt::format("{{\"name\": \"{}\"}},", i);
  CHECK(plan.read("{\"plan\": {\"rounds\": 0, \"steps\": [" + items +
                  "{\"name\": \"z\", \"x\": 1}], \"z\": 1}}") ==
        "c.json:1:11: plan.rounds: 0 is out of range; must be at least 1\n"
        "c.json:1:24: plan.steps[120000].x: unknown key\n" +
            fmt::format("c.json:1:{}: plan.z: unknown key\n", items.size() + 58));
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK(plan.read("{\"plan\": {\"steps\": [{\"name\": \"z\", \"rounds\": " + deep + "}]}}") ==
        "c.json:1:35: plan.steps[0].rounds: must be a whole number, not values inside values\n");
}

}  // namespace
}  // namespace tcrops
