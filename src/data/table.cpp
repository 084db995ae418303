#include "clone_id_scale.hpp"
#include "letters.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/table.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
namespace {

constexpr std::size_t kReasonsShown = 3;

[[noreturn]] void bad_header(const std::string& name, std::size_t line,
                             const std::string& problem) {
  throw Error(ExitCode::kInputData, fmt::format("{}:{}: {}", name, line, problem));
}

// Position of a column in the header; empty when it is not there.
std::optional<std::size_t> find_column(const std::vector<std::string>& header,
                                       std::string_view column, const std::string& name,
                                       std::size_t line) {
  const auto at = std::find(header.begin(), header.end(), column);
  if (at == header.end()) return std::nullopt;
  if (std::find(at + 1, header.end(), column) != header.end()) {
    bad_header(name, line, fmt::format("column \"{}\" stands twice; keep one of them", column));
  }
  return static_cast<std::size_t>(at - header.begin());
}

[[noreturn]] void missing_column(const std::vector<std::string>& header, std::string_view column,
                                 const std::string& name, std::size_t line) {
  const auto near = nearest_word(column, header);
  bad_header(name, line,
             fmt::format("column \"{}\" is missing{}", column,
                         near ? fmt::format("; rename \"{}\"?", *near)
                              : "; the first line must name the columns"));
}

// What is wrong with a value that is there; empty when nothing is.
std::optional<std::string> value_fault(Column column, const std::string& value, bool is_required) {
  if (value.size() > kLongestText) {
    return fmt::format("has {} characters; at most {} are allowed", value.size(), kLongestText);
  }
  if (column == Column::kCloneId && is_required && !clone_number(value)) return "is not a number";
  for (const char c : value) {
    if (is_sequence(column)) {
      if (kAminoAcids.find(c) == std::string_view::npos) {
        return shown(c) + " is not an amino acid (20 upper-case letters)";
      }
    } else if (!is_printable(c)) {
      return shown(c) + " is not a printable ASCII character";
    }
  }
  return std::nullopt;
}

std::optional<bool> parse_label(const std::string& text) {
  const std::string lower = to_lower(text);
  if (lower == "1" || lower == "true") return true;
  if (lower == "0" || lower == "-1" || lower == "false") return false;
  return std::nullopt;
}

bool contains(const std::vector<Column>& columns, Column column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

RowResult refused(std::size_t line, std::string_view field, std::string reason) {
  RowResult result;
  result.record.line = line;
  result.refusal = Refusal{line, std::string(field), std::move(reason)};
  return result;
}

[[noreturn]] void no_usable_row(const std::string& name, const std::vector<Refusal>& refusals) {
  std::string text = fmt::format("{}: none of the {} rows can be used", name, refusals.size());
  for (std::size_t i = 0; i < std::min(kReasonsShown, refusals.size()); ++i) {
    const Refusal& refusal = refusals[i];
    text += fmt::format("\n  line {}: {}{}{}", refusal.line, refusal.field,
                        refusal.field.empty() ? "" : ": ", refusal.reason);
  }
  throw Error(ExitCode::kInputData, text);
}

}  // namespace

HeaderMap match_header(const std::vector<std::string>& header, const std::vector<Column>& required,
                       LabelRule label_rule, const std::string& name, std::size_t line) {
  HeaderMap map;
  for (std::size_t c = 0; c < kColumnCount; ++c) {
    const auto column = static_cast<Column>(c);
    const auto position = find_column(header, column_name(column), name, line);
    if (!position && contains(required, column)) {
      missing_column(header, column_name(column), name, line);
    }
    map.present[c] = position.has_value();
    map.position[c] = position.value_or(0);
  }
  map.label = find_column(header, kLabelColumn, name, line);
  if (!map.label && label_rule == LabelRule::kRequired) {
    missing_column(header, kLabelColumn, name, line);
  }
  map.origin = find_column(header, kOriginColumn, name, line);
  map.fold = find_column(header, kFoldColumn, name, line);
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool is_known =
        column_named(header[i]) || i == map.label || i == map.origin || i == map.fold;
    if (!is_known) map.extra.push_back(i);
  }
  return map;
}

RowResult parse_row(const std::vector<std::string>& fields, const HeaderMap& header,
                    std::size_t header_size, const std::vector<Column>& required,
                    LabelRule label_rule, std::size_t line) {
  if (fields.size() != header_size) {
    return refused(line, "",
                   fmt::format("{} fields, but the header has {}", fields.size(), header_size));
  }
  RowResult result;
  result.record.line = line;
  for (std::size_t c = 0; c < kColumnCount; ++c) {
    if (!header.present[c]) continue;
    const auto column = static_cast<Column>(c);
    const std::string& value = fields[header.position[c]];
    const bool is_required = contains(required, column);
    if (trim(value).empty()) {
      if (is_required) return refused(line, column_name(column), "the value is missing");
      continue;
    }
    if (is_required || label_rule == LabelRule::kRequired) {
      if (auto fault = value_fault(column, value, is_required)) {
        return refused(line, column_name(column), std::move(*fault));
      }
    }
    result.record.values[c] = value;
  }
  if (header.origin)
    result.record.origin = origin_named(fields[*header.origin]).value_or(Origin::kNone);
  if (header.fold) result.record.fold = fields[*header.fold];
  for (const std::size_t position : header.extra) result.record.extra.push_back(fields[position]);
  if (!header.label) return result;
  const std::string& text = fields[*header.label];
  result.record.label = parse_label(text);
  if (result.record.label || label_rule == LabelRule::kOptional) return result;
  return refused(line, kLabelColumn,
                 trim(text).empty() ? "the value is missing" : "must be 0 or 1");
}

Table read_table(std::istream& in, const std::string& name, const std::vector<Column>& required,
                 LabelRule label_rule) {
  CsvReader reader(in, name, kDetectSeparator);
  std::vector<std::string> fields;
  if (!reader.next(fields)) {
    throw Error(ExitCode::kInputData,
                name + ": the file is empty; it needs a line of column names and rows");
  }
  const std::size_t header_size = fields.size();
  const HeaderMap header = match_header(fields, required, label_rule, name, reader.line());
  Table table;
  for (const std::size_t position : header.extra) table.extra_names.push_back(fields[position]);
  while (reader.next(fields)) {
    check_interrupt();
    RowResult row = parse_row(fields, header, header_size, required, label_rule, reader.line());
    if (row.refusal) {
      table.refusals.push_back(std::move(*row.refusal));
    } else {
      table.records.push_back(std::move(row.record));
    }
  }
  if (!table.records.empty()) return table;
  if (table.refusals.empty()) {
    throw Error(ExitCode::kInputData, name + ": no row follows the column names");
  }
  no_usable_row(name, table.refusals);
}

std::string format_table_csv(const std::vector<Record>& records,
                             const std::vector<std::string>& extra_names) {
  const auto any = [&](const auto& has) {
    return std::any_of(records.begin(), records.end(), has);
  };
  std::vector<std::string> header(kColumnNames.begin(),
                                  kColumnNames.begin() + kBenchmarkColumnCount);
  header.emplace_back(kLabelColumn);
  std::vector<std::size_t> loops;
  for (std::size_t c = kBenchmarkColumnCount; c < kColumnCount; ++c) {
    if (!any([c](const Record& record) { return !record.values[c].empty(); })) continue;
    loops.push_back(c);
    header.emplace_back(kColumnNames[c]);
  }
  const bool with_origin = any([](const Record& record) { return record.origin != Origin::kNone; });
  const bool with_fold = any([](const Record& record) { return !record.fold.empty(); });
  if (with_origin) header.emplace_back(kOriginColumn);
  if (with_fold) header.emplace_back(kFoldColumn);
  header.insert(header.end(), extra_names.begin(), extra_names.end());
  std::string text;
  append_csv(text, header);
  std::vector<std::string> fields;
  for (const Record& record : records) {
    fields.assign(record.values.begin(), record.values.begin() + kBenchmarkColumnCount);
    fields.emplace_back(record.label ? (*record.label ? "1" : "0") : "");
    for (const std::size_t loop : loops) fields.push_back(record.values[loop]);
    if (with_origin) fields.emplace_back(origin_name(record.origin));
    if (with_fold) fields.push_back(record.fold);
    for (const std::string& value : record.extra) fields.push_back(shown_extra(value));
    fields.resize(header.size());
    append_csv(text, fields);
  }
  return text;
}

}  // namespace tcrops::data
