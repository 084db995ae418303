// What a storage tells of a study as a whole, and takes over from elsewhere.
#include "storage_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/tune/storage.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::tune {
namespace {

std::vector<TrialRecord> first_ended(const std::vector<TrialRecord>& records) {
  std::vector<TrialRecord> first;
  for (const TrialRecord& record : records) {
    if (record.phase != Phase::kEnded || record.trial.number != std::ssize(first)) break;
    first.push_back(record);
  }
  return first;
}

// Without a window a decision may rest on what any other trial had reported by then. Leaves out the
// last of the first trials until nothing that the rest has seen is missing.
void drop_what_rests_on_others(std::vector<TrialRecord>& first,
                               const std::vector<TrialRecord>& records) {
  const auto by_then = [](const TrialRecord& record, std::int64_t event) {
    return (!record.told.empty() && record.told.front() < event) ||
           (record.ended != 0 && record.ended < event);
  };
  while (!first.empty()) {
    std::int64_t last = 0;
    for (const TrialRecord& record : first) {
      if (!record.told.empty()) last = std::max(last, record.told.back());
    }
    const bool is_missing =
        std::any_of(records.begin() + std::ssize(first), records.end(),
                    [&](const TrialRecord& record) { return by_then(record, last); });
    if (!is_missing) return;
    first.pop_back();
  }
}

// Without a window the events are part of the study; with one they say nothing, so any will do.
void number_events(std::vector<TrialRecord>& records) {
  std::int64_t event = 0;
  for (TrialRecord& record : records) {
    record.seen = ++event;
    record.told.clear();
    for (std::size_t i = 0; i < record.trial.reports.size(); ++i) record.told.push_back(++event);
    record.ended = ++event;
  }
}

}  // namespace

std::int64_t StudyStorage::take_over(const std::vector<TrialRecord>& records) {
  std::vector<TrialRecord> taken = first_ended(records);
  if (options_.window == 0 && options_.pruner) drop_what_rests_on_others(taken, records);
  if (taken.empty()) return 0;
  if (options_.window > 0) number_events(taken);
  bool empty = false;
  change([&] {
    std::int64_t last = begin_event();
    empty = database_.query("SELECT number FROM tcrops_trial WHERE study = :p1", {id_}).empty();
    if (!empty) return;
    for (const TrialRecord& record : taken) {
      const Trial& trial = record.trial;
      last = std::max(last, record.ended);
      database_.execute(
          "INSERT INTO tcrops_trial (study, number, phase, point, origin, seen, changed, ended, "
          "attempt, token, worker, job, step, lease_until, started, finished, outcome, details) "
          "VALUES (:p1, :p2, 'ended', :p3, :p4, :p5, :p6, :p7, :p8, '', :p9, :p10, :p11, 0.0, "
          ":p12, :p13, :p14, :p15)",
          {id_, trial.number, to_json(trial.point).dump(), trial.origin, record.seen, record.ended,
           record.ended, record.attempt, record.worker, record.job, record.step, record.started,
           record.finished, outcome_json(trial).dump(), trial.details.dump()});
      for (std::size_t i = 0; i < trial.reports.size(); ++i) {
        const Report& report = trial.reports[i];
        last = std::max(last, record.told[i]);
        database_.execute(
            "INSERT INTO tcrops_report (study, number, step, event, value, decision) VALUES (:p1, "
            ":p2, :p3, :p4, :p5, :p6)",
            {id_, trial.number, report.step, record.told[i],
             std::isnan(report.value) ? db::Value() : db::Value(report.value),
             i < trial.decisions.size() ? db::Value(to_json(trial.decisions[i]).dump())
                                        : db::Value()});
      }
    }
    database_.execute("UPDATE tcrops_study SET events = :p1 WHERE id = :p2", {last, id_});
  });
  if (!empty) return 0;
  refresh();
  return std::ssize(taken);
}

std::vector<TrialRecord> read_records(db::Database& database, const std::string& id,
                                      const Space& space) {
  std::vector<TrialRecord> records;
  const auto read = [&] {
    records.clear();
    // Holds the study: PostgreSQL would otherwise show the reports of a later moment than the
    // trials.
    database.execute("UPDATE tcrops_study SET events = events WHERE id = :p1", {id});
    for (const db::Row& row : database.query(
             fmt::format("SELECT {}, details FROM tcrops_trial WHERE study = :p1 ORDER BY number",
                         kTrialColumns),
             {id})) {
      records.push_back(trial_row(row, space).record);
      if (!db::is_null(row.back())) {
        records.back().trial.details = parse_json(db::text(row.back()), "stored trial");
      }
    }
    for (const db::Row& row : database.query(
             "SELECT number, step, value, decision, event FROM tcrops_report WHERE study = :p1 "
             "ORDER BY number, step",
             {id})) {
      const ReportRow report = report_row(row);
      add_report(report, records.at(static_cast<std::size_t>(report.number)));
    }
  };
  database.transaction(read, db::Isolation::kLocking);
  return records;
}

std::vector<Attempt> read_attempts(db::Database& database, const std::string& id) {
  std::vector<Attempt> result;
  for (const db::Row& row : database.query(
           "SELECT number, attempt, worker, job, started, ended, how FROM tcrops_attempt WHERE "
           "study = :p1 ORDER BY number, started, token",
           {id})) {
    Attempt attempt{db::integer(row.at(0)), db::integer(row.at(1)), db::text(row.at(2)),
                    db::text(row.at(3)),    db::real(row.at(4)),    std::nullopt,
                    db::text(row.at(6))};
    if (!db::is_null(row.at(5))) attempt.ended = db::real(row.at(5));
    result.push_back(std::move(attempt));
  }
  return result;
}

std::vector<LateResult> read_late_results(db::Database& database, const std::string& id) {
  std::vector<LateResult> result;
  for (const db::Row& row : database.query(
           "SELECT number, worker, time, outcome FROM tcrops_late_result WHERE study = :p1 ORDER "
           "BY time, number, token",
           {id})) {
    result.push_back({db::integer(row.at(0)), db::text(row.at(1)), db::real(row.at(2)),
                      parse_json(db::text(row.at(3)), "stored result")});
  }
  return result;
}

}  // namespace tcrops::tune
