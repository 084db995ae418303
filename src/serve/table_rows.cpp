#include "table_rows.hpp"

#include <fmt/format.h>

#include <iterator>
#include <span>

namespace tcrops::serve {
namespace {

constexpr std::size_t kRows = 64;
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

std::string statement(const char* table, const char* columns, std::size_t width, std::size_t rows) {
  std::string sql = fmt::format("INSERT INTO {} ({}) VALUES ", table, columns);
  for (std::size_t i = 0; i < rows * width; ++i) {
    const char* const before = i % width > 0 ? ", " : i > 0 ? "), (" : "(";
    fmt::format_to(std::back_inserter(sql), "{}:p{}", before, i + 1);
  }
  return sql + ")";
}

void assign(db::Value& to, const Cell& cell) {
  if (const auto* const words = std::get_if<std::string_view>(&cell)) {
    if (auto* const place = std::get_if<std::string>(&to)) {
      place->assign(*words);
    } else {
      to = std::string(*words);
    }
  } else if (const auto* const whole = std::get_if<std::int64_t>(&cell)) {
    to = *whole;
  } else if (const auto* const fraction = std::get_if<double>(&cell)) {
    to = *fraction;
  } else {
    to = std::monostate();
  }
}

}  // namespace

TableRows::TableRows(const char* table, const char* columns, std::size_t width)
    : width_(width),
      one_(statement(table, columns, width, 1)),
      many_(statement(table, columns, width, kRows)),
      values_(kRows * width) {}

void TableRows::add(db::Database& database, std::initializer_list<Cell> row) {
  for (const Cell& cell : row) {
    if (const auto* const words = std::get_if<std::string_view>(&cell)) bytes_ += words->size();
    assign(values_.at(used_++), cell);
  }
  if (used_ == values_.size() || bytes_ >= kMostBytes) write(database);
}

void TableRows::write(db::Database& database) {
  const std::span<const db::Value> values(values_);
  if (used_ == values_.size()) {
    database.execute(many_, values);
  } else {
    for (std::size_t at = 0; at < used_; at += width_)
      database.execute(one_, values.subspan(at, width_));
  }
  clear();
}

void TableRows::clear() {
  // Large texts give their memory back.
  if (bytes_ >= kMostBytes) values_ = std::vector<db::Value>(values_.size());
  used_ = 0;
  bytes_ = 0;
}

}  // namespace tcrops::serve
