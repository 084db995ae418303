#include "knowledge.hpp"
#include "storage_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/tune/storage.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::tune {
namespace {

std::size_t place(std::int64_t number) { return static_cast<std::size_t>(number); }

db::Value number_or_nothing(double value) {
  return std::isnan(value) ? db::Value() : db::Value(value);
}

void close_attempt(db::Database& database, const std::string& study, std::int64_t number,
                   const std::string& token, double now, const char* how) {
  database.execute(
      "UPDATE tcrops_attempt SET ended = :p1, how = :p2 WHERE study = :p3 AND number = :p4 AND "
      "token = :p5",
      {now, std::string(how), study, number, token});
}

// A token comes twice where the answer to its claim was lost, and meanwhile the trial went to
// another worker that gave it back.
void open_attempt(db::Database& database, const std::string& study, const Claim& claim,
                  const WorkerName& worker, double now) {
  database.execute(
      "INSERT INTO tcrops_attempt (study, number, token, attempt, worker, job, started, how) "
      "VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, '') ON CONFLICT (study, number, token) DO "
      "UPDATE SET attempt = excluded.attempt, started = excluded.started, ended = NULL, how = ''",
      {study, claim.number, claim.token, claim.attempt, worker.name, worker.job, now});
}

Claim claim_of(const TrialRecord& record, const std::string& token) {
  return {record.trial.number, token, record.trial.point, record.trial.origin, record.attempt};
}

}  // namespace

std::vector<StudyEntry> list_studies(db::Database& database) {
  if (!has_tables(database)) return {};
  make_tables(database);
  std::vector<StudyEntry> studies;
  for (const db::Row& row : database.query(
           "SELECT id, name, definition, trials, created FROM tcrops_study ORDER BY created, id")) {
    StudyEntry entry{db::text(row.at(0)), db::text(row.at(1)),
                     parse_json(db::text(row.at(2)), "stored study"), db::integer(row.at(3)),
                     db::real(row.at(4))};
    const double now = database.now();
    for (const db::Row& trial : database.query(
             "SELECT phase, lease_until FROM tcrops_trial WHERE study = :p1", {entry.id})) {
      if (db::text(trial.at(0)) == "ended") ++entry.finished;
      if (db::text(trial.at(0)) == "running" && db::real(trial.at(1)) >= now) ++entry.running;
    }
    studies.push_back(std::move(entry));
  }
  return studies;
}

StudyStorage::StudyStorage(db::Database database, std::string id, const std::string& name,
                           const Json& definition, Space space, StudyOptions options)
    : database_(std::move(database)),
      id_(std::move(id)),
      space_(std::move(space)),
      options_(std::move(options)) {
  check_space(space_);
  check_options(options_);
  make_tables(database_);
  const std::string text = canonical_json(definition);
  const auto read = [&] {
    return database_.query("SELECT definition FROM tcrops_study WHERE id = :p1", {id_});
  };
  if (read().empty()) {
    database_.transaction([&] {
      database_.execute(
          "INSERT INTO tcrops_study (id, name, definition, trials, events, created) VALUES (:p1, "
          ":p2, :p3, :p4, 0, :p5) ON CONFLICT (id) DO NOTHING",
          {id_, name, text, options_.trials, database_.now()});
    });
  }
  const auto rows = read();
  if (rows.empty() || db::text(rows.front().at(0)) != text) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: study {} is there with another definition; was it changed by "
                            "hand?",
                            database_.address().shown(), id_.substr(0, 12)));
  }
  raise_trials(options_.trials);
}

std::int64_t StudyStorage::begin_event() {
  if (database_.execute("UPDATE tcrops_study SET events = events + 1 WHERE id = :p1", {id_}) == 0) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: study {} is no longer there",
                                                 database_.address().shown(), id_.substr(0, 12)));
  }
  const auto rows =
      database_.query("SELECT events, trials FROM tcrops_study WHERE id = :p1", {id_});
  options_.trials = db::integer(rows.at(0).at(1));
  return db::integer(rows.at(0).at(0));
}

// Brings records_ up to all that happened before `event`, which holds the study.
void StudyStorage::look(std::int64_t event) {
  // What is taken over from elsewhere has the events it had there, which may be lower.
  if (records_.empty()) looked_ = 0;
  const std::string sql =
      fmt::format("SELECT {} FROM tcrops_trial WHERE study = :p1 AND changed > :p2 ORDER BY number",
                  kTrialColumns);
  for (const db::Row& row : database_.query(sql, {id_, looked_})) {
    TrialRow read = trial_row(row, space_);
    const std::size_t at = place(read.record.trial.number);
    if (at >= records_.size()) {
      records_.resize(at + 1);
      tokens_.resize(at + 1);
    }
    TrialRecord& known = records_[at];
    read.record.trial.reports = std::move(known.trial.reports);
    read.record.trial.decisions = std::move(known.trial.decisions);
    read.record.trial.decision = std::move(known.trial.decision);
    read.record.told = std::move(known.told);
    known = std::move(read.record);
    tokens_[at] = std::move(read.token);
  }
  for (const db::Row& row : database_.query(
           "SELECT number, step, value, decision, event FROM tcrops_report WHERE study = :p1 AND "
           "event > :p2 ORDER BY event",
           {id_, looked_})) {
    const ReportRow report = report_row(row);
    add_report(report, records_.at(place(report.number)));
  }
  looked_ = event - 1;
}

void StudyStorage::refresh() {
  change([&] { look(begin_event()); });
}

std::int64_t StudyStorage::ended() const {
  return std::count_if(records_.begin(), records_.end(),
                       [](const TrialRecord& record) { return record.phase == Phase::kEnded; });
}

// Whether all that the next suggestion must know is known.
bool StudyStorage::window_open() const {
  if (options_.window == 0) return true;
  const std::int64_t known = std::ssize(records_) - options_.window + 1;
  for (std::int64_t i = 0; i < known; ++i) {
    if (records_[place(i)].phase != Phase::kEnded) return false;
  }
  return true;
}

std::optional<Claim> StudyStorage::claimed_with(const std::string& token) const {
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (records_[i].phase == Phase::kRunning && tokens_[i] == token) {
      return claim_of(records_[i], token);
    }
  }
  return std::nullopt;
}

std::optional<Claim> StudyStorage::claim_again(const WorkerName& worker, const std::string& token,
                                               const Terms& terms, std::int64_t event, double now) {
  for (const db::Row& row : database_.query(
           "SELECT number, phase, token FROM tcrops_trial WHERE study = :p1 AND (phase = 'waiting' "
           "OR (phase = 'running' AND lease_until < :p2)) ORDER BY number",
           {id_, now})) {
    const std::int64_t number = db::integer(row.at(0));
    const TrialRecord& record = records_.at(place(number));
    const auto close_lost = [&] {
      if (db::text(row.at(1)) == "running")
        close_attempt(database_, id_, number, db::text(row.at(2)), now, "lost");
    };
    // A lease may have been renewed since the query, which leaves the trial to its worker.
    if (record.attempt >= terms.attempts) {
      Trial failed;
      failed.state = TrialState::kFailed;
      failed.acceptable = false;
      failed.reason = fmt::format(
          "begun {} times and never finished: its worker died, or ran out of memory, each time",
          record.attempt);
      const std::int64_t changed = database_.execute(
          "UPDATE tcrops_trial SET phase = 'ended', changed = :p1, ended = :p2, finished = :p3, "
          "outcome = :p4 WHERE study = :p5 AND number = :p6 AND (phase = 'waiting' OR lease_until "
          "< "
          ":p7)",
          {event, event, now, outcome_json(failed).dump(), id_, number, now});
      if (changed == 1) close_lost();
      continue;
    }
    Claim claim = claim_of(record, token);
    claim.attempt = record.attempt + 1;
    const std::int64_t changed = database_.execute(
        "UPDATE tcrops_trial SET phase = 'running', changed = :p1, attempt = :p2, token = :p3, "
        "worker = :p4, job = :p5, lease_until = :p6 WHERE study = :p7 AND number = :p8 AND (phase "
        "= "
        "'waiting' OR lease_until < :p9)",
        {event, claim.attempt, token, worker.name, worker.job, now + terms.lease_seconds, id_,
         number, now});
    if (changed == 0) continue;
    close_lost();
    open_attempt(database_, id_, claim, worker, now);
    return claim;
  }
  return std::nullopt;
}

Claim StudyStorage::claim_new(const WorkerName& worker, const std::string& token,
                              const Terms& terms, std::int64_t event, double now) {
  Claim claim;
  claim.number = std::ssize(records_);
  claim.token = token;
  Proposal proposal = point_of(claim.number, space_, options_, records_, event);
  claim.point = std::move(proposal.point);
  claim.origin = std::move(proposal.origin);
  database_.execute(
      "INSERT INTO tcrops_trial (study, number, phase, point, origin, seen, changed, ended, "
      "attempt, token, worker, job, step, lease_until, started, finished) VALUES (:p1, :p2, "
      "'running', :p3, :p4, :p5, :p6, 0, 1, :p7, :p8, :p9, 0, :p10, :p11, 0.0)",
      {id_, claim.number, to_json(claim.point).dump(), claim.origin, event, event, token,
       worker.name, worker.job, now + terms.lease_seconds, now});
  open_attempt(database_, id_, claim, worker, now);
  return claim;
}

std::pair<StudyStorage::Free, std::optional<Claim>> StudyStorage::claim(const WorkerName& worker,
                                                                        const std::string& token,
                                                                        const Terms& terms) {
  std::pair<Free, std::optional<Claim>> result;
  change([&] {
    const std::int64_t event = begin_event();
    look(event);
    const double now = database_.now();
    result = {Free::kClaimed, claimed_with(token)};
    if (result.second) return;
    result.second = claim_again(worker, token, terms, event, now);
    if (result.second) return;
    if (std::ssize(records_) < options_.trials && window_open()) {
      result.second = claim_new(worker, token, terms, event, now);
      return;
    }
    result.first = ended() >= options_.trials ? Free::kNone : Free::kLater;
  });
  return result;
}

// Inside a transaction that holds the study.
bool StudyStorage::holds(const Claim& claim) {
  return !database_
              .query(
                  "SELECT number FROM tcrops_trial WHERE study = :p1 AND number = :p2 AND token "
                  "= :p3 AND phase = 'running'",
                  {id_, claim.number, claim.token})
              .empty();
}

std::optional<Decision> StudyStorage::report(const Claim& claim, const Report& told_now) {
  if (!options_.pruner) return std::nullopt;
  const Report report = kept(told_now);
  std::optional<Decision> decision;
  change([&] {
    decision.reset();
    const std::int64_t event = begin_event();
    look(event);
    if (!holds(claim)) return;
    const auto told = database_.query(
        "SELECT number, step, value, decision, event FROM tcrops_report WHERE study = :p1 AND "
        "number = :p2 AND step = :p3",
        {id_, claim.number, report.step});
    if (!told.empty()) {
      decision = report_row(told.front()).decision;
      return;
    }
    ReportedTrial own{claim.number, TrialState::kRunning,
                      records_.at(place(claim.number)).trial.reports};
    own.reports.push_back(report);
    const auto others = reported(records_, {claim.number, options_.window, event});
    decision = judge(*options_.pruner, options_.seed, others, own);
    database_.execute(
        "INSERT INTO tcrops_report (study, number, step, event, value, decision) VALUES (:p1, "
        ":p2, :p3, :p4, :p5, :p6)",
        {id_, claim.number, report.step, event, number_or_nothing(report.value),
         to_json(*decision).dump()});
    database_.execute(
        "UPDATE tcrops_trial SET step = :p1 WHERE study = :p2 AND number = :p3 AND token = :p4",
        {report.step, id_, claim.number, claim.token});
  });
  return decision;
}

bool StudyStorage::finish(const Claim& claim, const WorkerName& worker, const Trial& trial) {
  bool counted = false;
  const std::string outcome = outcome_json(trial).dump();
  const std::string details = trial.details.dump();
  change([&] {
    const std::int64_t event = begin_event();
    const double now = database_.now();
    const std::int64_t changed = database_.execute(
        "UPDATE tcrops_trial SET phase = 'ended', changed = :p1, ended = :p2, finished = :p3, "
        "outcome = :p4, details = :p5 WHERE study = :p6 AND number = :p7 AND token = :p8 AND "
        "phase = 'running'",
        {event, event, now, outcome, details, id_, claim.number, claim.token});
    // Or a COMMIT of an earlier try took effect although the connection was lost in it.
    counted = changed == 1 ||
              !database_
                   .query(
                       "SELECT number FROM tcrops_attempt WHERE study = :p1 AND number = :p2 "
                       "AND token = :p3 AND how = 'finished'",
                       {id_, claim.number, claim.token})
                   .empty();
    if (changed == 1) close_attempt(database_, id_, claim.number, claim.token, now, "finished");
    if (counted) return;
    database_.execute(
        "INSERT INTO tcrops_late_result (study, number, token, worker, time, outcome) VALUES "
        "(:p1, :p2, :p3, :p4, :p5, :p6) ON CONFLICT (study, number, token) DO NOTHING",
        {id_, claim.number, claim.token, worker.name, now, outcome});
  });
  return counted;
}

void StudyStorage::release(const Claim& claim, bool charge) {
  change([&] {
    const std::int64_t event = begin_event();
    const double now = database_.now();
    const std::int64_t changed = database_.execute(
        "UPDATE tcrops_trial SET phase = 'waiting', changed = :p1, attempt = :p2, lease_until = "
        "0.0 WHERE study = :p3 AND number = :p4 AND token = :p5 AND phase = 'running'",
        {event, charge ? claim.attempt : claim.attempt - 1, id_, claim.number, claim.token});
    if (changed == 0) return;
    close_attempt(database_, id_, claim.number, claim.token, now, charge ? "failed" : "released");
  });
}

bool StudyStorage::renew(const Claim& claim, double lease_seconds, std::int64_t step) {
  bool held = false;
  database_.transaction([&] {
    held = database_.execute(
               "UPDATE tcrops_trial SET lease_until = :p1, step = :p2 WHERE study = :p3 AND number "
               "= :p4 AND token = :p5 AND phase = 'running'",
               {database_.now() + lease_seconds, step, id_, claim.number, claim.token}) == 1;
  });
  return held;
}

std::int64_t StudyStorage::raise_trials(std::int64_t trials) {
  database_.transaction([&] {
    database_.execute("UPDATE tcrops_study SET trials = :p1 WHERE id = :p2 AND trials < :p3",
                      {trials, id_, trials});
    const auto rows = database_.query("SELECT trials FROM tcrops_study WHERE id = :p1", {id_});
    if (!rows.empty()) options_.trials = db::integer(rows.front().at(0));
  });
  return options_.trials;
}

}  // namespace tcrops::tune
