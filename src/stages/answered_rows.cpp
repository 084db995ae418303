#include "answered_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tcrops::stages {
namespace {

std::string free_name(const std::vector<std::string>& header, const std::string& name) {
  std::string free = name;
  while (std::find(header.begin(), header.end(), free) != header.end()) free = "tcrops_" + free;
  return free;
}

}  // namespace

TableNeeds needs_of(const Model& model) {
  TableNeeds needs;
  needs.used = model.encoder->features();
  for (const data::Column column : needs.used) {
    const bool may_lack =
        std::find(model.optional.begin(), model.optional.end(), column) != model.optional.end();
    if (!may_lack) needs.required.push_back(column);
  }
  return needs;
}

std::string problem_of(const data::ReadResult& result, std::size_t line) {
  const data::Note* found = nullptr;
  for (const data::Note& note : result.notes) {
    if (note.action != data::Action::kRefused) continue;
    if (note.line == line || (found == nullptr && !result.record)) found = &note;
    if (note.line == line) break;
  }
  if (found == nullptr) return {};
  const std::string field = found->field.empty() ? "" : found->field + ": ";
  const std::string where = found->line == line ? "" : fmt::format("line {}: ", found->line);
  return where + field + found->reason;
}

AnsweredRows::AnsweredRows(const data::TableReader& reader, std::vector<AnswerColumn> columns)
    : header_rows_(reader.header_rows()),
      width_(reader.header().size()),
      quoting_(reader.quoting()),
      separator_(reader.separator()),
      columns_(std::move(columns)) {}

std::string AnsweredRows::line_of(const std::vector<std::string>& fields) const {
  std::string text;
  if (quoting_ == data::CsvQuoting::kRfc4180) {
    data::append_csv(text, fields, separator_);
    return text;
  }
  for (const std::string& field : fields) {
    if (!text.empty() || &field != &fields.front()) text += separator_;
    text += field;
  }
  return text + '\n';
}

std::string AnsweredRows::header() const {
  std::string text;
  for (std::size_t i = 0; i < header_rows_.size(); ++i) {
    std::vector<std::string> header = header_rows_[i];
    std::vector<std::string> names;
    for (const AnswerColumn column : columns_) names.emplace_back(column_name(column));
    names.emplace_back("problem");
    for (const std::string& name : names) {
      header.push_back(i + 1 == header_rows_.size() ? free_name(header_rows_[i], name)
                                                    : "Prediction");
    }
    text += line_of(header);
  }
  return text;
}

AnsweredRows::Line AnsweredRows::line(std::vector<std::string> fields, const Answer* answer,
                                      std::string problem) const {
  if (problem.empty() && answer != nullptr) problem = answer->problem;
  // A ragged row keeps its place in the table.
  if (fields.size() > width_) {
    problem += fmt::format(
        "; beyond the last column: {}",
        fmt::join(fields.begin() + static_cast<std::ptrdiff_t>(width_), fields.end(), " "));
  }
  fields.resize(width_);
  if (problem.empty() && answer != nullptr) {
    for (const AnswerColumn column : columns_) append_text(fields.emplace_back(), *answer, column);
  } else {
    fields.resize(fields.size() + columns_.size());
  }
  fields.push_back(problem);
  return {line_of(fields), std::move(problem)};
}

}  // namespace tcrops::stages
