#include "answer_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tcrops::serve {
namespace {

constexpr std::size_t kRowBytes = 240;
constexpr std::size_t kRecordBytes = 320;

bool is_plain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

void append_quoted(std::string& text, std::string_view value) {
  if (std::all_of(value.begin(), value.end(), is_plain)) {
    ((text += '"') += value) += '"';
  } else {
    text += Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

void append_record(std::string& text, const data::Record& record) {
  // In the order of their names.
  static const std::array<std::size_t, data::kColumnCount> kOrder = [] {
    std::array<std::size_t, data::kColumnCount> order{};
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [](std::size_t a, std::size_t b) {
      return data::kColumnNames[a] < data::kColumnNames[b];
    });
    return order;
  }();
  char before = '{';
  for (const std::size_t i : kOrder) {
    if (record.values[i].empty()) continue;
    (text += before) += '"';
    (text += data::kColumnNames[i]) += "\":";
    append_quoted(text, record.values[i]);
    before = ',';
  }
  text += before == '{' ? "{}" : "}";
}

}  // namespace

std::string record_as_json(const data::Record& record) {
  std::string text;
  append_record(text, record);
  return text;
}

std::vector<std::string> names_of(std::span<const stages::AnswerColumn> columns) {
  std::vector<std::string> names;
  for (const stages::AnswerColumn column : columns) names.emplace_back(column_name(column));
  return names;
}

AnswerJson::AnswerJson(std::span<const stages::AnswerColumn> columns, const Json& model)
    : before_format_(fmt::format("{{\"columns\":{},\"format\":", Json(names_of(columns)).dump())),
      before_id_(fmt::format(",\"model\":{},\"request_id\":", model.dump())),
      before_rows_(",\"schema\":\"tcrops.predictions/1\",\"rows\":[") {
  for (const stages::AnswerColumn column : columns)
    fields_.push_back({column, fmt::format(",\"{}\":", column_name(column))});
}

void AnswerJson::append_row(std::string& text, const stages::SmallTable::Row& row,
                            const stages::Answer* answer) const {
  const std::string& problem = answer == nullptr ? row.problem : answer->problem;
  const bool is_known = problem.empty() && answer != nullptr;
  text += "{\"line\":";
  const fmt::format_int line(row.line);
  text.append(line.data(), line.size());
  for (const Field& field : fields_) {
    text += field.key;
    if (is_known) {
      append_json(text, *answer, field.column);
    } else {
      text += "null";
    }
  }
  text += ",\"problem\":";
  if (problem.empty()) {
    text += "null";
  } else {
    append_quoted(text, problem);
  }
}

std::string AnswerJson::text(const std::string& request_id, bool echo,
                             const stages::SmallTable& table,
                             std::span<const stages::Answer> answers) const {
  std::string text;
  const std::size_t row_bytes = kRowBytes + (echo ? kRecordBytes : 0);
  text.reserve(before_format_.size() + before_id_.size() + before_rows_.size() + row_bytes +
               table.rows().size() * row_bytes);
  text += before_format_;
  append_quoted(text, table.format());
  text += before_id_;
  append_quoted(text, request_id);
  text += before_rows_;
  for (const auto& row : table.rows()) {
    if (&row != &table.rows().front()) text += ',';
    append_row(text, row, row.record ? &answers[*row.record] : nullptr);
    if (echo && row.record) {
      append_record(text += ",\"record\":", table.records()[*row.record]);
    } else if (echo) {
      text += ",\"record\":null";
    }
    text += '}';
  }
  return text += "]}\n";
}

}  // namespace tcrops::serve
