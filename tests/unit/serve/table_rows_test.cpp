#include "table_rows.hpp"

#include <catch2/catch.hpp>

#include <error_of.hpp>
#include <scratch_folder.hpp>

using namespace tcrops;
using namespace tcrops::serve;
using tcrops::test::error_of;
using tcrops::test::ScratchFolder;

namespace {

db::Database opened(const ScratchFolder& scratch) {
  auto database = db::Database::open(db::address("sqlite:" + (scratch / "a.db").string()));
  database.execute("CREATE TABLE t (number bigint PRIMARY KEY, part double precision, words text)");
  return database;
}

}  // namespace

TEST_CASE("rows arrive as they were, however many there are") {
  const ScratchFolder scratch;
  auto database = opened(scratch);
  TableRows rows("t", "number, part, words", 3);
  std::int64_t number = 0;
  std::vector<db::Row> wanted;
  for (const int count : {0, 1, 63, 64, 65, 200, 3}) {
    database.transaction([&] {
      for (int i = 0; i < count; ++i) {
        ++number;
        const std::string words(static_cast<std::size_t>(number % 50), 'a');
        const bool is_null = number % 3 == 0;
        rows.add(database, {number, 0.5 * static_cast<double>(number),
                            is_null ? Cell() : Cell(std::string_view(words))});
        wanted.push_back(
            {number, 0.5 * static_cast<double>(number), is_null ? db::Value() : db::Value(words)});
      }
      rows.write(database);
    });
  }
  CHECK(database.query("SELECT number, part, words FROM t ORDER BY number") == wanted);
}

TEST_CASE("large texts are not kept for long, and what was given up is forgotten") {
  const ScratchFolder scratch;
  auto database = opened(scratch);
  TableRows rows("t", "number, part, words", 3);
  const std::string large(3U << 20U, 'x');
  rows.add(database, {std::int64_t{1}, 0.0, std::string_view(large)});
  CHECK(database.query("SELECT length(words) FROM t WHERE number = 1").size() == 1);
  rows.add(database, {std::int64_t{2}, 0.0, std::string_view("small")});
  rows.clear();
  rows.write(database);
  rows.add(database, {std::int64_t{3}, 0.0, std::string_view("last")});
  rows.write(database);
  CHECK(database.query("SELECT number FROM t ORDER BY number") ==
        std::vector<db::Row>{{std::int64_t{1}}, {std::int64_t{3}}});
}

TEST_CASE("rows that are refused say so") {
  const ScratchFolder scratch;
  auto database = opened(scratch);
  TableRows rows("t", "number, part, words", 3);
  for (int i = 0; i < 2; ++i) rows.add(database, {std::int64_t{1}, 0.0, Cell()});
  CHECK(error_of([&] { rows.write(database); }).says("UNIQUE"));
}
