#include "query_tables.hpp"

#include <tcrops/core/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tcrops::serve {
namespace {

namespace fs = std::filesystem;

// Raise it with a step in make_tables() that brings older tables along.
constexpr std::int64_t kSchemaVersion = 1;
constexpr const char* kPart = "query_log";

constexpr std::array kTables = {
    "CREATE TABLE IF NOT EXISTS tcrops_schema (part text PRIMARY KEY, version bigint NOT NULL)",
    "CREATE TABLE served_model (key integer PRIMARY KEY, name text NOT NULL, version text NOT "
    "NULL, artifact text NOT NULL, data_version text NOT NULL, reference text NOT NULL, UNIQUE "
    "(artifact, name, version, data_version, reference))",
    "CREATE TABLE query (number integer PRIMARY KEY AUTOINCREMENT, id text NOT NULL, time double "
    "precision NOT NULL, route text NOT NULL, status bigint NOT NULL, model bigint NOT NULL "
    "REFERENCES served_model (key), rows bigint NOT NULL, scored bigint NOT NULL, rejected bigint "
    "NOT NULL, unseen bigint NOT NULL, far bigint NOT NULL, seconds double precision NOT NULL, "
    "digest text NOT NULL, media_type text NOT NULL, error text)",
    "CREATE INDEX query_id ON query (id)",
    "CREATE INDEX query_time ON query (time)",
    "CREATE TABLE output (number integer PRIMARY KEY REFERENCES query (number) ON DELETE CASCADE, "
    "rows text NOT NULL)",
    "CREATE TABLE input (number integer PRIMARY KEY REFERENCES query (number) ON DELETE CASCADE, "
    "body text NOT NULL, encoding text NOT NULL, content_type text NOT NULL, format text NOT NULL, "
    "epitope text NOT NULL, mhc text NOT NULL)",
    "CREATE TABLE sums (span bigint NOT NULL, time bigint NOT NULL, requests bigint NOT NULL, "
    "errors bigint NOT NULL, rows bigint NOT NULL, rejected bigint NOT NULL, unseen bigint NOT "
    "NULL, far bigint NOT NULL, s0 bigint NOT NULL, s1 bigint NOT NULL, s2 bigint NOT NULL, s3 "
    "bigint NOT NULL, s4 bigint NOT NULL, s5 bigint NOT NULL, s6 bigint NOT NULL, s7 bigint NOT "
    "NULL, s8 bigint NOT NULL, s9 bigint NOT NULL, PRIMARY KEY (span, time)) WITHOUT ROWID",
    "CREATE TABLE duration (span bigint NOT NULL, time bigint NOT NULL, bin bigint NOT NULL, "
    "requests bigint NOT NULL, PRIMARY KEY (span, time, bin)) WITHOUT ROWID",
    "CREATE TABLE purge (number integer PRIMARY KEY AUTOINCREMENT, time double precision NOT NULL, "
    "by text NOT NULL, before double precision, only_inputs bigint NOT NULL, queries bigint NOT "
    "NULL, inputs bigint NOT NULL)",
    "CREATE TRIGGER query_stays BEFORE UPDATE ON query BEGIN SELECT RAISE(ABORT, 'the query log is "
    "only appended to'); END",
    "CREATE TRIGGER output_stays BEFORE UPDATE ON output BEGIN SELECT RAISE(ABORT, 'the query log "
    "is only appended to'); END",
    "CREATE TRIGGER input_stays BEFORE UPDATE ON input BEGIN SELECT RAISE(ABORT, 'the query log is "
    "only appended to'); END",
};

// 0: none; throws for one that this program does not know.
std::int64_t known_version(db::Database& database) {
  const auto tables = database.query(
      "SELECT CAST(count(*) AS text), CAST(sum(name = 'tcrops_schema') AS text) FROM sqlite_master "
      "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  if (db::text(tables.at(0).at(0)) == "0") return 0;
  std::int64_t version = 0;
  if (db::text(tables.at(0).at(1)) == "1") {
    const auto rows = database.query("SELECT version FROM tcrops_schema WHERE part = :p1", {kPart});
    if (!rows.empty()) version = db::integer(rows.at(0).at(0));
  }
  const std::string shown = database.address().shown();
  if (version == 0)
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: a database, but no query log; name another file", shown));
  if (version > kSchemaVersion)
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: a query log of format {}, this program knows {}; use a newer "
                            "tcrops, or another file",
                            shown, version, kSchemaVersion));
  return version;
}

void make_tables(db::Database& database) {
  if (known_version(database) == kSchemaVersion) return;
  // Only before there are tables, and not in a transaction: pages that become free can be given
  // back later without writing the whole file anew.
  static_cast<void>(database.query("PRAGMA auto_vacuum = incremental"));
  static_cast<void>(database.query("VACUUM"));
  database.transaction([&] {
    if (known_version(database) == kSchemaVersion) return;  // another process was faster
    for (const char* table : kTables) database.execute(table);
    database.execute("INSERT INTO tcrops_schema (part, version) VALUES (:p1, :p2)",
                     {kPart, kSchemaVersion});
  });
}

db::Database connect(const fs::path& file, double busy_seconds) {
  db::OpenOptions options;
  options.busy_seconds = busy_seconds;
  auto database = db::Database::open(db::address("sqlite:" + file.string()), options);
  static_cast<void>(database.query("PRAGMA journal_size_limit = 16777216"));
  return database;
}

// SQLite gives the files beside it the same permissions.
void make_private(const fs::path& file) {
  constexpr mode_t kOwnerOnly = 0600;
  const int descriptor = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kOwnerOnly);
  if (descriptor >= 0) {
    ::close(descriptor);
    return;
  }
  const int reason = errno;
  if (reason == EEXIST) return;
  const Error error = system_error("cannot make the query log", file, reason, ExitCode::kArtifact);
  if (error.code() == ExitCode::kTemporary) throw error;
  throw Error(error.code(), fmt::format("cannot make the query log {}: {}; let serve.query_log "
                                        "name another file, or none",
                                        file.string(), std::generic_category().message(reason)));
}

}  // namespace

db::Database make_query_log(const fs::path& file, double busy_seconds) {
  make_private(file);
  auto database = connect(file, busy_seconds);
  make_tables(database);
  return database;
}

std::optional<db::Database> open_query_log(const fs::path& file, double busy_seconds) {
  if (!fs::exists(file)) return std::nullopt;
  auto database = connect(file, busy_seconds);
  if (known_version(database) == 0) return std::nullopt;
  return database;
}

}  // namespace tcrops::serve
