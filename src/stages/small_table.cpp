#include "answered_rows.hpp"
#include "table_source.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/stages/small_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <sstream>

namespace tcrops::stages {

SmallTable::~SmallTable() = default;
SmallTable::SmallTable(SmallTable&&) noexcept = default;

SmallTable::SmallTable(std::istream& bytes, const TableSource& source, const TableNeeds& needs,
                       std::size_t most_rows) {
  data::ReadOptions options = read_options(source, "-");
  options.required = needs.required;
  options.used = needs.used;
  options.warns = false;  // whoever sent the table does not see the log
  data::TableReader reader(bytes, source.path, options);
  written_ = std::make_unique<AnsweredRows>(reader, needs.columns);
  while (auto result = reader.next()) {
    for (data::SourceRow& row : result->rows) {
      if (rows_.size() == most_rows) {
        too_long_ = true;
        return;
      }
      Row& added = rows_.emplace_back();
      added.line = row.line;
      added.problem = problem_of(*result, row.line);
      if (result->record && added.problem.empty()) added.record = records_.size();
      fields_.push_back(std::move(row.fields));
    }
    if (result->record) records_.push_back(std::move(*result->record));
  }
  format_ = reader.format();
  if (rows_.empty()) {
    throw Error(ExitCode::kInputData,
                fmt::format("{}: only a header, no rows to score", source.path));
  }
  if (!reader.rows_are_chains()) return;
  // Rows come together that stand apart.
  std::vector<std::size_t> order(rows_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows_[a].line < rows_[b].line; });
  std::vector<Row> rows;
  std::vector<std::vector<std::string>> fields;
  for (const std::size_t i : order) {
    rows.push_back(std::move(rows_[i]));
    fields.push_back(std::move(fields_[i]));
  }
  rows_ = std::move(rows);
  fields_ = std::move(fields);
}

void SmallTable::count_from_first_row() {
  for (Row& row : rows_) --row.line;
}

SmallTable SmallTable::of_lines(const std::string& lines, const TableSource& source,
                                const TableNeeds& needs, std::size_t most_rows) {
  std::string text;
  for (std::size_t i = 0; i < data::kBenchmarkColumnCount; ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ",", data::kColumnNames[i]);
  std::istringstream bytes(text + '\n' + lines);
  TableSource named = source;
  named.format = "benchmark";
  SmallTable table(bytes, named, needs, most_rows);
  table.count_from_first_row();
  for (std::size_t i = 0; i < table.rows_.size(); ++i) {
    Row& row = table.rows_[i];
    if (table.fields_[i].size() == data::kBenchmarkColumnCount) continue;
    row.record.reset();
    row.problem = fmt::format("Error in line {}: must contain {} comma-separated values.", row.line,
                              data::kBenchmarkColumnCount);
  }
  return table;
}

std::string SmallTable::answered(std::span<const Answer> answers) const {
  std::string text = written_->header();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Answer* answer = rows_[i].record ? &answers[*rows_[i].record] : nullptr;
    text += written_->line(fields_[i], answer, rows_[i].problem).text;
  }
  return text;
}

}  // namespace tcrops::stages
