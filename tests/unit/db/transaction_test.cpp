#include "places.hpp"

#include <catch_all.hpp>
#include <child_process.hpp>
#include <error_of.hpp>
#include <stdexcept>

namespace tcrops::db {
namespace {

using tcrops::test::ChildProcess;
using tcrops::test::error_of;
using test::one;
using test::open_empty;
using test::Places;

std::int64_t count(Database& database) {
  return integer(one(database, "select count(*) from item"));
}

TEST_CASE("a transaction is kept whole or not at all") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    Database other = Database::open(place);
    database.transaction([&] {
      database.execute("insert into item (name) values ('a')");
      database.execute("insert into item (name) values ('b')");
      CHECK(count(database) == 2);
      CHECK(count(other) == 0);
    });
    CHECK(count(other) == 2);
    CHECK_THROWS_AS(database.transaction([&] {
      database.execute("insert into item (name) values ('c')");
      throw std::out_of_range("mine");
    }),
                    std::out_of_range);
    CHECK(count(database) == 2);
    database.execute("insert into item (name) values ('d')");
    CHECK(count(other) == 3);
  }
}

TEST_CASE(
    "PostgreSQL ends a transaction that nothing is heard of, after the time that was asked for") {
  const Places places;
  for (const Address& place : places.all()) {
    if (!place.is_postgresql()) continue;
    const auto limit = [](const std::string& url) {
      Database database = Database::open(address(url));
      return text(one(database, "select current_setting('idle_in_transaction_session_timeout')"));
    };
    CHECK(limit(place.url) == "1min");
    CHECK(limit(place.url + "?options=-c%20idle_in_transaction_session_timeout%3D5s") == "5s");
  }
}

TEST_CASE("a transaction within another is part of it") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    CHECK_THROWS_AS(database.transaction([&] {
      database.transaction([&] { database.execute("insert into item (name) values ('a')"); });
      throw std::out_of_range("mine");
    }),
                    std::out_of_range);
    CHECK(count(database) == 0);
  }
}

TEST_CASE("a statement that failed ends the transaction though its error is caught") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    database.execute("insert into item (name) values ('a')");
    int runs = 0;
    const auto thrown = error_of([&] {
      database.transaction([&] {
        ++runs;
        database.execute("insert into item (name) values ('b')");
        CHECK_THROWS_AS(database.execute("insert into item (name) values ('a')"), Error);
        CHECK_THROWS_AS(database.query("select 1"), Error);
      });
    });
    CHECK(thrown.code == ExitCode::kFailure);
    CHECK(runs == 1);
    CHECK(count(database) == 1);
  }
}

TEST_CASE("two transactions that read before they write do not lose each other's change") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    database.execute("insert into item (name, whole) values ('a', 0)");
    const auto add = [&] {
      Database mine = Database::open(place);
      for (int i = 0; i < 40; ++i) {
        mine.transaction([&] {
          const std::int64_t whole = integer(one(mine, "select whole from item"));
          mine.execute("update item set whole = :p1", {whole + 1});
        });
      }
      return 0;
    };
    std::vector<ChildProcess> children;
    for (int i = 0; i < 4; ++i) children.emplace_back(add);
    for (ChildProcess& child : children) CHECK(child.wait() == 0);
    CHECK(one(database, "select whole from item") == Value(std::int64_t{160}));
  }
}

TEST_CASE("of two transactions that could not come one after the other one begins again") {
  const Places places;
  for (const Address& place : places.all()) {
    if (!place.is_postgresql()) continue;  // SQLite lets one in at a time
    Database first = open_empty(place);
    Database second = Database::open(place);
    int runs = 0;
    first.transaction([&] {
      ++runs;
      const std::int64_t seen = count(first);
      // Each counts the rows and adds one named by the count: in no order do both names come out 0.
      if (runs == 1) {
        second.transaction([&] {
          second.execute("insert into item (name) values (:p1)", {std::to_string(count(second))});
        });
      }
      first.execute("insert into item (name) values (:p1)", {"mine " + std::to_string(seen)});
    });
    CHECK(runs == 2);
    CHECK(first.query("select name from item order by name") ==
          std::vector<Row>{{"0"}, {"mine 1"}});

    runs = 0;
    const auto thrown = error_of([&] {
      first.transaction([&] {
        ++runs;
        const std::int64_t seen = count(first);
        second.transaction([&] {
          second.execute("insert into item (name) values (:p1)", {std::to_string(count(second))});
        });
        first.execute("insert into item (name) values (:p1)", {"mine " + std::to_string(seen)});
      });
    });
    CHECK(thrown.code == ExitCode::kTemporary);
    CHECK(runs == 100);
  }
}

TEST_CASE("a database that was moved still works, and so does a connection after errors") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database first = open_empty(place);
    CHECK_THROWS_AS(first.execute("nonsense"), Error);
    Database second = std::move(first);
    second.execute("insert into item (name) values ('a')");
    CHECK(count(second) == 1);
    CHECK(second.is_postgresql() == place.is_postgresql());
    CHECK(second.address().url == place.url);
  }
}

}  // namespace
}  // namespace tcrops::db
