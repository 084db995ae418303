#include "places.hpp"

#include <bit>
#include <catch_all.hpp>
#include <cmath>
#include <error_of.hpp>
#include <limits>
#include <random>

namespace tcrops::db {
namespace {

using tcrops::test::error_of;
using test::one;
using test::open_empty;
using test::Places;
using Integers = std::numeric_limits<std::int64_t>;
using Reals = std::numeric_limits<double>;

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

TEST_CASE("whole numbers come back as they were, from columns and expressions") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    for (const std::int64_t number :
         {Integers::min(), Integers::min() + 1, Integers::max(), Integers::max() - 1,
          std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 31, std::int64_t{1} << 32,
          (std::int64_t{1} << 53) + 1}) {
      database.execute("delete from item");
      database.execute("insert into item (name, whole) values ('a', :p1)", {number});
      CHECK(one(database, "select whole from item") == Value(number));
      CHECK(one(database, "select max(whole) from item") == Value(number));
      CHECK(one(database, "select cast(:p1 as bigint)", {number}) == Value(number));
      CHECK(one(database, "select count(*) from item where whole = :p1", {number}) ==
            Value(std::int64_t{1}));
    }
  }
}

TEST_CASE("real numbers come back bit by bit, from columns and expressions") {
  const Places places;
  std::vector<double> numbers = {Reals::max(),
                                 Reals::lowest(),
                                 Reals::min(),
                                 Reals::denorm_min(),
                                 -Reals::denorm_min(),
                                 Reals::epsilon(),
                                 0.0,
                                 1.0,
                                 0.1,
                                 1.0 / 3.0,
                                 1e300,
                                 9007199254740993.0,
                                 0x1p63,
                                 123456789012345678.0};
  std::mt19937_64 random(1);
  while (numbers.size() < 300) {
    const auto number = std::bit_cast<double>(random());
    if (std::isfinite(number)) numbers.push_back(number);
  }
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    database.transaction([&] {
      for (const double number : numbers) {
        database.execute("delete from item");
        database.execute("insert into item (name, fraction) values ('a', :p1)", {number});
        for (const char* const sql : {"select fraction from item", "select min(fraction) from item",
                                      "select coalesce(null, fraction) from item"}) {
          const Value found = one(database, sql);
          REQUIRE(found.index() == 2);
          CHECK(bits(std::get<double>(found)) == bits(number));
        }
        CHECK(one(database, "select count(*) from item where fraction = :p1", {number}) ==
              Value(std::int64_t{1}));
      }
    });
    database.execute("update item set fraction = :p1", {-0.0});
    CHECK(bits(real(one(database, "select fraction from item"))) == bits(0.0));
  }
}

TEST_CASE("texts come back byte by byte") {
  const Places places;
  std::string every_byte;
  for (char c = 1; c < 127; ++c) every_byte += c;
  std::string large;
  while (large.size() < 5'000'000) large += "CASSLGQAYEQYF é 中 😀 '\"\\;:p1\n";
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    for (const std::string& words :
         {std::string(), std::string("O'Brien"), std::string("\"; drop table item; --"),
          std::string(":p1 $1 ? %s"), every_byte,
          std::string("\x7f\u0080\u07ff\u0800\uffff\U0010ffff"), std::string("\ufeffא\u0301 🧬"),
          large}) {
      database.execute("delete from item");
      CHECK(database.execute("insert into item (name, words) values ('a', :p1)", {words}) == 1);
      const Value found = one(database, "select words from item");
      CHECK((text(found) == words));
      CHECK(one(database, "select count(*) from item where words = :p1", {words}) ==
            Value(std::int64_t{1}));
    }
  }
}

TEST_CASE("null is not an empty text, and goes into every type of column") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    database.execute("insert into item values (:p1, :p2, :p3, null)", {"", {}, {}});
    const auto rows = database.query("select name, whole, fraction, null from item");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0] == Row{std::string(), {}, {}, {}});
    CHECK(is_null(rows[0][1]));
    CHECK_FALSE(is_null(rows[0][0]));
    database.execute("update item set name = :p1", {"x"});
    CHECK(one(database, "select name from item where name is not null") == Value("x"));
    CHECK(database.query("select 1 from item where name = :p1", {Value{}}).empty());
  }
}

TEST_CASE("parameters go by their names, each as often as it is written") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    const auto rows =
        database.query("select cast(:p2 as text), cast(:p1 as bigint), cast(:p2 as text), ':p3'",
                       {std::int64_t{7}, "b"});
    CHECK(rows == std::vector<Row>{{"b", std::int64_t{7}, "b", ":p3"}});
    CHECK(error_of([&] { database.query("select cast(:p1 as text)"); }).code == ExitCode::kFailure);
    CHECK(error_of([&] { database.query("select cast(:p2 as text)", {"a"}); }).code ==
          ExitCode::kFailure);
  }
}

TEST_CASE("truth is a whole number") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = Database::open(place);
    CHECK(database.query("select 1 = 1, 1 = 2") ==
          std::vector<Row>{{std::int64_t{1}, std::int64_t{0}}});
  }
}

TEST_CASE("how many rows a statement changed") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    CHECK(database.execute("insert into item (name) values ('a'), ('b'), ('c')") == 3);
    CHECK(database.execute("create table if not exists other (a bigint)") == 0);
    CHECK(database.execute("drop table other") == 0);
    CHECK(database.execute("update item set whole = 1 where name > 'a'") == 2);
    CHECK(database.execute("delete from item where name = 'z'") == 0);
    CHECK(database.execute("insert into item (name) values ('a') on conflict do nothing") == 0);
    CHECK(database.query("insert into item (name) values ('d') returning name") ==
          std::vector<Row>{{"d"}});
    CHECK(database.execute("delete from item") == 4);
    CHECK(database.query("select * from item").empty());
  }
}

TEST_CASE("a number that is not finite, and bytes that are no text, are refused") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    for (const double number : {Reals::quiet_NaN(), Reals::infinity(), -Reals::infinity()}) {
      const auto thrown = error_of([&] {
        database.execute("insert into item values (:p1, 1, :p2, null)", {"a", number});
      });
      CHECK(thrown.code == ExitCode::kFailure);
      CHECK(thrown.says(":p2"));
    }
    for (const std::string& words :
         {std::string("a\0b", 3), std::string("\x80"), std::string("a\xff"), std::string("\xc3"),
          std::string("\xc0\xaf"), std::string("\xe0\x80\xaf"), std::string("\xed\xa0\x80"),
          std::string("\xf4\x90\x80\x80"), std::string("\xf0\x8f\xbf\xbf"),
          std::string("\xf8\x88\x80\x80\x80"), std::string("\xe4\xb8")}) {
      CHECK(error_of([&] {
              database.execute("insert into item (name) values (:p1)", {words});
            }).code == ExitCode::kFailure);
      CHECK(error_of([&] { database.query("select cast(:p1 as text)", {words}); }).code ==
            ExitCode::kFailure);
    }
    CHECK(one(database, "select count(*) from item") == Value(std::int64_t{0}));
  }
}

TEST_CASE("a mistake in a statement is told with the database's words and without the values") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = open_empty(place);
    const auto missing = error_of([&] { database.query("select nothing from item"); });
    CHECK(missing.code == ExitCode::kFailure);
    CHECK(missing.says("nothing"));
    CHECK(missing.says(place.shown()));
    database.execute("insert into item (name) values ('a')");
    const auto twice = error_of([&] {
      database.execute("insert into item values (:p1, :p2, 0, null)", {"a", 424242});
    });
    CHECK(twice.code == ExitCode::kFailure);
    CHECK_FALSE(twice.says("424242"));
    CHECK(one(database, "select count(*) from item") == Value(std::int64_t{1}));
  }
}

TEST_CASE("what a value holds") {
  CHECK(integer(Value(std::int64_t{3})) == 3);
  CHECK(integer(Value(3.0)) == 3);
  CHECK(integer(Value(-0x1p63)) == Integers::min());
  CHECK(real(Value(std::int64_t{3})) == 3.0);
  CHECK(real(Value(0.5)) == 0.5);
  CHECK(text(Value("a")) == "a");
  for (const Value& value :
       {Value(), Value("3"), Value(0.5), Value(0x1p63), Value(Reals::quiet_NaN())}) {
    CHECK(error_of([&] { static_cast<void>(integer(value)); }).code == ExitCode::kFailure);
  }
  for (const Value& value : {Value(), Value("3")}) {
    CHECK(error_of([&] { static_cast<void>(real(value)); }).code == ExitCode::kFailure);
  }
  for (const Value& value : {Value(), Value(0.5), Value(std::int64_t{3})}) {
    CHECK(error_of([&] { static_cast<void>(text(value)); }).code == ExitCode::kFailure);
  }
}

TEST_CASE("the database's clock is near ours and goes on") {
  const Places places;
  for (const Address& place : places.all()) {
    INFO(place.shown());
    Database database = Database::open(place);
    const double before = database.now();
    CHECK(before == Approx(static_cast<double>(std::time(nullptr))).margin(60));
    double inside = 0.0;
    database.transaction([&] {
      while ((inside = database.now()) <= before) {
      }
    });
    CHECK(inside > before);
  }
}

}  // namespace
}  // namespace tcrops::db
