#include "settings.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <catch_all.hpp>
#include <error_of.hpp>

namespace tcrops {
namespace {

using test::says;
using test::Settings;

TEST_CASE("all problems of a file, in its order") {
  Settings s;
  CHECK(s.read(R"({
  "train": {"rate": 2, "epoch": 3, "model": "smal", "epochs": 7},
  "tran": {},
  "serve_check": {"notes": 1, "models": ["huge", "medium", "larg"]},
  "seed": "x",
  "$schema": 1
})") == R"(c.json:2:13: train.rate: 2 is out of range; must be above 0 and at most 1 1/step
c.json:2:24: train.epoch: unknown key; did you mean "epochs"?
c.json:2:36: train.model: "smal" is not one of small, medium, large; did you mean "small"?
c.json:3:3: tran: unknown key; did you mean "train"?
c.json:4:19: serve_check.notes: must be a list of texts, not 1
c.json:4:31: serve_check.models: "huge" is not one of small, medium, large
c.json:4:31: serve_check.models: "larg" is not one of small, medium, large; did you mean "large"?
c.json:5:3: seed: must be a whole number, not "x"
c.json:6:3: $schema: must be a text)");
  CHECK(s.epochs == 7);  // what is right is taken all the same
  CHECK(s.seed == 1);
}

TEST_CASE("a key given twice does not hide the rest") {
  Settings s;
  CHECK(s.read("{\"seed\": 2,\n \"train\": {\"epochs\": 1, \"epochs\": 0}}") ==
        "c.json:2:25: train.epochs: given twice, first in line 2 column 12; keep one\n"
        "c.json:2:25: train.epochs: 0 is out of range; must be at least 1 and at most 100");
  CHECK(s.seed == 2);
}

TEST_CASE("one error with all problems, one per line") {
  CHECK_NOTHROW(require_none({}));
  const Place place = {Origin::kFile, "c.json", 2, 3};
  const auto one = test::error_of([&] { require_none({{place, "seed", "is bad"}}); });
  CHECK(one.code == ExitCode::kConfiguration);
  CHECK(one.text == "c.json:2:3: seed: is bad");
  const Place variable = {.origin = Origin::kEnvironment, .name = "TCROPS_X"};
  const auto two = test::error_of([&] {
    require_none({{place, "seed", "is bad"}, {variable, "", "is too"}});
  });
  CHECK(two.code == ExitCode::kConfiguration);
  CHECK(two.text ==
        "what is wrong with the configuration:\n"
        "  c.json:2:3: seed: is bad\n"
        "  environment variable TCROPS_X: is too");
}

TEST_CASE("a file with too many problems") {
  Settings s;
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += fmt::format("\"key{}\": 1, ", i);
  const Problems problems = s.table.read_text(text + "\"last\": 1}", "c.json");
  CHECK(problems.size() == 101);
  CHECK(problems.back().message == "and more; correct those above first");
}

TEST_CASE("the nearest key, in its section, by its whole path or by its last part") {
  Settings s;
  const auto meant = [](const std::string& key) {
    return fmt::format("did you mean \"{}\"?", key);
  };
  CHECK(says(s.set("epochs=3"), meant("train.epochs")));
  CHECK(says(s.set("epoch=3"), meant("train.epochs")));
  CHECK(says(s.set("serve_check.epochs=3"), meant("train.epochs")));
  CHECK(says(s.set("serve_chek.models=small"), meant("serve_check.models")));
  CHECK(says(s.set("train.retries=3"), meant("serve_check.retries")));
  CHECK(says(s.set("trian.rate=3"), meant("train.rate")));
  CHECK(s.set("nothing.like=3") == "--set nothing.like: unknown key");
  CHECK(says(s.read(R"({"epochs": 3})"), meant("train.epochs")));
  CHECK(says(s.read(R"({"train": {"retries": 3}})"), meant("serve_check.retries")));
  CHECK(s.read(R"({"train.epochs": 3})") ==
        R"(c.json:1:2: train.epochs: unknown key; write it as "train": {"epochs": …})");
}

TEST_CASE("whole numbers may be written with a point or an exponent") {
  Settings s;
  CHECK(s.read(R"({"train": {"epochs": 5.0}, "seed": -1e3})").empty());
  CHECK(s.epochs == 5);
  CHECK(s.seed == -1000);
  CHECK(s.table.resolved().at("seed").is_number_integer());
  CHECK(s.set("seed=-9223372036854775808.0").empty());
  CHECK(s.seed == std::numeric_limits<std::int64_t>::min());
  CHECK(says(s.set("seed=9223372036854775807.0"), "must be at most 9223372036854775807"));
  CHECK(says(s.set("seed=-1e19"), "must be at least -9223372036854775808"));
  CHECK(says(s.set("seed=99999999999999999999999"), "must be at most 9223372036854775807"));
}

TEST_CASE("names and lists that may not be empty") {
  Settings s;
  CHECK(s.set("train.label=a_B-9").empty());
  CHECK(s.set("train.label=a/b") ==
        "--set train.label: \"a/b\" is not allowed; it may hold letters, digits, - and _");
  CHECK(says(s.set("train.label="), "must not be empty"));
  CHECK(says(s.set("train.label=ä"), "is not allowed"));
  CHECK(s.label == "a_B-9");
}

TEST_CASE("what is shown of keys and values keeps to one short line of UTF-8") {
  Settings s;
  CHECK(s.read(R"({"a\nb": 1})") == "c.json:1:2: \"a\\nb\": unknown key");
  const std::string huge(10'000'000, 'x');
  CHECK(s.read(fmt::format(R"({{"{}": 1}})", huge)).size() < 200);
  CHECK(s.read(fmt::format(R"({{"seed": "{}"}})", huge)).size() < 200);
  CHECK(s.set("train.model=" + huge).size() < 200);
  CHECK(says(s.set("train.model=\xff"), "\"\xef\xbf\xbd\" is not one of"));
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK(s.set("serve_check.notes=" + deep) ==
        "--set serve_check.notes: must be a list of texts, not values inside values");
  CHECK(says(s.read(fmt::format(R"({{"seed": {}}})", deep)),
             "must be a whole number, not values inside"));
}

TEST_CASE("problems of several fields together") {
  Settings s;
  const std::vector<std::string> both = {"train.epochs", "train.rate"};
  const auto text = [&] {
    return Settings::lines(s.table.joint_problem(both, "do not go together"));
  };
  CHECK(text() == "train.epochs: do not go together");
  CHECK(s.read("{\"train\": {\"epochs\": 3,\n\"rate\": 0.5}}").empty());
  CHECK(text() == "c.json:1:12: train.epochs: do not go together");
  CHECK(s.environment("TCROPS_TRAIN_RATE", "0.1").empty());
  CHECK(text() == "environment variable TCROPS_TRAIN_RATE: train.rate: do not go together");
  CHECK_FALSE(s.set("train.epochs=x").empty());
  CHECK(text().empty());
  CHECK(s.set("train.epochs=4").empty());
  CHECK(text() == "--set train.epochs: do not go together");
}

TEST_CASE("a file written from the fields reads back to the same values") {
  Settings s;
  CHECK(s.set("train.epochs=7").empty());
  CHECK(s.set("serve_check.notes=a \"b\", c // d").empty());
  const std::string text = s.table.commented_file("s.json");
  CHECK(says(text, "\"$schema\": \"s.json\""));
  CHECK(says(text, "    // step size [above 0 and at most 1 1/step]\n    \"rate\": 0.01,\n"));
  CHECK(says(text, "  // of everything\n  \"seed\": 1"));
  CHECK(says(text, "    // which [any of small, medium, large]\n"));
  Settings copy;
  CHECK(copy.read(text).empty());
  CHECK(copy.table.resolved() == s.table.resolved());
}

}  // namespace
}  // namespace tcrops
