#include "settings.hpp"

#include <catch_all.hpp>
#include <error_of.hpp>
#include <scratch_folder.hpp>

namespace tcrops {
namespace {

using test::error_of;
using test::says;
using test::Settings;
using Words = std::vector<std::string>;

TEST_CASE("a file sets what it names and leaves the rest") {
  Settings s;
  const std::string wrong = s.read(R"({"$schema": "x", "seed": 9, // comment
    "train": {"rate": 1, "balanced": false, "model": "large"}, /* and
    this */ "serve_check": {"models": ["large"], "notes": ["\"a\"", "b"]}})");
  CHECK(wrong.empty());
  CHECK(s.seed == 9);
  CHECK(s.rate == 1.0);
  CHECK_FALSE(s.balanced);
  CHECK(s.model == "large");
  CHECK(s.models == Words{"large"});
  CHECK(s.notes == Words{"\"a\"", "b"});
  CHECK(s.epochs == 20);
}

TEST_CASE("values of another type are refused with their place") {
  Settings s;
  CHECK(s.read("{\"train\": {\"epochs\": 5.5}}") ==
        "c.json:1:12: train.epochs: must be a whole number, not 5.5");
  CHECK(s.read("{\"train\": {\"epochs\": \"5\"}}") ==
        "c.json:1:12: train.epochs: must be a whole number, not \"5\"");
  CHECK(s.read("{\"train\": {\"rate\": null}}") ==
        "c.json:1:12: train.rate: must be a number, not null");
  CHECK(s.read("{\"train\": {\"balanced\": 1}}") ==
        "c.json:1:12: train.balanced: must be true or false, not 1");
  CHECK(s.read("{\"train\": {\"model\": [\"small\"]}}") ==
        "c.json:1:12: train.model: must be a text, not [\"small\"]");
  CHECK(s.read("{\"serve_check\": {\"notes\": [\"a\", 1]}}") ==
        "c.json:1:18: serve_check.notes: must be a list of texts, not [\"a\",1]");
  CHECK(s.read("{\"seed\": true}") == "c.json:1:2: seed: must be a whole number, not true");
  CHECK(s.read("{\"train\": 3}") ==
        "c.json:1:2: train: must be an object with the keys of this section");
  CHECK(s.epochs == 20);
}

TEST_CASE("ranges, their ends and their units") {
  Settings s;
  for (const char* good : {"train.epochs=1", "train.epochs=100", "train.rate=1.0",
                           "train.rate=1e-300", "train.dropout=0", "train.dropout=1e300"}) {
    CHECK(s.set(good).empty());
  }
  CHECK(s.set("train.epochs=0") ==
        "--set train.epochs: 0 is out of range; must be at least 1 and at most 100");
  CHECK(says(s.set("train.epochs=101"), "101 is out of range"));
  CHECK(s.set("train.rate=0") ==
        "--set train.rate: 0 is out of range; must be above 0 and at most 1 1/step");
  CHECK(s.set("train.dropout=-0.5") ==
        "--set train.dropout: -0.5 is out of range; must be at least 0");
  CHECK(s.epochs == 100);
}

TEST_CASE("numbers that do not fit or are none are refused, never wrapped") {
  Settings s;
  CHECK(s.set("seed=9223372036854775807").empty());
  CHECK(s.set("seed=-9223372036854775808").empty());
  CHECK(s.set("seed=9223372036854775808") ==
        "--set seed: 9223372036854775808 is out of range; must be at most "
        "9223372036854775807");
  CHECK_FALSE(s.set("seed=1e400").empty());
  CHECK_FALSE(s.set("train.dropout=nan").empty());
  CHECK_FALSE(s.set("train.dropout=inf").empty());
  CHECK_FALSE(s.set("train.dropout=1e999").empty());
  CHECK_FALSE(s.read("{\"train\": {\"dropout\": 1e999}}").empty());
  CHECK(s.seed == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("choices, with the nearest") {
  Settings s;
  CHECK(s.set("train.model=lage") ==
        "--set train.model: \"lage\" is not one of small, medium, large; did you mean "
        "\"large\"?");
  CHECK(
      says(s.read(R"({"serve_check": {"models": ["small", "huge"]}})"), "\"huge\" is not one of"));
  CHECK(s.models == Words{"small", "medium"});
}

TEST_CASE("unknown keys, with the nearest") {
  Settings s;
  CHECK(s.read("{\n  \"train\": {\n    \"epoch\": 3\n  }\n}") ==
        "c.json:3:5: train.epoch: unknown key; did you mean \"epochs\"?");
  CHECK(s.read("{\"tran\": {}}") == "c.json:1:2: tran: unknown key; did you mean \"train\"?");
  CHECK(s.read("{\"sead\": 1}") == "c.json:1:2: sead: unknown key; did you mean \"seed\"?");
  CHECK(s.read("{\"train\": {\"xxxxxxxx\": 1}}") == "c.json:1:12: train.xxxxxxxx: unknown key");
  CHECK_FALSE(s.read("{\"\": 1}").empty());
  CHECK(s.set("train.epoch=3") == "--set train.epoch: unknown key; did you mean \"train.epochs\"?");
  CHECK(s.set("tran.epochs=3") == "--set tran.epochs: unknown key; did you mean \"train.epochs\"?");
  CHECK(s.set("seeds=3") == "--set seeds: unknown key; did you mean \"seed\"?");
}

TEST_CASE("--set takes JSON, bare text and lists") {
  Settings s;
  CHECK(s.set("train.balanced=false").empty());
  CHECK_FALSE(s.balanced);
  CHECK_FALSE(s.set("train.balanced=False").empty());
  CHECK(s.set("serve_check.models=small,large").empty());
  CHECK(s.models == Words{"small", "large"});
  CHECK(s.set("serve_check.models=[\"medium\"]").empty());
  CHECK(s.models == Words{"medium"});
  CHECK(s.set("serve_check.models=") == "--set serve_check.models: must name at least one");
  CHECK(s.models == Words{"medium"});
  CHECK(s.set("serve_check.notes=").empty());
  CHECK(s.notes.empty());
  CHECK(s.set("serve_check.notes=a=b, c").empty());
  CHECK(s.notes == Words{"a=b", "c"});
  CHECK_FALSE(s.set("serve_check.notes=[1]").empty());
  CHECK_FALSE(s.set("serve_check.notes=[\"a\"").empty());
  const auto no_value = error_of([&] { static_cast<void>(s.table.assign("train.epochs")); });
  CHECK(no_value.code == ExitCode::kUsage);
  CHECK(no_value.says("section.key=value"));
  CHECK(error_of([&] { static_cast<void>(s.table.assign("=3")); }).code == ExitCode::kUsage);
  CHECK_FALSE(s.set("train.epochs=").empty());
  CHECK_FALSE(s.set("train.epochs=\xff").empty());
}

TEST_CASE("environment variables") {
  Settings s;
  CHECK(s.environment("TCROPS_TRAIN_EPOCHS", "7").empty());
  CHECK(s.epochs == 7);
  CHECK(s.environment("TCROPS_SERVE_CHECK_MODELS", "small").empty());
  CHECK(s.models == Words{"small"});
  CHECK(s.environment("TCROPS_STORE", "/x").empty());
  CHECK(s.environment("TCROPS_CI_CONFIG", "/x").empty());
  CHECK(s.environment("TCROPS_SEED", "9").empty());
  CHECK(s.seed == 9);
  CHECK(s.environment("TCROPS_TRIAN_EPOCHS", "3") ==
        "environment variable TCROPS_TRIAN_EPOCHS: no such setting; did you mean "
        "\"TCROPS_TRAIN_EPOCHS\"?");
  CHECK(s.environment("TRAIN_EPOCHS", "-1").empty());
  CHECK(s.environment("TCROPS_TRAIN_EPOCH", "7") ==
        "environment variable TCROPS_TRAIN_EPOCH: no such setting; did you mean "
        "\"TCROPS_TRAIN_EPOCHS\"?");
  CHECK(s.environment("TCROPS_TRAIN_EPOCHS", "many") ==
        "environment variable TCROPS_TRAIN_EPOCHS: train.epochs: must be a whole number, "
        "not \"many\"");
}

TEST_CASE("where each value came from") {
  Settings s;
  CHECK(s.table.origins().at("seed") == "default");
  CHECK(s.read(R"({"train": {"epochs": 2, "rate": 0.5, "model": "small"}})").empty());
  CHECK(s.environment("TCROPS_TRAIN_RATE", "0.25").empty());
  CHECK(s.set("train.model=large").empty());
  const Json origins = s.table.origins();
  CHECK(origins.size() == 10);
  CHECK(s.table.at("train.epochs").place.text() == "c.json:1:12");
  CHECK(s.table.at("train.rate").place.text() == "TCROPS_TRAIN_RATE");
  CHECK(s.table.at("train.model").place.text() == "--set");
  CHECK(s.table.at("train.dropout").place.text() == "default");
  CHECK(origins.at("train.epochs") == "file");
  CHECK(origins.at("train.rate") == "environment");
  CHECK(origins.at("train.model") == "command line");
  CHECK(origins.at("train.dropout") == "default");
}

TEST_CASE("resolved values, with and without those that cannot change a result") {
  Settings s;
  CHECK(s.set("serve_check.notes=a").empty());
  const Json models = {"small", "medium"};
  CHECK(s.table.resolved("serve_check", true) == Json{{"models", models}, {"notes", {"a"}}});
  CHECK(s.table.resolved("serve_check", false) ==
        Json{{"models", models}, {"notes", {"a"}}, {"retries", 3}});
  const Json all = s.table.resolved();
  CHECK(all.size() == 3);
  CHECK(all.at("seed") == 1);
  CHECK(all.at("serve_check").at("retries") == 3);
  Settings copy;
  CHECK(copy.read(canonical_json(all)).empty());
  CHECK(copy.table.resolved() == all);
}

TEST_CASE("a text with a secret is shown without it, and kept as it is") {
  std::string url = "user:secret";
  bool flag = true;
  FieldTable table;
  table.add("flag", flag, "a flag");
  table.begin_section("tune", "tuning");
  table.add("url", url, "an address",
            {.as_shown = [](const std::string& text) { return text.substr(0, text.find(':')); }});
  CHECK(table.shown() == Json{{"flag", true}, {"tune", {{"url", "user"}}}});
  CHECK(table.at("tune.url").shown() == "user");
  CHECK(table.at("flag").shown() == true);
  CHECK(table.resolved() == Json{{"flag", true}, {"tune", {{"url", "user:secret"}}}});
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
  CHECK(train.at("properties").at("rate") == Json{{"title", "train.rate"},
                                                  {"type", "number"},
                                                  {"description", "step size [1/step]"},
                                                  {"default", 0.01},
                                                  {"exclusiveMinimum", 0.0},
                                                  {"maximum", 1.0}});
  CHECK(train.at("properties").at("epochs").at("minimum").dump() == "1");
  CHECK(train.at("properties").at("label").at("pattern") == "^[A-Za-z0-9_-]+$");
  CHECK(train.at("properties").at("label").at("examples") == Json{"a-1"});
  CHECK(train.at("properties").at("model").at("enum") == Json{"small", "medium", "large"});
  const Json& models = schema.at("properties").at("serve_check").at("properties").at("models");
  CHECK(models.at("minItems") == 1);
  CHECK(models.at("items") == Json{{"type", "string"}, {"enum", {"small", "medium", "large"}}});
  CHECK_FALSE(schema.at("properties").contains(""));
}

TEST_CASE("files that are no configuration") {
  Settings s;
  CHECK(says(s.read(" \n"), "c.json: the file is empty"));
  CHECK_FALSE(s.read("").empty());
  CHECK(s.read("[]") == "c.json:1:1: the configuration must be a JSON object");
  CHECK_FALSE(s.read("3").empty());
  CHECK_FALSE(s.read("{\"train\": {\"model\": \"\xff\"}}").empty());
  const test::ScratchFolder scratch;
  const auto path = (scratch / "none.json").string();
  const auto thrown = error_of([&] { static_cast<void>(s.table.read_file(path)); });
  CHECK(thrown.code == ExitCode::kConfiguration);
  CHECK(thrown.says(path));
  write_file(scratch / "bad.json", "{\"train\": {\"epochs\": 0}}");
  CHECK(says(Settings::lines(s.table.read_file((scratch / "bad.json").string())),
             "bad.json:1:12: train.epochs: 0 is out of range"));
}

}  // namespace
}  // namespace tcrops
