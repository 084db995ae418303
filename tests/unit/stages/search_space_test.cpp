#include "search_space.hpp"

#include "space_shape.hpp"
#include "tune_configuration.hpp"

#include <fmt/format.h>

#include <catch_all.hpp>
#include <error_of.hpp>

namespace tcrops::stages {
namespace {

using test::error_of;

std::string lines(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems) text += problem.text() + "\n";
  return text;
}

// A pipeline file with this section "tune"; `wrong` says what is wrong with it.
struct File {
  PipelineConfig config;
  std::string wrong;

  explicit File(const std::string& tune, const std::string& more = "") {
    const std::string text = "{\"tune\": {\n" + tune + "}" + more + "}";
    wrong = lines(config.fields().read_text(text, "c.json"));
    wrong += lines(config.check());
  }
};

// What is wrong with a space, one parameter a line from line 2.
std::string wrong_space(const std::string& parameters) {
  return File("\"space\": [\n" + parameters + "]").wrong;
}

TEST_CASE("the default space has its short names and bounds") {
  File file(R"("models": ["cnn", "mlp"], "epochs_max": 9)");
  CHECK(file.wrong.empty());
  CHECK(tune::to_json(search_space(file.config)) == Json::parse(R"([
    {"name": "model", "type": "choice", "options": ["cnn", "mlp"]},
    {"name": "learning_rate", "type": "float", "low": 0.001, "high": 0.1, "log": false},
    {"name": "epochs", "type": "integer", "low": 5, "high": 9}])"));
  const FitParameters base = fit_parameters(file.config);
  FitParameters expected = base;
  expected.model = "cnn";
  expected.learning_rate = 0.1 + 0.2;
  expected.epochs = 7;
  const FitParameters found = trial_parameters(
      {{"model", "cnn"}, {"learning_rate", 0.1 + 0.2}, {"epochs", 7}}, file.config);
  CHECK(to_json(found) == to_json(expected));
}

TEST_CASE("a space of any fields, and what its trials train with") {
  File file(R"("space": [
    {"name": "train.model", "type": "choice", "options": ["mlp", "attention"]},
    {"name": "network.hidden", "type": "choice", "options": ["64,32", ""],
     "when": {"parameter": "train.model", "values": ["mlp"]}},
    {"name": "network.dropout", "type": "float", "low": 0, "high": 0.5, "step": 0.1},
    {"name": "train.learning_rate", "type": "float", "low": 1e-4, "high": 1, "log": true},
    {"name": "train.batch_size", "type": "choice", "options": [64, 256]},
    {"name": "network.width", "type": "integer", "low": 8, "high": 64, "log": true,
     "when": {"parameter": "train.model", "values": ["attention"]}},
    {"name": "network.kernels", "type": "choice", "options": ["both:60", "alpha:20,beta:20"]},
    {"name": "train.loss", "type": "choice", "options": ["bce", "focal"]},
    {"name": "train.weight_decay", "type": "choice", "options": [0, 0.001]}])",
            R"(, "train": {"refit": true, "threshold": "half"})");
  CHECK(file.wrong.empty());
  CHECK(tune::to_json(search_space(file.config)).size() == 9);
  const FitParameters p = trial_parameters({{"train.model", "mlp"},
                                            {"network.hidden", "64,32"},
                                            {"network.dropout", 0.1 * 3},
                                            {"train.learning_rate", 1e-4},
                                            {"train.batch_size", 64},
                                            {"network.kernels", "alpha:20,beta:20"},
                                            {"train.loss", "focal"},
                                            {"train.weight_decay", 0}},
                                           file.config);
  CHECK(p.model == "mlp");
  CHECK(p.network.hidden == std::vector<std::int64_t>{64, 32});
  CHECK(p.network.dropout == 0.1 * 3);
  CHECK(p.learning_rate == 1e-4);
  CHECK(p.batch_size == 64);
  CHECK(p.network.kernels == std::vector<std::string>{"alpha:20", "beta:20"});
  CHECK(p.loss.name == "focal");
  CHECK(p.optimiser.weight_decay == 0.0);
  CHECK(p.threshold == "half");
  CHECK_FALSE(p.refit);
  CHECK(p.network.width == file.config.network.width);
  CHECK(trial_parameters({{"network.hidden", ""}}, file.config).network.hidden.empty());
}

TEST_CASE("values that only together are wrong fail their trial with the reason") {
  File file(R"("space": [
    {"name": "train.model", "type": "choice", "options": ["attention", "mlp"]},
    {"name": "network.width", "type": "integer", "low": 8, "high": 64}])");
  CHECK(file.wrong.empty());
  const auto failure = error_of([&] {
    static_cast<void>(
        trial_parameters({{"train.model", "attention"}, {"network.width", 30}}, file.config));
  });
  CHECK(failure.code == ExitCode::kConfiguration);
  CHECK(failure.text ==
        "network.width: attention divides its width 30 among 4 heads, which leaves a rest; change "
        "one");
  CHECK(trial_parameters({{"train.model", "mlp"}, {"network.width", 30}}, file.config)
            .network.width == 30);
  const auto loss = error_of([&] {
    static_cast<void>(trial_parameters({{"train.loss", "softmax"}}, file.config));
  });
  CHECK(loss.code == ExitCode::kConfiguration);
  CHECK(loss.says("train.loss: the loss softmax needs network.head \"competing\""));
  const auto range = error_of([&] {
    static_cast<void>(trial_parameters({{"train.epochs", -1}}, file.config));
  });
  CHECK(range.text == "train.epochs: -1 is out of range; must be at least 0 and at most 100000");
}

TEST_CASE("a width that every trial has is judged before any trains") {
  const std::string heads = R"(, "network": {"width": 30})";
  const std::string of_model =
      R"({"name": "train.model", "type": "choice", "options": ["mlp", "attention"]})";
  CHECK(File("\"space\": [" + of_model + "]", heads).wrong ==
        "c.json:2:" + std::to_string(of_model.size() + 27) +
            ": network.width: attention divides its width 30 among 4 heads, which leaves a rest; "
            "change one\n");
  const std::string of_heads =
      R"(, {"name": "network.attention_heads", "type": "choice", "options": [3, 5]})";
  CHECK(File("\"space\": [" + of_model + of_heads + "]", heads).wrong.empty());
  CHECK(File(R"("space": [{"name": "train.model", "type": "choice", "options": ["mlp"]}])", heads)
            .wrong.empty());
}

TEST_CASE("names that no space may have") {
  CHECK(
      wrong_space(R"({"name": "train.dropout", "type": "float", "low": 0, "high": 0.5},
{"name": "learning_rate", "type": "float", "low": 0.1, "high": 0.5},
{"name": "network.hiden", "type": "choice", "options": ["8"]},
{"name": "nothing.like", "type": "choice", "options": ["8"]},
{"name": "train.device", "type": "choice", "options": ["cpu"]},
{"name": "train.from", "type": "choice", "options": ["study"]},
{"name": "train.refit", "type": "choice", "options": ["true"]},
{"name": "train.threshold", "type": "choice", "options": ["half"]},
{"name": "tune.trials", "type": "integer", "low": 1, "high": 2})") ==
      R"(c.json:3:2: tune.space[0].name: there is no field "train.dropout"; did you mean "network.dropout"?
c.json:4:2: tune.space[1].name: there is no field "learning_rate"; did you mean "train.learning_rate"?
c.json:5:2: tune.space[2].name: there is no field "network.hiden"; did you mean "network.hidden"?
c.json:6:2: tune.space[3].name: there is no field "nothing.like"
c.json:7:2: tune.space[4].name: train.device cannot be searched: it does not shape the result
c.json:8:2: tune.space[5].name: train.from cannot be searched: it says where stage train takes its parameters from
c.json:9:2: tune.space[6].name: train.refit cannot be searched: stage train does that, and no trial
c.json:10:2: tune.space[7].name: train.threshold cannot be searched: trials are compared by calls that one rule makes
c.json:11:2: tune.space[8].name: tune.trials cannot be searched: only fields of network and train shape a training
)");
}

TEST_CASE("domains that do not fit their field") {
  CHECK(
      wrong_space(R"({"name": "train.epochs", "type": "float", "low": 1, "high": 5},
{"name": "train.learning_rate", "type": "float", "low": 0, "high": 11.5},
{"name": "train.batch_size", "type": "integer", "low": 1, "high": 5},
{"name": "train.loss", "type": "integer", "low": 1, "high": 5},
{"name": "network.hidden", "type": "float", "low": 1, "high": 5},
{"name": "train.model", "type": "choice", "options": ["mlp", "mpl", 3]},
{"name": "network.dropout", "type": "choice", "options": [0, "0.5", 0.99]},
{"name": "network.filters", "type": "choice", "options": [4, 4.5]},
{"name": "network.kernel_widths", "type": "choice", "options": [3, "3,x", "", "1,3"]},
{"name": "network.kernels", "type": "choice", "options": ["both:60", "both"]},
{"name": "network.cdr3_trim", "type": "choice", "options": ["3", "3,4"]},
{"name": "train.weight_decay", "type": "integer", "low": 0, "high": 10})") ==
      R"(c.json:3:26: tune.space[0].type: train.epochs takes whole numbers; take the type integer, or choice
c.json:4:50: tune.space[1].low: 0 is out of range; must be above 0 and at most 10
c.json:4:60: tune.space[1].high: 11.5 is out of range; must be above 0 and at most 10
c.json:5:49: tune.space[2].low: 1 is out of range; must be at least 2 and at most 1000000 rows
c.json:6:24: tune.space[3].type: train.loss is a text, which has no range; take the type choice
c.json:7:28: tune.space[4].type: network.hidden is a list, which has no range; take the type choice
c.json:8:43: tune.space[5].options[1]: "mpl" is not one of mlp_small, mlp_medium, mlp_large, mlp, cnn, attention, kernel_mlp, two_tower; did you mean "mlp"?
c.json:8:43: tune.space[5].options[2]: must be a text, not 3
c.json:9:47: tune.space[6].options[1]: must be a number, not "0.5"
c.json:9:47: tune.space[6].options[2]: 0.99 is out of range; must be at least 0 and at most 0.95
c.json:10:47: tune.space[7].options[1]: must be a whole number, not 4.5
c.json:11:53: tune.space[8].options[0]: network.kernel_widths is a list; write it as a text like "1,3,5,7,9", not 3
c.json:11:53: tune.space[8].options[1]: must be a list of whole numbers, not [3,"x"]
c.json:11:53: tune.space[8].options[2]: must name at least one
c.json:12:47: tune.space[9].options[1]: network.kernels: "both" is not CHAINS:SCALE or CHAINS:SCALE:SHARE with both, alpha or beta and positive numbers
c.json:13:49: tune.space[10].options[0]: takes two numbers: letters at the beginning and at the end
)");
}

TEST_CASE("what is no space, whatever its fields") {
  CHECK(
      wrong_space(R"({"name": "train.epochs", "type": "integr", "low": 1},
{"name": "train.epochs", "type": "integer", "low": 1, "hihg": 5},
{"name": 3, "low": 1, "high": 5},
{"type": "choice", "options": [true]},
{"name": "a", "type": "choice", "options": []},
{"name": "b", "type": "choice", "options": ["x", "x"]},
{"name": "c", "type": "float", "low": 0, "high": 1, "log": true, "step": "1"},
{"name": "d", "type": "float", "low": 0, "high": 1, "log": true},
{"name": "e", "type": "integer", "low": 1, "high": 0},
{"name": "f", "type": "integer", "low": 1, "high": 9, "step": 0},
{"name": "g", "type": "choice", "options": ["x", "y"]},
{"name": "g", "type": "choice", "options": ["x", "y"]},
{"name": "h", "type": "integer", "low": 1, "high": 2, "when": {"parameter": "g", "values": ["z"]}},
{"name": "i", "type": "integer", "low": 1, "high": 2, "when": {"parameter": "gg", "values": ["x"]}},
{"name": "j", "type": "integer", "low": 1, "high": 2, "when": {"parameter": "g"}},
{"name": "k", "type": "integer", "low": 3, "high": 2, "when": {"parameter": "b", "values": ["x"]}},
{"name": "l", "type": "integer", "low": 1, "high": 18446744073709551615})") ==
      R"(c.json:3:26: tune.space[0].type: "integr" is not one of float, integer, choice; did you mean "integer"?
c.json:4:1: tune.space[1]: the key "high" is missing
c.json:4:55: tune.space[1].hihg: unknown key of a parameter of type integer; did you mean "high"?
c.json:5:1: tune.space[2]: the key "type" is missing
c.json:6:1: tune.space[3]: the key "name" is missing
c.json:6:20: tune.space[3].options: must be a list of 1 to 1000 texts and numbers, not [true]
c.json:7:33: tune.space[4].options: must be a list of 1 to 1000 texts and numbers, not []
c.json:8:33: tune.space[5].options: the option "x" occurs twice; remove one
c.json:9:66: tune.space[6].step: must be a number, not "1"
c.json:10:53: tune.space[7].log: a log range must lie above 0, but low is 0
c.json:11:34: tune.space[8].low: the range is empty: low 1 is above high 0
c.json:12:55: tune.space[9].step: the step must be at least 1, but is 0
c.json:14:2: tune.space[11].name: the name occurs twice
c.json:15:55: tune.space[12].when: it depends on "z", which is not an option of "g"
c.json:16:64: tune.space[13].when.parameter: there is no parameter "gg" before this one; did you mean "g"?
c.json:17:55: tune.space[14].when: must be {"parameter": a name, "values": a list of its options}, not {"parameter":"g"}
c.json:18:34: tune.space[15].low: the range is empty: low 3 is above high 2
c.json:19:44: tune.space[16].high: must be a whole number, not 18446744073709551615
)");
  std::string many;
  for (int i = 0; i < 201; ++i) many += fmt::format(R"({{"name": "{}"}},)", i);
  many.pop_back();
  CHECK(wrong_space(many) ==
        "c.json:2:1: tune.space: holds 201 parameters, more than there are fields to search\n");
}

TEST_CASE("every field that shapes a training can be searched, and no other") {
  const PipelineConfig config;
  const auto paths = searchable_fields(config.fields());
  const auto has = [&](const char* path) {
    return std::find(paths.begin(), paths.end(), path) != paths.end();
  };
  for (const char* path : {"network.head", "network.hidden", "train.model", "train.optimiser",
                           "train.batch_size", "train.missing_pairs"}) {
    CHECK(has(path));
  }
  for (const char* path :
       {"train.device", "train.from", "train.refit", "train.threshold", "tune.trials", "seed"}) {
    CHECK_FALSE(has(path));
  }
  CHECK(space_item_schema(paths).at("properties").at("name").at("enum") == Json(paths));
  CHECK(config.fields()
            .schema()
            .at("properties")
            .at("tune")
            .at("properties")
            .at("space")
            .at("items") == space_item_schema(paths));
}

TEST_CASE("the best trial's parameters are those of its point, refit as the configuration says") {
  const File file(R"("trials": 3)", R"(, "train": {"refit": true})");
  const FitParameters now = best_parameters(
      {{"point", {{"train.model", "cnn"}, {"train.epochs", 3}, {"network.dropout", 0.25}}}},
      file.config);
  CHECK(now.model == "cnn");
  CHECK(now.epochs == 3);
  CHECK(now.network.dropout == 0.25);
  CHECK(now.refit);
  const FitParameters before = best_parameters(
      {{"parameters", {{"model", "cnn"}, {"epochs", 4}, {"learning_rate", 0.5}}}}, file.config);
  CHECK(before.model == "cnn");
  CHECK(before.epochs == 4);
  CHECK(before.learning_rate == 0.5);
  CHECK_THROWS_AS(best_parameters(Json::object(), file.config), Json::exception);
}

}  // namespace
}  // namespace tcrops::stages
