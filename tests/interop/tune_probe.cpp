// Answers cases of the search engine for tpe_parity.py, pruner_parity.py and importance_parity.py.
// Usage: tune_probe estimator|prune|importance < CASES.json
//   estimator  [{"preset", "width" (neighbours-prior-ends or by-count, optional), "space",
//              "rows": [point...], "at": [point...]}] -> [{"weights", "widths" by axis (null for a
//              choice), "log_density"}]
//   prune      [{"pruner": {"kind", options...}, "seed", "trials": [{"number", "state", "reports":
//              [[step, value]...]}], "trial": number}] -> decisions
//   importance [{"space", "share", "trials": [{"point", "value", "acceptable", "state"}]}]
//              -> [[{"name", "importance" (null where absent), "trials"}]]
#include "axis.hpp"
#include "kernel_rules.hpp"
#include "parzen.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/tune/importance.hpp>
#include <tcrops/tune/pruner.hpp>

#include <cmath>
#include <iostream>
#include <string>

namespace {

using namespace tcrops::tune;
using tcrops::Json;

Coordinates coordinates_of(const Json& json, const Space& space) {
  const Point point = point_from_json(json, space);
  Coordinates result;
  for (const Parameter& each : space) result.push_back(coordinate(each, point.at(each.name)));
  return result;
}

Json estimator(const Json& test) {
  TpeOptions options = tpe_options(test.at("preset").get<std::string>());
  const std::string width = test.value("width", "");
  if (width == "neighbours-prior-ends") options.width = KernelWidth::kNeighboursPriorEnds;
  if (width == "by-count") options.width = KernelWidth::kByCount;
  const Space space = space_from_json(test.at("space"));
  std::vector<Axis> axes;
  for (const Parameter& each : space) axes.push_back(axis_of(each, options.grid_ends));
  Columns columns(space.size());
  for (const Json& row : test.at("rows")) {
    const Coordinates place = coordinates_of(row, space);
    for (std::size_t a = 0; a < place.size(); ++a) columns[a].push_back(place[a]);
  }
  std::vector<double> weights = age_weights(columns.front().size());
  weights.push_back(options.prior_weight);
  const ParzenEstimator result(axes, columns, std::move(weights), options);
  Json out = {{"weights", result.weights()}, {"widths", Json::array()}};
  for (std::size_t a = 0; a < axes.size(); ++a) {
    out["widths"].push_back(axes[a].kind == Axis::Kind::kCategory ? Json()
                                                                  : Json(result.widths(a)));
  }
  out["log_density"] = Json::array();
  for (const Json& point : test.at("at")) {
    out["log_density"].push_back(result.log_density(coordinates_of(point, space)));
  }
  return out;
}

Pruner pruner_of(const Json& json) {
  const auto option = [&](const char* key, std::int64_t otherwise) {
    return json.value(key, otherwise);
  };
  const auto kind = json.at("kind").get<std::string>();
  if (kind == "percentile") {
    return PercentilePruner{json.value("percentile", 50.0), option("startup_trials", 5),
                            option("warmup_steps", 0), option("interval_steps", 1),
                            option("least_trials", 1)};
  }
  if (kind == "asha") {
    return AshaPruner{option("min_resource", 0), option("reduction_factor", 4),
                      option("early_stopping_rate", 0)};
  }
  return HyperbandPruner{option("min_resource", 1), option("max_resource", 0),
                         option("reduction_factor", 3)};
}

TrialState state_of(const Json& json) {
  const auto state = json.at("state").get<std::string>();
  if (state == "complete") return TrialState::kComplete;
  if (state == "pruned") return TrialState::kPruned;
  return state == "failed" ? TrialState::kFailed : TrialState::kRunning;
}

ReportedTrial trial_of(const Json& json) {
  ReportedTrial trial;
  trial.number = json.at("number").get<std::int64_t>();
  trial.state = state_of(json);
  for (const Json& report : json.at("reports")) {
    trial.reports.push_back({report.at(0).get<std::int64_t>(),
                             report.at(1).is_null() ? std::nan("") : report.at(1).get<double>()});
  }
  return trial;
}

Json prune(const Json& test) {
  std::vector<ReportedTrial> trials;
  for (const Json& each : test.at("trials")) trials.push_back(trial_of(each));
  const auto number = test.at("trial").get<std::int64_t>();
  for (const ReportedTrial& each : trials) {
    if (each.number != number) continue;
    return to_json(
        judge(pruner_of(test.at("pruner")), test.at("seed").get<std::uint64_t>(), trials, each));
  }
  return nullptr;
}

Json importance(const Json& test) {
  const Space space = space_from_json(test.at("space"));
  std::vector<Trial> trials;
  for (const Json& each : test.at("trials")) {
    Trial trial;
    trial.point = point_from_json(each.at("point"), space);
    trial.value = each.at("value").get<double>();
    trial.acceptable = each.at("acceptable").get<bool>();
    trial.state = state_of(each);
    trials.push_back(std::move(trial));
  }
  Json result = Json::array();
  for (const Importance& each : importances(space, trials, test.at("share").get<double>())) {
    result.push_back({{"name", each.name},
                      {"importance", each.importance ? Json(*each.importance) : Json()},
                      {"trials", each.trials}});
  }
  return result;
}

Json answer(const std::string& mode, const Json& test) {
  if (mode == "prune") return prune(test);
  return mode == "importance" ? importance(test) : estimator(test);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string mode(count == 2 ? arguments[1] : "");
  if (mode != "estimator" && mode != "prune" && mode != "importance") {
    std::cerr << "usage: tune_probe estimator|prune|importance < CASES.json\n";
    return 2;
  }
  const Json cases = Json::parse(std::cin);
  Json answers = Json::array();
  for (const Json& each : cases) answers.push_back(answer(mode, each));
  std::cout << answers.dump() << "\n";
  return 0;
}
