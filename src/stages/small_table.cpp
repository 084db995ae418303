#include "answered_rows.hpp"
#include "table_source.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/stages/small_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <sstream>
#include <string_view>

namespace tcrops::stages {
namespace {

data::ReadOptions options_for(const TableSource& source, const TableNeeds& needs) {
  data::ReadOptions options = read_options(source, "-");
  options.required = needs.required;
  options.used = needs.used;
  options.warns = false;  // whoever sent the table does not see the log
  options.keeps_notes = false;
  options.known_headers = needs.headers;
  return options;
}

}  // namespace

SmallTable::~SmallTable() = default;
SmallTable::SmallTable(SmallTable&&) noexcept = default;

SmallTable::SmallTable(std::istream& bytes, const TableSource& source, const TableNeeds& needs,
                       std::size_t most_rows) {
  data::TableReader reader(bytes, source.path, options_for(source, needs));
  written_ = std::make_unique<AnsweredRows>(reader, needs.columns);
  read(reader, most_rows);
}

SmallTable::SmallTable(data::TextTable given, const TableSource& source, const TableNeeds& needs,
                       std::size_t most_rows)
    : columns_(needs.columns), given_(std::make_unique<data::TextTable>(std::move(given))) {
  data::ReadOptions options = options_for(source, needs);
  options.keeps_fields = false;
  auto reader = std::make_unique<data::TableReader>(*given_, source.path, std::move(options));
  const std::size_t most = std::min(given_->rows(), most_rows);
  rows_.reserve(most);
  records_.reserve(most);
  read(*reader, most_rows);
  reader_ = std::move(reader);
}

// Takes what nothing is to be said of.
void SmallTable::read_plain(data::TableReader& reader, std::size_t most_rows) {
  while (rows_.size() < most_rows) {
    const auto line = reader.next_plain(records_.emplace_back());
    if (!line) {
      records_.pop_back();
      return;
    }
    rows_.push_back({*line, records_.size() - 1, {}});
  }
}

void SmallTable::read(data::TableReader& reader, std::size_t most_rows) {
  while (true) {
    if (given_) read_plain(reader, most_rows);
    auto result = reader.next();
    if (!result) break;
    for (data::SourceRow& row : result->rows) {
      if (rows_.size() == most_rows) {
        too_long_ = true;
        return;
      }
      Row& added = rows_.emplace_back();
      added.line = row.line;
      added.problem = problem_of(*result, row.line);
      if (result->record && added.problem.empty()) added.record = records_.size();
      if (!given_) fields_.push_back(std::move(row.fields));
    }
    if (result->record) records_.push_back(std::move(*result->record));
  }
  format_ = reader.format();
  if (rows_.empty()) {
    throw Error(ExitCode::kInputData,
                fmt::format("{}: only a header, no rows to score", reader.name()));
  }
  if (reader.rows_are_chains()) put_in_order();
}

// Rows of one record come together that stand apart.
void SmallTable::put_in_order() {
  std::vector<std::size_t> order(rows_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows_[a].line < rows_[b].line; });
  std::vector<Row> rows;
  std::vector<std::vector<std::string>> fields;
  for (const std::size_t i : order) {
    rows.push_back(std::move(rows_[i]));
    if (!given_) fields.push_back(std::move(fields_[i]));
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

std::vector<std::string> SmallTable::fields_of(std::size_t row) const {
  if (!given_) return fields_[row];
  // Some formats have no header, or one of two rows.
  const std::size_t at = row + reader_->header_rows().size();
  const std::span<const std::string_view> fields =
      at == 0 ? std::span(given_->names) : given_->row(at - 1);
  return {fields.begin(), fields.end()};
}

std::string SmallTable::answered(std::span<const Answer> answers) const {
  std::optional<AnsweredRows> of_given;
  if (given_) of_given.emplace(*reader_, columns_);
  const AnsweredRows& written = given_ ? *of_given : *written_;
  std::string text = written.header();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Answer* answer = rows_[i].record ? &answers[*rows_[i].record] : nullptr;
    text += written.line(fields_of(i), answer, rows_[i].problem).text;
  }
  return text;
}

}  // namespace tcrops::stages
