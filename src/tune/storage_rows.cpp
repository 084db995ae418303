#include "storage_rows.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>

namespace tcrops::tune {
namespace {

// Raise it with a step in make_tables() that brings older tables along.
constexpr std::int64_t kSchemaVersion = 1;

constexpr std::array kTables = {
    "CREATE TABLE IF NOT EXISTS tcrops_schema (part text PRIMARY KEY, version bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tcrops_study (id text PRIMARY KEY, name text NOT NULL, "
    "definition text NOT NULL, trials bigint NOT NULL, events bigint NOT NULL, "
    "created double precision NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tcrops_trial (study text NOT NULL REFERENCES tcrops_study (id), "
    "number bigint NOT NULL, phase text NOT NULL, point text NOT NULL, origin text NOT NULL, "
    "seen bigint NOT NULL, changed bigint NOT NULL, ended bigint NOT NULL, "
    "attempt bigint NOT NULL, token text NOT NULL, worker text NOT NULL, job text NOT NULL, "
    "step bigint NOT NULL, lease_until double precision NOT NULL, "
    "started double precision NOT NULL, finished double precision NOT NULL, outcome text, "
    "details text, PRIMARY KEY (study, number))",
    "CREATE INDEX IF NOT EXISTS tcrops_trial_changed ON tcrops_trial (study, changed)",
    "CREATE TABLE IF NOT EXISTS tcrops_report (study text NOT NULL REFERENCES tcrops_study (id), "
    "number bigint NOT NULL, step bigint NOT NULL, event bigint NOT NULL, "
    "value double precision, decision text, PRIMARY KEY (study, number, step))",
    "CREATE INDEX IF NOT EXISTS tcrops_report_event ON tcrops_report (study, event)",
    "CREATE TABLE IF NOT EXISTS tcrops_attempt (study text NOT NULL REFERENCES tcrops_study (id), "
    "number bigint NOT NULL, token text NOT NULL, attempt bigint NOT NULL, worker text NOT NULL, "
    "job text NOT NULL, started double precision NOT NULL, ended double precision, "
    "how text NOT NULL, PRIMARY KEY (study, number, token))",
    "CREATE TABLE IF NOT EXISTS tcrops_late_result (study text NOT NULL REFERENCES tcrops_study "
    "(id), number bigint NOT NULL, token text NOT NULL, worker text NOT NULL, "
    "time double precision NOT NULL, outcome text NOT NULL, PRIMARY KEY (study, number, token))",
};

std::int64_t schema_version(db::Database& database) {
  const auto rows = database.query("SELECT version FROM tcrops_schema WHERE part = 'study'");
  return rows.empty() ? 0 : db::integer(rows.front().at(0));
}

Phase phase_from_name(const std::string& name) {
  if (name == "waiting") return Phase::kWaiting;
  return name == "running" ? Phase::kRunning : Phase::kEnded;
}

void read_outcome(const Json& json, Trial& trial) {
  try {
    trial.state = state_from_name(json.at("state").get<std::string>());
    trial.value = json.at("value").get<double>();
    trial.acceptable = json.at("acceptable").get<bool>();
    trial.reason = json.at("reason").get<std::string>();
    trial.weights = json.at("trained_numbers").get<std::int64_t>();
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("stored trial {}: {}", trial.number, e.what()));
  }
}

}  // namespace

const std::string_view kTrialColumns =
    "number, phase, point, origin, seen, ended, attempt, token, worker, job, step, lease_until, "
    "started, finished, outcome";

bool has_tables(db::Database& database) {
  const char* sql =
      database.is_postgresql()
          ? "SELECT CAST(count(*) AS text) FROM information_schema.tables WHERE table_name = "
            "'tcrops_schema' AND table_schema = current_schema()"
          : "SELECT CAST(count(*) AS text) FROM sqlite_master WHERE name = 'tcrops_schema'";
  return db::text(database.query(sql).at(0).at(0)) != "0";
}

void make_tables(db::Database& database) {
  std::int64_t version = 0;
  if (has_tables(database)) version = schema_version(database);
  if (version > kSchemaVersion) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: its studies are of format {}, this program knows {}; use a newer "
                            "tcrops",
                            database.address().shown(), version, kSchemaVersion));
  }
  if (version == kSchemaVersion) return;
  database.transaction([&] {
    // Two workers may come at once; PostgreSQL would let both make the tables and refuse one.
    if (database.is_postgresql()) {
      static_cast<void>(database.query("SELECT CAST(pg_advisory_xact_lock(7236851404) AS text)"));
    }
    for (const char* table : kTables) database.execute(table);
    database.execute("DELETE FROM tcrops_schema WHERE part = 'study'");
    database.execute("INSERT INTO tcrops_schema (part, version) VALUES ('study', :p1)",
                     {kSchemaVersion});
  });
}

Json outcome_json(const Trial& trial) {
  return {{"state", state_name(trial.state)},
          {"value", number_or_null(trial.value)},
          {"acceptable", trial.acceptable},
          {"reason", trial.reason},
          {"trained_numbers", trial.weights}};
}

TrialRow trial_row(const db::Row& row, const Space& space) {
  TrialRow result;
  TrialRecord& record = result.record;
  Trial& trial = record.trial;
  trial.number = db::integer(row.at(0));
  record.phase = phase_from_name(db::text(row.at(1)));
  trial.point = point_from_json(parse_json(db::text(row.at(2)), "stored trial"), space);
  trial.origin = db::text(row.at(3));
  record.seen = db::integer(row.at(4));
  record.ended = db::integer(row.at(5));
  record.attempt = db::integer(row.at(6));
  result.token = db::text(row.at(7));
  record.worker = db::text(row.at(8));
  record.job = db::text(row.at(9));
  record.step = db::integer(row.at(10));
  record.lease_until = db::real(row.at(11));
  record.started = db::real(row.at(12));
  record.finished = db::real(row.at(13));
  trial.state = TrialState::kRunning;
  if (!db::is_null(row.at(14))) {
    read_outcome(parse_json(db::text(row.at(14)), "stored trial"), trial);
  }
  return result;
}

ReportRow report_row(const db::Row& row) {
  ReportRow result;
  result.number = db::integer(row.at(0));
  result.report.step = db::integer(row.at(1));
  result.report.value =
      db::is_null(row.at(2)) ? std::numeric_limits<double>::quiet_NaN() : db::real(row.at(2));
  if (!db::is_null(row.at(3))) {
    result.decision = decision_from_json(parse_json(db::text(row.at(3)), "stored decision"));
  }
  result.event = db::integer(row.at(4));
  return result;
}

void add_report(const ReportRow& row, TrialRecord& record) {
  record.trial.reports.push_back(row.report);
  record.told.push_back(row.event);
  if (!row.decision) return;
  record.trial.decisions.push_back(*row.decision);
  if (row.decision->prune) record.trial.decision = row.decision;
}

}  // namespace tcrops::tune
