// The same statement over and over, which SQLite keeps prepared.
#include "places.hpp"

#include <fmt/format.h>

#include <catch_all.hpp>
#include <error_of.hpp>

namespace tcrops::db {
namespace {

using tcrops::test::error_of;
using test::one;
using test::open_empty;
using test::Places;

constexpr const char* kInsert =
    "insert into item (name, whole, fraction, words) values (:p1, :p2, :p3, :p4)";
constexpr const char* kRead = "select whole, fraction, words from item where name = :p1";

TEST_CASE("a statement that is repeated takes its own parameters each time") {
  const Places places;
  for (const Address& place : places.all()) {
    CAPTURE(place.shown());
    Database database = open_empty(place);
    const std::vector<Row> rows = {
        {std::int64_t{1}, 0.5, "one"}, {Value(), Value(), Value()}, {std::int64_t{-3}, -0.25, ""}};
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        // Gone by the time it is read.
        const std::string name = fmt::format("name {} of round {}", i, round);
        CHECK(database.execute(kInsert, {name, rows[i][0], rows[i][1], rows[i][2]}) == 1);
      }
    }
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        CHECK(database.query(kRead, {fmt::format("name {} of round {}", i, round)}) ==
              std::vector<Row>{rows[i]});
    }
    CHECK(database.query(kRead, {"none"}).empty());
    // PostgreSQL's library does not mind one too many.
    if (place.shown().starts_with("sqlite:"))
      CHECK(error_of([&] { database.query(kRead, {"a", "b"}); }).code == ExitCode::kFailure);
    CHECK(error_of([&] { database.execute(kInsert, {"a"}); }).code == ExitCode::kFailure);
    CHECK(one(database, "select count(*) from item") == Value(std::int64_t{9}));
  }
}

TEST_CASE("a statement that failed works again") {
  const Places places;
  for (const Address& place : places.all()) {
    CAPTURE(place.shown());
    Database database = open_empty(place);
    database.execute(kInsert, {"a", Value(), Value(), Value()});
    for (int round = 0; round < 3; ++round) {
      CHECK(error_of([&] {
              database.execute(kInsert, {"a", Value(), Value(), Value()});
            }).code == ExitCode::kFailure);
      const std::string name = fmt::format("b{}", round);
      CHECK(database.execute(kInsert, {name, std::int64_t{round}, Value(), Value()}) == 1);
    }
    CHECK(one(database, "select count(*) from item") == Value(std::int64_t{4}));
  }
}

TEST_CASE("a statement outlives the table that it was made for") {
  const Places places;
  for (const Address& place : places.all()) {
    CAPTURE(place.shown());
    Database database = open_empty(place);
    database.execute(kInsert, {"a", std::int64_t{1}, Value(), Value()});
    CHECK(database.query(kRead, {"a"}).size() == 1);
    database.execute("drop table item");
    CHECK(error_of([&] { database.query(kRead, {"a"}); }).code == ExitCode::kFailure);
    database.execute(
        "create table item (words text, fraction double precision, name text, whole bigint)");
    database.execute(kInsert, {"a", std::int64_t{2}, 0.5, "b"});
    CHECK(database.query(kRead, {"a"}) == std::vector<Row>{{std::int64_t{2}, 0.5, "b"}});
  }
}

TEST_CASE("more different statements than are kept") {
  const Places places;
  for (const Address& place : places.all()) {
    CAPTURE(place.shown());
    Database database = open_empty(place);
    database.execute(kInsert, {"a", std::int64_t{7}, Value(), Value()});
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < 200; ++i) {
        const auto rows =
            database.query(fmt::format("select whole + {} from item where name = :p1", i), {"a"});
        REQUIRE(rows == std::vector<Row>{{std::int64_t{7 + i}}});
      }
    }
  }
}

TEST_CASE("what was read or failed holds no lock") {
  const test::ScratchFolder scratch;
  const Address place = address("sqlite:" + (scratch / "a.db").string());
  Database reader = open_empty(place);
  for (const char* name : {"a", "b"}) reader.execute(kInsert, {name, Value(), Value(), Value()});
  CHECK(reader.query("select name from item where name >= :p1 order by name", {"a"}).size() == 2);
  CHECK(error_of([&] {
          reader.execute(kInsert, {"a", Value(), Value(), Value()});
        }).code == ExitCode::kFailure);
  Database writer = Database::open(place, {.busy_seconds = 0.2});
  writer.execute(kInsert, {"c", Value(), Value(), Value()});
  // One row: whether somebody kept the log from being emptied, …
  CHECK(writer.query("pragma wal_checkpoint(truncate)").at(0).at(0) == Value(std::int64_t{0}));
  writer.execute("drop table item");
}

}  // namespace
}  // namespace tcrops::db
