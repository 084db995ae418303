#include "served_checks.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/stages/small_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <sstream>

namespace tcrops::stages {
namespace {

constexpr std::size_t kMostRows = 10'000;
constexpr std::size_t kLongValue = std::size_t{1} << 20U;
constexpr std::size_t kLongLine = std::size_t{4} << 20U;

SmallTable read(const std::string& table, const TableNeeds& needs) {
  std::istringstream in(table);
  TableSource source;
  source.path = "table";
  return {in, source, needs, kMostRows};
}

bool has_score(const std::string& text, const TableNeeds& needs, const AnswerRows& answer) {
  const SmallTable table = read(text, needs);
  const std::vector<Answer> answers = answer(table.records());
  return std::any_of(table.rows().begin(), table.rows().end(), [&](const SmallTable::Row& row) {
    return row.record && answers.at(*row.record).problem.empty();
  });
}

std::string table_of(const data::Record& record) { return data::format_table_csv({record}); }

struct Malformed {
  std::string what;
  std::string text;
};

std::string every_byte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes + bytes;
}

// The column that a model looks at first of those that hold sequences, or at all.
data::Column looked_at(const TableNeeds& needs) {
  const auto found = std::find_if(needs.used.begin(), needs.used.end(), data::is_sequence);
  return found != needs.used.end() ? *found : needs.used.front();
}

std::vector<Malformed> malformed_tables(const data::Record& good, data::Column column) {
  const std::string table = table_of(good);
  const std::size_t end = table.find('\n') + 1;
  const std::string header = table.substr(0, end);
  const std::string row = table.substr(end, table.size() - end - 1);
  const auto with = [&](const std::string& more) {
    data::Record record = good;
    record[column] += more;
    return table_of(record);
  };
  return {{"an empty table", ""},
          {"a header without rows", header},
          {"bytes that are no text", every_byte()},
          {"a header with bytes that are no text", header + every_byte()},
          {"a value that is not UTF-8", with("\xff\xfe")},
          {"a value with a zero byte", with(std::string(1, '\0'))},
          {"a value of a million letters", with(std::string(kLongValue, 'A'))},
          {"one endless line", std::string(kLongLine, 'A')},
          {"a row with too few values", header + row.substr(0, row.find(',')) + "\n"},
          {"a row with too many values", header + row + ",1,2,3\n"},
          {"a quote that is never closed", header + "\"" + row + "\n"}};
}

std::string line_at(const std::vector<std::string>& lines, std::size_t i) {
  return i < lines.size() ? lines[i] : std::string("(no row)");
}

bool has_cdr3(const data::Record& record) {
  return !record[data::Column::kCdr3Alpha].empty() || !record[data::Column::kCdr3Beta].empty();
}

}  // namespace

std::string served_table(const std::string& table, const TableNeeds& needs,
                         const AnswerRows& answer) {
  const SmallTable rows = read(table, needs);
  return rows.answered(answer(rows.records()));
}

std::string served_difference(const std::string& predicted, const std::string& served) {
  if (predicted == served) return "";
  const auto wanted = split(predicted, '\n');
  const auto got = split(served, '\n');
  const std::size_t lines = std::max(wanted.size(), got.size());
  std::size_t line = 0;
  while (line + 1 < lines && line_at(wanted, line) == line_at(got, line)) ++line;
  return fmt::format("line {}: a server answers \"{}\" where `predict` writes \"{}\"", line + 1,
                     line_at(got, line), line_at(wanted, line));
}

std::string malformed_table_fault(const data::Record& good, const TableNeeds& needs,
                                  const AnswerRows& answer) {
  for (const Malformed& each : malformed_tables(good, looked_at(needs))) {
    try {
      if (has_score(each.text, needs, answer)) return each.what + " gets a score";
    } catch (const Error& e) {
      if (e.code() != ExitCode::kInputData) throw;
    } catch (const std::exception& e) {
      return fmt::format("{} ends in an internal error: {}", each.what, e.what());
    }
  }
  return "";
}

std::string missing_value_fault(std::span<const data::Record> good, const TableNeeds& needs,
                                const AnswerRows& answer) {
  for (const data::Column column : needs.used) {
    if (column >= data::Column::kCdr1Alpha) continue;
    const bool is_required =
        std::find(needs.required.begin(), needs.required.end(), column) != needs.required.end();
    const auto usable = std::find_if(good.begin(), good.end(), [&](data::Record record) {
      if (record[column].empty() || !has_score(table_of(record), needs, answer)) return false;
      record[column].clear();
      return has_cdr3(record);
    });
    if (usable == good.end()) continue;
    data::Record record = *usable;
    record[column].clear();
    if (has_score(table_of(record), needs, answer) != is_required) continue;
    return fmt::format("a row without {} {}", data::column_name(column),
                       is_required ? "gets a score, but the column is not optional"
                                   : "gets no score, but the column is optional");
  }
  return "";
}

}  // namespace tcrops::stages
