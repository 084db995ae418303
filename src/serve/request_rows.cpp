#include "request_rows.hpp"

#include "quick_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace tcrops::serve {
namespace {

const std::vector<std::string> kTableTypes = {"text/csv", "text/tab-separated-values", "text/plain",
                                              "application/octet-stream"};

// A table of columns with canonical names alone needs no guess at its format.
stages::TableSource named(stages::TableSource source, const std::vector<std::string_view>& names) {
  const bool are_canonical = std::all_of(names.begin(), names.end(), [](std::string_view name) {
    return data::column_named(name).has_value();
  });
  if (source.format == data::kDetectFormat && are_canonical) source.format = "benchmark";
  return source;
}

stages::SmallTable not_too_long(stages::SmallTable table, std::size_t most_rows) {
  if (table.too_long()) throw too_many_rows(most_rows);
  return table;
}

std::string_view first_line(std::string_view text) {
  const std::size_t begin = text.find_first_not_of("\r\n");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  return text.substr(0, text.find_first_of("\r\n"));
}

// "CASSIRSSYEQYF" or "TRBV19*01": never the name of a column.
bool is_tcr_value(std::string_view field) {
  if (field.size() > 4 && field.starts_with("TR") && (field[3] == 'V' || field[3] == 'J'))
    return std::isdigit(static_cast<unsigned char>(field[4])) != 0;
  return field.size() >= 6 && field.front() == 'C' &&
         (field.back() == 'F' || field.back() == 'W') &&
         std::all_of(field.begin(), field.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Whether the first line already has values, with commas between.
bool lacks_header(std::string_view text) {
  const std::string_view line = first_line(text);
  if (line.find(',') == std::string_view::npos) return false;
  const auto fields = split(line, ',');
  return std::any_of(fields.begin(), fields.end(),
                     [](const std::string& field) { return is_tcr_value(trim(field)); });
}

// Whether it could be a header that nobody understands.
bool may_be_header(std::string_view text) {
  const std::string_view line = first_line(text);
  return line.find_first_of(",;\t") != std::string_view::npos;
}

stages::SmallTable read_text(const std::string& text, bool is_plain,
                             const stages::TableSource& source, const stages::TableNeeds& needs,
                             std::size_t most_rows) {
  const bool any_format = source.format.empty() || source.format == data::kDetectFormat;
  if (any_format && lacks_header(text))
    return stages::SmallTable::of_lines(text, source, needs, most_rows);
  try {
    std::istringstream in(text);
    return {in, source, needs, most_rows};
  } catch (const Error&) {
    if (!any_format || !is_plain || first_line(text).empty() || may_be_header(text)) throw;
    return stages::SmallTable::of_lines(text, source, needs, most_rows);
  }
}

bool truth_of(const std::string& name, const std::string& value) {
  if (value == "1" || value == "true") return true;
  if (value == "0" || value == "false") return false;
  throw HttpError(400, fmt::format("?{}: 1 or 0 is needed", name));
}

}  // namespace

Json parse_body(const std::string& body) {
  try {
    return Json::parse(body);
  } catch (const Json::parse_error& e) {
    throw HttpError(400, fmt::format("the body is no JSON: a mistake near byte {}", e.byte));
  } catch (const Json::out_of_range&) {
    throw HttpError(400, "the body has a number that is too large; send texts as texts");
  }
}

Wish wish_of(const Request& request) {
  Wish wish;
  wish.source.path = "body";
  wish.source.means = data::Means::kQuery;
  for (const auto& [name, value] : request.query) {
    if (name == "format") {
      wish.source.format = value;
    } else if (name == "epitope") {
      wish.source.epitope = value;
    } else if (name == "mhc") {
      wish.source.mhc = value;
    } else if (name == "model") {
      wish.model = value;
    } else if (name == "echo") {
      wish.echo = truth_of(name, value);
    } else {
      throw HttpError(400, fmt::format("?{}: only model, format, epitope, mhc and echo are "
                                       "understood",
                                       valid_utf8(name)));
    }
  }
  return wish;
}

stages::SmallTable table_of(data::TextTable columns, const stages::TableSource& source,
                            const stages::TableNeeds& needs, std::size_t most_rows) {
  const stages::TableSource read = named(source, columns.names);
  stages::SmallTable table = not_too_long({std::move(columns), read, needs, most_rows}, most_rows);
  table.count_from_first_row();
  return table;
}

stages::SmallTable table_of(const Columns& columns, const stages::TableSource& source,
                            const stages::TableNeeds& needs, std::size_t most_rows) {
  if (auto plain = plain_table(columns))
    return table_of(*std::move(plain), source, needs, most_rows);
  std::vector<std::string_view> names;
  for (const auto& [name, values] : columns) names.emplace_back(name);
  std::istringstream in(csv_of(columns));
  stages::SmallTable table = not_too_long({in, named(source, names), needs, most_rows}, most_rows);
  table.count_from_first_row();
  return table;
}

stages::SmallTable table_of(const std::string& body, const std::string& content_type,
                            const stages::TableSource& source, const stages::TableNeeds& needs,
                            std::size_t most_rows) {
  const std::string type = media_type(content_type);
  if (type.empty() || type == "application/json") {
    if (auto rows = quick_rows(body, most_rows))
      return table_of(*std::move(rows), source, needs, most_rows);
    return table_of(columns_of_json(body, most_rows), source, needs, most_rows);
  }
  if (std::find(kTableTypes.begin(), kTableTypes.end(), type) == kTableTypes.end()) {
    throw HttpError(415, fmt::format("Content-Type {}: send application/json, text/csv, "
                                     "text/tab-separated-values or text/plain",
                                     valid_utf8(type)));
  }
  const bool is_plain = type != "text/csv" && type != "text/tab-separated-values";
  return not_too_long(read_text(body, is_plain, source, needs, most_rows), most_rows);
}

}  // namespace tcrops::serve
