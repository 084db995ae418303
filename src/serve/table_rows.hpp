#pragma once

#include <tcrops/db/database.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tcrops::serve {

// A value of a row; null, or its text belongs to somebody else.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string_view>;

// Rows of one table, written some at a time: a statement costs more than its rows. Always the same
// two statements, so that the database can keep them prepared. Not thread-safe.
class TableRows {
 public:
  // `columns`: "a, b"; `width` of them.
  TableRows(const char* table, const char* columns, std::size_t width);

  // Keeps a row, and writes those that there are when they are many. Throws as Database::execute.
  void add(db::Database& database, std::initializer_list<Cell> row);
  // Writes those that are left.
  void write(db::Database& database);
  // Forgets them.
  void clear();

 private:
  const std::size_t width_;
  const std::string one_;          // statements: a row,
  const std::string many_;         // and kRows of them
  std::vector<db::Value> values_;  // used again, so that texts need no new memory
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;  // of their texts
};

}  // namespace tcrops::serve
