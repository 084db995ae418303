#pragma once

#include "../db/places.hpp"

#include <tcrops/tune/replay.hpp>
#include <tcrops/tune/worker.hpp>

#include <fmt/format.h>

#include <catch_all.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::tune::test {

using db::test::Places;

inline const std::string kStudy = "5f0e";

inline Space study_space() {
  return {{"x", FloatRange{-5.0, 5.0}},
          {"n", IntegerRange{1, 4}},
          {"model", Choice{{"small", "large"}}}};
}

constexpr std::int64_t kSteps = 6;

// Rises to its value in steps, from a start that depends on the number.
inline Trial climb(std::int64_t number, const Point& point, const Reporter& report) {
  const double x = std::get<double>(point.at("x"));
  const auto n = static_cast<double>(std::get<std::int64_t>(point.at("n")));
  Trial trial;
  trial.weights = std::get<std::string>(point.at("model")) == "small" ? 10 : 1000;
  trial.details = {{"steps", Json::array()}};
  const double goal = -(x - 1.0) * (x - 1.0) - n / 3.0;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const auto left = static_cast<double>(kSteps - 1 - step);
    trial.value = goal - left * 0.1 * static_cast<double>(1 + number % 5);
    trial.details["steps"].push_back(trial.value);
    if (report({step, trial.value})) break;
  }
  return trial;
}

// Trains as a stage does, with an objective.
inline Trial train(Running& running, const Objective& objective) {
  Trial trial = objective(running.claim().number, running.claim().point, [&](const Report& report) {
    running.reached(report.step);
    return running.report(report);
  });
  static_cast<void>(running.settle());
  return trial;
}

inline StudyOptions options_of(std::int64_t trials, std::int64_t window) {
  StudyOptions options;
  options.trials = trials;
  options.window = window;
  options.seed = 11;
  return options;
}

// No study is left at a place.
inline void clear(const db::Address& place) {
  db::Database database = db::Database::open(place);
  for (const char* const table : {"tcrops_late_result", "tcrops_attempt", "tcrops_report",
                                  "tcrops_trial", "tcrops_study", "tcrops_schema"}) {
    database.execute(fmt::format("drop table if exists {}", table));
  }
}

inline StudyStorage connect(const db::Address& place, const StudyOptions& options,
                            const std::string& id = kStudy) {
  return {db::Database::open(place, {30.0, 60.0}),
          id,
          "a study",
          {{"seed", options.seed}},
          study_space(),
          options};
}

inline std::vector<TrialRecord> records_at(const db::Address& place) {
  db::Database database = db::Database::open(place);
  return read_records(database, kStudy, study_space());
}

inline std::vector<Attempt> attempts_at(const db::Address& place) {
  db::Database database = db::Database::open(place);
  return read_attempts(database, kStudy);
}

inline std::vector<LateResult> late_results_at(const db::Address& place) {
  db::Database database = db::Database::open(place);
  return read_late_results(database, kStudy);
}

inline std::vector<Trial> trials_of(const std::vector<TrialRecord>& records) {
  std::vector<Trial> trials;
  for (const TrialRecord& record : records) trials.push_back(record.trial);
  return trials;
}

// All that a trial is, down to the last bit.
inline Json summary(const std::vector<Trial>& trials) {
  Json json = Json::array();
  for (const Trial& trial : trials) {
    Json reports = Json::array();
    for (const Report& each : trial.reports)
      reports.push_back({each.step, number_or_null(each.value)});
    Json decisions = Json::array();
    for (const Decision& each : trial.decisions) decisions.push_back(to_json(each));
    json.push_back({trial.number, to_json(trial.point), trial.value, trial.acceptable, trial.reason,
                    trial.weights, trial.details, state_name(trial.state), reports, decisions,
                    trial.decision ? to_json(*trial.decision) : Json(), trial.origin});
  }
  return json;
}

inline const WorkerName kWorker = {"host:1", ""};
inline const WorkerName kOther = {"host:2", "job 7"};
constexpr StudyStorage::Terms kTerms = {3600.0, 3};
constexpr StudyStorage::Terms kExpired = {-1.0, 3};  // leases that have run out already

inline Claim claim(StudyStorage& storage, const std::string& token,
                   const StudyStorage::Terms& terms = kTerms, const WorkerName& worker = kWorker) {
  auto [free, claim] = storage.claim(worker, token, terms);
  REQUIRE(free == StudyStorage::Free::kClaimed);
  REQUIRE(claim.has_value());
  return *claim;
}

inline StudyStorage::Free refused(StudyStorage& storage) {
  const auto [free, claim] = storage.claim(kWorker, fresh_token(), kTerms);
  CHECK_FALSE(claim.has_value());
  return free;
}

inline Trial result(double value) {
  Trial trial;
  trial.value = value;
  trial.details = {{"curve", {0.5, value}}};
  trial.weights = 7;
  return trial;
}

// Runs a case on a new database of each kind.
template <class Body>
void everywhere(Body&& body) {
  const Places places;
  for (const db::Address& place : places.all()) {
    INFO(place.shown());
    clear(place);
    body(place);
  }
}

inline StudyOptions with_median(std::int64_t trials, std::int64_t window) {
  StudyOptions options = options_of(trials, window);
  options.pruner = PercentilePruner{50.0, 1, 0, 1, 1};
  return options;
}

inline WorkerHooks hooks_for(const db::Address& place, const StudyOptions& options,
                             std::function<Trial(Running&)> work) {
  WorkerHooks hooks;
  hooks.connect = [&place, &options] { return connect(place, options); };
  hooks.work = std::move(work);
  return hooks;
}

inline WorkerHooks climbing(const db::Address& place, const StudyOptions& options) {
  return hooks_for(place, options, [](Running& running) { return train(running, climb); });
}

inline const std::vector<std::optional<Pruner>>& pruners() {
  static const std::vector<std::optional<Pruner>> all = {
      std::nullopt, PercentilePruner{50.0, 2, 1, 1, 1}, AshaPruner{1, 2, 0},
      HyperbandPruner{1, 0, 2}};
  return all;
}

}  // namespace tcrops::tune::test
