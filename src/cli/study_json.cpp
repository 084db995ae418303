// What is known of studies, as JSON.
#include "study_report.hpp"

#include <tcrops/tune/importance.hpp>

#include <algorithm>
#include <cmath>

namespace tcrops::cli {
namespace {

std::string phase_of(const tune::TrialRecord& record) {
  switch (record.phase) {
    case tune::Phase::kWaiting:
      return "waiting";
    case tune::Phase::kRunning:
      return "running";
    case tune::Phase::kEnded:
      return tune::state_name(record.trial.state);
  }
  return "";
}

Json seconds_of(const tune::TrialRecord& record) {
  if (record.started <= 0.0 || record.finished <= 0.0) return nullptr;
  return record.finished - record.started;
}

Json decisions_of(const tune::Trial& trial) {
  Json json = Json::array();
  for (const tune::Decision& decision : trial.decisions) json.push_back(tune::to_json(decision));
  return json;
}

Json trial_json(const tune::TrialRecord& record) {
  const tune::Trial& trial = record.trial;
  const bool ended = record.phase == tune::Phase::kEnded;
  return {{"number", trial.number},
          {"state", phase_of(record)},
          {"value", ended ? number_or_null(trial.value) : Json()},
          {"acceptable", ended ? Json(trial.acceptable) : Json()},
          {"reason", trial.reason},
          {"point", tune::to_json(trial.point)},
          {"origin", trial.origin},
          {"trained_numbers", trial.weights},
          {"last_step", trial.reports.empty() ? record.step : trial.reports.back().step},
          {"decisions", decisions_of(trial)},
          {"attempt", record.attempt},
          {"worker", record.worker},
          {"job", record.job},
          {"seconds", seconds_of(record)}};
}

bool counts(const tune::TrialRecord& record) {
  return record.phase == tune::Phase::kEnded && record.trial.acceptable &&
         record.trial.state == tune::TrialState::kComplete;
}

// The trials that were the best so far when they are taken by number.
Json best_so_far(const std::vector<tune::TrialRecord>& records) {
  Json json = Json::array();
  double best = 0.0;
  for (const tune::TrialRecord& record : records) {
    if (!counts(record) || (!json.empty() && record.trial.value <= best)) continue;
    best = record.trial.value;
    json.push_back({{"trial", record.trial.number}, {"value", best}});
  }
  return json;
}

std::vector<tune::Trial> ended_trials(const std::vector<tune::TrialRecord>& records) {
  std::vector<tune::Trial> trials;
  for (const tune::TrialRecord& record : records) {
    if (record.phase == tune::Phase::kEnded) trials.push_back(record.trial);
  }
  return trials;
}

Json importance_json(const tune::Space& space, const std::vector<tune::Trial>& trials) {
  Json json = Json::array();
  for (const tune::Importance& each : tune::importances(space, trials)) {
    json.push_back({{"parameter", each.name},
                    {"importance", each.importance ? Json(*each.importance) : Json()},
                    {"trials", each.trials}});
  }
  return json;
}

Json count_json(const std::vector<tune::TrialRecord>& records) {
  Json count = {{"complete", 0}, {"pruned", 0},  {"failed", 0},
                {"running", 0},  {"waiting", 0}, {"not_acceptable", 0}};
  for (const tune::TrialRecord& record : records) {
    Json& one = count[phase_of(record)];
    one = one.get<std::int64_t>() + 1;
    if (record.trial.state != tune::TrialState::kComplete || record.trial.acceptable) continue;
    count["not_acceptable"] = count["not_acceptable"].get<std::int64_t>() + 1;
  }
  return count;
}

Json attempts_json(const std::vector<tune::Attempt>& attempts) {
  Json json = Json::array();
  for (const tune::Attempt& each : attempts) {
    json.push_back({{"trial", each.number},
                    {"attempt", each.attempt},
                    {"worker", each.worker},
                    {"job", each.job},
                    {"started", each.started},
                    {"ended", each.ended ? Json(*each.ended) : Json()},
                    {"how", each.how}});
  }
  return json;
}

Json late_json(const std::vector<tune::LateResult>& late) {
  Json json = Json::array();
  for (const tune::LateResult& each : late) {
    json.push_back({{"trial", each.number},
                    {"worker", each.worker},
                    {"time", each.time},
                    {"outcome", each.outcome}});
  }
  return json;
}

}  // namespace

Json study_list_json(const std::vector<stages::StudySummary>& studies) {
  Json list = Json::array();
  for (const stages::StudySummary& each : studies) {
    list.push_back({{"id", each.id},
                    {"name", each.name},
                    {"place", each.place},
                    {"trials", each.trials},
                    {"finished", each.finished},
                    {"running", each.running},
                    {"best", each.best}});
  }
  return {{"schema", "tcrops.studies/1"}, {"studies", std::move(list)}};
}

Json study_json(const stages::StudyView& study) {
  const std::vector<tune::Trial> ended = ended_trials(study.records);
  Json best = Json::array();
  for (const std::int64_t number : tune::best_trials(ended, ended.size())) best.push_back(number);
  Json trials = Json::array();
  for (const tune::TrialRecord& record : study.records) trials.push_back(trial_json(record));
  return {{"schema", "tcrops.study/1"},
          {"id", study.id},
          {"name", study.name},
          {"place", study.place},
          {"configuration", study.configuration.at("tune")},
          {"seed", study.seed},
          {"backend_class", study.backend_class},
          {"dataset", study.dataset},
          {"space", tune::to_json(study.space)},
          {"total", study.trials},
          {"count", count_json(study.records)},
          {"best", std::move(best)},
          {"best_so_far", best_so_far(study.records)},
          {"importance", importance_json(study.space, ended)},
          {"kept", study.kept},
          {"trials", std::move(trials)},
          {"attempts", attempts_json(study.attempts)},
          {"late_results", late_json(study.late)}};
}

}  // namespace tcrops::cli
