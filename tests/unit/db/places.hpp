#pragma once

#include <tcrops/db/database.hpp>

#include <cstdlib>
#include <scratch_folder.hpp>
#include <string>
#include <vector>

namespace tcrops::db::test {

using tcrops::test::ScratchFolder;

// Where the tests that hold for both databases run: on SQLite, and where TCROPS_TEST_POSTGRES is an
// address, as under interop.database, on PostgreSQL.
class Places {
 public:
  [[nodiscard]] std::vector<Address> all() const {
    std::vector<Address> result = {address("sqlite:" + (scratch_ / "a.db").string())};
    if (const char* const server = std::getenv("TCROPS_TEST_POSTGRES")) {
      result.push_back(address(server));
    }
    return result;
  }

 private:
  ScratchFolder scratch_;
};

// A connection to a place where the table of the tests is new and empty.
inline Database open_empty(const Address& place, const OpenOptions& options = {}) {
  Database database = Database::open(place, options);
  database.execute("drop table if exists item");
  database.execute(
      "create table item (name text primary key, whole bigint, fraction double precision, words "
      "text)");
  return database;
}

inline Value one(Database& database, const std::string& sql, const std::vector<Value>& given = {}) {
  return database.query(sql, given).at(0).at(0);
}

}  // namespace tcrops::db::test
