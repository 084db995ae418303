#include "query_purge.hpp"

#include "clock.hpp"
#include "query_tables.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>

#include <fmt/format.h>

#include <limits>
#include <thread>

namespace tcrops::serve {
namespace {

constexpr double kBusySeconds = 60.0;
constexpr std::int64_t kStepEntries = 500;
constexpr int kStepPages = 2000;
constexpr std::chrono::milliseconds kErasePatience{5000};
constexpr std::chrono::milliseconds kBetweenTries{50};

constexpr double kAnyTime = std::numeric_limits<double>::max();
constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();

std::vector<db::Value> limits_of(const PurgeRange& range) {
  return {range.before.value_or(kAnyTime), range.last.value_or(kAnyNumber)};
}

// What of a table goes in one step.
std::string some_of(const char* table) {
  return fmt::format(
      "SELECT {}.number FROM {} JOIN query USING (number) WHERE query.time < :p1 AND query.number "
      "<= :p2 ORDER BY query.time, query.number LIMIT {}",
      table, table, kStepEntries);
}

constexpr const char* kSomeQueries =
    "SELECT number FROM query WHERE time < :p1 AND number <= :p2 ORDER BY time, number LIMIT 500";
static_assert(kStepEntries == 500, "as in kSomeQueries");

std::int64_t remove_from(db::Database& database, const char* table, const std::string& which,
                         const PurgeRange& range) {
  return database.execute(fmt::format("DELETE FROM {} WHERE number IN ({})", table, which),
                          limits_of(range));
}

// A span that ends later has entries that stay.
void remove_sums(db::Database& database, const PurgeRange& range) {
  for (const char* table : {"sums", "duration"})
    database.execute(fmt::format("DELETE FROM {} WHERE time + span <= :p1", table),
                     {range.before.value_or(kAnyTime)});
}

std::int64_t number_of(const std::vector<db::Row>& rows) {
  const db::Value& value = rows.at(0).at(0);
  return value.index() == 0 ? 0 : db::integer(value);
}

PurgeRange range_of(db::Database& database, const Purge& what) {
  return {what.before, number_of(database.query("SELECT max(number) FROM query")),
          what.only_inputs};
}

db::Database open_existing(const std::filesystem::path& file) {
  auto database = open_query_log(file, kBusySeconds);
  if (!database)
    throw Error(ExitCode::kArtifact,
                fmt::format("there is no query log {}; name the file with --log", file.string()));
  return std::move(*database);
}

}  // namespace

Purged purge_step(db::Database& database, const PurgeRange& range) {
  // Of this connection, which may have been made anew.
  static_cast<void>(database.query("PRAGMA secure_delete = on"));
  Purged removed;
  database.transaction([&] {
    removed = {};
    if (range.only_inputs) {
      removed.inputs = remove_from(database, "input", some_of("input"), range);
      return;
    }
    removed.inputs = remove_from(database, "input", kSomeQueries, range);
    remove_from(database, "output", kSomeQueries, range);
    removed.queries = remove_from(database, "query", kSomeQueries, range);
    if (removed.queries == 0) remove_sums(database, range);
  });
  return removed;
}

void note_purge(db::Database& database, const Purge& what, const Purged& removed,
                const std::string& by) {
  database.execute(
      "INSERT INTO purge (time, by, before, only_inputs, queries, inputs) VALUES (:p1, :p2, :p3, "
      ":p4, :p5, :p6)",
      {now_seconds(), by, what.before ? db::Value(*what.before) : db::Value(),
       std::int64_t{what.only_inputs ? 1 : 0}, removed.queries, removed.inputs});
}

bool erase_traces(db::Database& database, std::chrono::milliseconds patience) {
  const auto free_pages = [&] { return number_of(database.query("PRAGMA freelist_count")); };
  for (std::int64_t before = free_pages(); before > 0;) {
    check_interrupt();
    static_cast<void>(database.query(fmt::format("PRAGMA incremental_vacuum({})", kStepPages)));
    const std::int64_t after = free_pages();
    if (after >= before) break;
    before = after;
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    // One row: whether somebody kept it from being emptied, pages in it, pages taken over.
    if (number_of(database.query("PRAGMA wal_checkpoint(TRUNCATE)")) == 0) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    check_interrupt();
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Purged count_purge(const std::filesystem::path& file, const Purge& what) {
  auto database = open_existing(file);
  const PurgeRange range = range_of(database, what);
  const char* const condition = "query.time < :p1 AND query.number <= :p2";
  Purged found;
  found.inputs = number_of(database.query(
      fmt::format("SELECT count(*) FROM input JOIN query USING (number) WHERE {}", condition),
      limits_of(range)));
  if (!what.only_inputs)
    found.queries = number_of(database.query(
        fmt::format("SELECT count(*) FROM query WHERE {}", condition), limits_of(range)));
  return found;
}

Purged purge_queries(const std::filesystem::path& file, const Purge& what, const std::string& by) {
  auto database = open_existing(file);
  const PurgeRange range = range_of(database, what);
  Purged all;
  for (;;) {
    check_interrupt();
    const Purged some = purge_step(database, range);
    if (some.queries == 0 && some.inputs == 0) break;
    all.queries += some.queries;
    all.inputs += some.inputs;
  }
  note_purge(database, what, all, by);
  all.is_erased = erase_traces(database, kErasePatience);
  return all;
}

}  // namespace tcrops::serve
