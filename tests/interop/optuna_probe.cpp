// Exports a study for optuna_export_parity.py.
// Usage: optuna_probe DATABASE < STUDY.json
//   {"study", "space", "replace", "attributes", "times": [[started, finished]...] (null: not
//   known),
//    "trials": [{"number", "point", "value" (null: NaN, or "inf"), "acceptable", "reason",
//    "weights", "details", "state", "reports": [[step, value]...], "origin", "decision": whether it
//    has one}]}
// An Error is {"error", "code"} on stdout.
#include <tcrops/core/error.hpp>
#include <tcrops/core/json.hpp>
#include <tcrops/db/database.hpp>
#include <tcrops/tune/optuna_export.hpp>

#include <cmath>
#include <iostream>
#include <limits>
#include <string>

namespace {

using namespace tcrops::tune;
using tcrops::Json;

double number_of(const Json& json) {
  if (json.is_null()) return std::nan("");
  if (json.is_number()) return json.get<double>();
  const double infinity = std::numeric_limits<double>::infinity();
  return json == "inf" ? infinity : -infinity;
}

TrialState state_of(const std::string& name) {
  if (name == "complete") return TrialState::kComplete;
  if (name == "pruned") return TrialState::kPruned;
  return name == "failed" ? TrialState::kFailed : TrialState::kRunning;
}

Trial trial_of(const Json& json, const Space& space) {
  Trial trial;
  trial.number = json.at("number").get<std::int64_t>();
  trial.point = point_from_json(json.at("point"), space);
  trial.value = number_of(json.at("value"));
  trial.acceptable = json.at("acceptable").get<bool>();
  trial.reason = json.at("reason").get<std::string>();
  trial.weights = json.at("weights").get<std::int64_t>();
  trial.details = json.at("details");
  trial.state = state_of(json.at("state").get<std::string>());
  trial.origin = json.at("origin").get<std::string>();
  for (const Json& report : json.at("reports")) {
    trial.reports.push_back({report.at(0).get<std::int64_t>(), number_of(report.at(1))});
  }
  if (json.at("decision").get<bool>()) {
    trial.decision = Decision{true, "median", "below the median", 3, 0.5, 0.75, 6, {}, {}};
  }
  return trial;
}

std::optional<double> time_of(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: optuna_probe DATABASE < STUDY.json\n";
    return 2;
  }
  try {
    const Json json = Json::parse(std::cin);
    const Space space = space_from_json(json.at("space"));
    std::vector<Trial> trials;
    for (const Json& each : json.at("trials")) trials.push_back(trial_of(each, space));
    OptunaExportOptions options;
    options.replace = json.at("replace").get<bool>();
    options.attributes = json.at("attributes");
    for (const Json& each : json.at("times")) {
      options.times.push_back({time_of(each.at(0)), time_of(each.at(1))});
    }
    auto database = tcrops::db::Database::open(tcrops::db::address(arguments[1]));
    export_to_optuna(database, json.at("study").get<std::string>(), space, trials, options);
  } catch (const tcrops::Error& error) {
    const Json failure = {{"error", error.what()}, {"code", static_cast<int>(error.code())}};
    std::cout << failure.dump() << "\n";
    return 1;
  }
  return 0;
}
