#include <tcrops/core/field_table.hpp>

#include <catch_all.hpp>
#include <error_of.hpp>
#include <scratch_folder.hpp>

namespace tcrops {
namespace {

using test::error_of;
using Words = std::vector<std::string>;

// One field of every type and limit.
struct Settings {
  std::int64_t seed = 1;
  std::int64_t epochs = 20;
  std::int64_t retries = 3;
  double rate = 0.01;
  double dropout = 0.0;
  bool balanced = true;
  std::string model = "medium";
  Words models = {"small", "medium"};
  Words notes;
  FieldTable table;

  Settings() {
    table.begin_section("train", "the model");
    table.add("epochs", epochs, "passes over the data", {.minimum = 1, .maximum = 100});
    table.add("rate", rate, "step size",
              {.minimum = 0.0, .maximum = 1.0, .minimum_excluded = true, .unit = "1/step"});
    table.add("dropout", dropout, "share left out", {.minimum = 0.0});
    table.add("balanced", balanced, "as many of each");
    table.add("model", model, "which", {.choices = {"small", "medium", "large"}});
    table.begin_section("serve_check", "gates");
    table.add("models", models, "which", {.choices = {"small", "medium", "large"}});
    table.add("notes", notes, "anything");
    table.add("retries", retries, "attempts", {.shapes_result = false});
    table.begin_section("", "");
    table.add("seed", seed, "of everything");
  }

  test::Thrown read(const std::string& text) {
    return error_of([&] { table.read_text(text, "c.json"); });
  }
  test::Thrown set(const std::string& assignment) {
    return error_of([&] { table.assign(assignment); });
  }
  test::Thrown environment(const std::string& name, const std::string& value) {
    return error_of([&] {
      table.read_environment({{name, value}}, {"TCROPS_STORE", "TCROPS_CI_"});
    });
  }
};

void check_refused(const test::Thrown& thrown, const std::string& text) {
  CHECK(thrown.code == ExitCode::kConfiguration);
  CHECK(thrown.text == text);
}

TEST_CASE("a file sets what it names and leaves the rest") {
  Settings s;
  const auto thrown = s.read(R"({"$schema": "x", "seed": 9, // comment
    "train": {"rate": 1, "balanced": false, "model": "large"}, /* and
    this */ "serve_check": {"models": [], "notes": ["\"a\"", "b"]}})");
  CHECK(thrown.text.empty());
  CHECK(s.seed == 9);
  CHECK(s.rate == 1.0);
  CHECK_FALSE(s.balanced);
  CHECK(s.model == "large");
  CHECK(s.models.empty());
  CHECK(s.notes == Words{"\"a\"", "b"});
  CHECK(s.epochs == 20);
}

TEST_CASE("values of another type are refused with their place") {
  Settings s;
  check_refused(s.read("{\"train\": {\"epochs\": 5.0}}"),
                "c.json:1:12: train.epochs: must be a whole number, not 5.0");
  check_refused(s.read("{\"train\": {\"epochs\": \"5\"}}"),
                "c.json:1:12: train.epochs: must be a whole number, not \"5\"");
  check_refused(s.read("{\"train\": {\"rate\": null}}"),
                "c.json:1:12: train.rate: must be a number, not null");
  check_refused(s.read("{\"train\": {\"balanced\": 1}}"),
                "c.json:1:12: train.balanced: must be true or false, not 1");
  check_refused(s.read("{\"train\": {\"model\": [\"small\"]}}"),
                "c.json:1:12: train.model: must be a text, not [\"small\"]");
  check_refused(s.read("{\"serve_check\": {\"notes\": [\"a\", 1]}}"),
                "c.json:1:18: serve_check.notes: must be a list of texts, not [\"a\",1]");
  check_refused(s.read("{\"seed\": true}"), "c.json:1:2: seed: must be a whole number, not true");
  check_refused(s.read("{\"train\": 3}"),
                "c.json:1:2: train: must be an object with the keys of this section");
  CHECK(s.epochs == 20);
}

TEST_CASE("ranges, their ends and their units") {
  Settings s;
  for (const char* good : {"train.epochs=1", "train.epochs=100", "train.rate=1.0",
                           "train.rate=1e-300", "train.dropout=0", "train.dropout=1e300"}) {
    CHECK(s.set(good).text.empty());
  }
  check_refused(s.set("train.epochs=0"),
                "--set train.epochs: 0 is out of range; must be at least 1 and at most 100");
  CHECK(s.set("train.epochs=101").says("101 is out of range"));
  check_refused(s.set("train.rate=0"),
                "--set train.rate: 0 is out of range; must be above 0 and at most 1 1/step");
  check_refused(s.set("train.dropout=-0.5"),
                "--set train.dropout: -0.5 is out of range; must be at least 0");
  CHECK(s.epochs == 100);
}

TEST_CASE("numbers that do not fit or are none are refused, never wrapped") {
  Settings s;
  CHECK(s.set("seed=9223372036854775807").text.empty());
  CHECK(s.set("seed=-9223372036854775808").text.empty());
  check_refused(s.set("seed=9223372036854775808"),
                "--set seed: 9223372036854775808 is out of range; must be at most "
                "9223372036854775807");
  CHECK(s.set("seed=1e400").code == ExitCode::kConfiguration);
  CHECK(s.set("train.dropout=nan").code == ExitCode::kConfiguration);
  CHECK(s.set("train.dropout=inf").code == ExitCode::kConfiguration);
  CHECK(s.set("train.dropout=1e999").code == ExitCode::kConfiguration);
  CHECK(s.read("{\"train\": {\"dropout\": 1e999}}").code == ExitCode::kConfiguration);
  CHECK(s.seed == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("choices, with the nearest") {
  Settings s;
  check_refused(s.set("train.model=lage"),
                "--set train.model: \"lage\" is not one of small, medium, large; did you mean "
                "\"large\"?");
  CHECK(s.read(R"({"serve_check": {"models": ["small", "huge"]}})").says("\"huge\" is not one of"));
  CHECK(s.models == Words{"small", "medium"});
}

TEST_CASE("unknown keys, with the nearest") {
  Settings s;
  check_refused(s.read("{\n  \"train\": {\n    \"epoch\": 3\n  }\n}"),
                "c.json:3:5: train.epoch: unknown key; did you mean \"epochs\"?");
  check_refused(s.read("{\"tran\": {}}"), "c.json:1:2: tran: unknown key; did you mean \"train\"?");
  check_refused(s.read("{\"sead\": 1}"), "c.json:1:2: sead: unknown key; did you mean \"seed\"?");
  check_refused(s.read("{\"train\": {\"xxxxxxxx\": 1}}"),
                "c.json:1:12: train.xxxxxxxx: unknown key");
  CHECK(s.read("{\"\": 1}").code == ExitCode::kConfiguration);
  check_refused(s.set("train.epoch=3"), "--set train.epoch: unknown key; did you mean \"epochs\"?");
  check_refused(s.set("tran.epochs=3"),
                "--set tran.epochs: unknown section \"tran\"; did you mean \"train\"?");
  check_refused(s.set("seeds=3"), "--set seeds: unknown key; did you mean \"seed\"?");
}

TEST_CASE("--set takes JSON, bare text and lists") {
  Settings s;
  CHECK(s.set("train.balanced=false").text.empty());
  CHECK_FALSE(s.balanced);
  CHECK(s.set("train.balanced=False").code == ExitCode::kConfiguration);
  CHECK(s.set("serve_check.models=small,large").text.empty());
  CHECK(s.models == Words{"small", "large"});
  CHECK(s.set("serve_check.models=[\"medium\"]").text.empty());
  CHECK(s.models == Words{"medium"});
  CHECK(s.set("serve_check.models=").text.empty());
  CHECK(s.models.empty());
  CHECK(s.set("serve_check.notes=a=b, c").text.empty());
  CHECK(s.notes == Words{"a=b", "c"});
  CHECK(s.set("serve_check.notes=[1]").code == ExitCode::kConfiguration);
  CHECK(s.set("serve_check.notes=[\"a\"").code == ExitCode::kConfiguration);
  CHECK(s.set("train.epochs").code == ExitCode::kUsage);
  CHECK(s.set("train.epochs=").code == ExitCode::kConfiguration);
  CHECK(s.set("train.epochs=\xff").code == ExitCode::kConfiguration);
}

TEST_CASE("environment variables") {
  Settings s;
  CHECK(s.environment("TCROPS_TRAIN_EPOCHS", "7").text.empty());
  CHECK(s.epochs == 7);
  CHECK(s.environment("TCROPS_SERVE_CHECK_MODELS", "small").text.empty());
  CHECK(s.models == Words{"small"});
  CHECK(s.environment("TCROPS_STORE", "/x").text.empty());
  CHECK(s.environment("TCROPS_CI_CONFIG", "/x").text.empty());
  CHECK(s.environment("TCROPS_SEED", "9").text.empty());
  CHECK(s.seed == 9);
  check_refused(s.environment("TCROPS_TRIAN_EPOCHS", "3"),
                "environment variable TCROPS_TRIAN_EPOCHS: no such setting; did you mean "
                "\"TCROPS_TRAIN_EPOCHS\"?");
  CHECK(s.environment("TRAIN_EPOCHS", "-1").text.empty());
  check_refused(s.environment("TCROPS_TRAIN_EPOCH", "7"),
                "environment variable TCROPS_TRAIN_EPOCH: train.epoch: unknown key; did you mean "
                "\"epochs\"?");
  check_refused(s.environment("TCROPS_TRAIN_EPOCHS", "many"),
                "environment variable TCROPS_TRAIN_EPOCHS: train.epochs: must be a whole number, "
                "not \"many\"");
}

TEST_CASE("where each value came from") {
  Settings s;
  CHECK(s.table.origins().at("seed") == "default");
  CHECK(s.read(R"({"train": {"epochs": 2, "rate": 0.5, "model": "small"}})").text.empty());
  CHECK(s.environment("TCROPS_TRAIN_RATE", "0.25").text.empty());
  CHECK(s.set("train.model=large").text.empty());
  const Json origins = s.table.origins();
  CHECK(origins.size() == 9);
  CHECK(origins.at("train.epochs") == "file");
  CHECK(origins.at("train.rate") == "environment");
  CHECK(origins.at("train.model") == "command line");
  CHECK(origins.at("train.dropout") == "default");
}

TEST_CASE("resolved values, with and without those that cannot change a result") {
  Settings s;
  s.table.assign("serve_check.notes=a");
  const Json models = {"small", "medium"};
  CHECK(s.table.resolved("serve_check", true) == Json{{"models", models}, {"notes", {"a"}}});
  CHECK(s.table.resolved("serve_check", false) ==
        Json{{"models", models}, {"notes", {"a"}}, {"retries", 3}});
  const Json all = s.table.resolved();
  CHECK(all.size() == 3);
  CHECK(all.at("seed") == 1);
  CHECK(all.at("serve_check").at("retries") == 3);
  Settings copy;
  copy.table.read_text(canonical_json(all), "resolved");
  CHECK(copy.table.resolved() == all);
}

TEST_CASE("the schema says what the checks do") {
  const Settings s;
  const Json schema = s.table.schema();
  CHECK(schema.at("additionalProperties") == false);
  CHECK(schema.at("properties").contains("$schema"));
  CHECK(schema.at("properties").at("seed").at("type") == "integer");
  const Json& train = schema.at("properties").at("train");
  CHECK(train.at("additionalProperties") == false);
  CHECK(train.at("description") == "the model");
  CHECK(train.at("properties").at("rate") == Json{{"type", "number"},
                                                  {"description", "step size [1/step]"},
                                                  {"default", 0.01},
                                                  {"exclusiveMinimum", 0.0},
                                                  {"maximum", 1.0}});
  CHECK(train.at("properties").at("epochs").at("minimum") == 1.0);
  CHECK(train.at("properties").at("model").at("enum") == Json{"small", "medium", "large"});
  const Json& models = schema.at("properties").at("serve_check").at("properties").at("models");
  CHECK(models.at("items") == Json{{"type", "string"}, {"enum", {"small", "medium", "large"}}});
  CHECK_FALSE(schema.at("properties").contains(""));
}

TEST_CASE("files that are no configuration") {
  Settings s;
  CHECK(s.read(" \n").says("c.json: the file is empty"));
  CHECK(s.read("").code == ExitCode::kConfiguration);
  check_refused(s.read("[]"), "c.json:1:1: the configuration must be a JSON object");
  CHECK(s.read("3").code == ExitCode::kConfiguration);
  CHECK(s.read("{\"train\": {\"model\": \"\xff\"}}").code == ExitCode::kConfiguration);
  const test::ScratchFolder scratch;
  const auto path = (scratch / "none.json").string();
  const auto thrown = error_of([&] { s.table.read_file(path); });
  CHECK(thrown.code == ExitCode::kConfiguration);
  CHECK(thrown.says(path));
  write_file(scratch / "bad.json", "{\"train\": {\"epochs\": 0}}");
  CHECK(error_of([&] {
          s.table.read_file((scratch / "bad.json").string());
        }).says("bad.json:1:12: train.epochs: 0 is out of range"));
}

}  // namespace
}  // namespace tcrops
