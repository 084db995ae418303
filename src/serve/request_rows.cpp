#include "request_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>

namespace tcrops::serve {
namespace {

constexpr std::size_t kMostColumns = 256;

const std::vector<std::string> kTableTypes = {"text/csv", "text/tab-separated-values", "text/plain",
                                              "application/octet-stream"};

// Takes the columns from {"rows": [{"CDR3_alpha": …}, …]} while it is read, so that no tree of it
// is ever made. Other keys of the outer object do not matter.
class RowsReader : public Json::json_sax_t {
 public:
  explicit RowsReader(std::size_t most_rows) : most_rows_(most_rows) {}

  // Throws HttpError 400 when there were no rows.
  Columns columns() {
    if (rows_ == 0) refuse();
    if (columns_.empty()) throw HttpError(400, "the rows have no keys");
    for (auto& [name, values] : columns_) values.resize(rows_);
    return std::move(columns_);
  }

  bool null() override { return take(""); }
  bool boolean(bool value) override { return take(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return take(fmt::format("{}", value)); }
  bool number_unsigned(number_unsigned_t value) override { return take(fmt::format("{}", value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override { return take(text); }
  bool string(string_t& value) override { return take(value); }
  bool binary(binary_t& /*value*/) override { return take(""); }

  bool start_object(std::size_t /*size*/) override {
    if (is_in_row()) refuse_value();
    if (depth_ == 0) is_object_ = true;
    if (is_in_rows()) begin_row();
    ++depth_;
    return true;
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t /*size*/) override {
    if (is_in_row()) refuse_value();
    if (is_in_rows()) throw HttpError(400, fmt::format("row {}: an object is needed", rows_ + 1));
    if (depth_ == 1 && is_object_ && is_rows_key_) has_rows_ = true;
    ++depth_;
    return true;
  }
  bool end_array() override { return leave(); }

  bool key(string_t& name) override {
    if (depth_ == 1) is_rows_key_ = name == "rows";
    if (is_in_row()) column_ = column_of(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& /*error*/) override {
    throw HttpError(400, fmt::format("the body is no JSON: a mistake near byte {}", position));
  }

 private:
  [[nodiscard]] bool is_in_rows() const { return has_rows_ && is_rows_key_ && depth_ == 2; }
  [[nodiscard]] bool is_in_row() const { return has_rows_ && is_rows_key_ && depth_ == 3; }

  [[noreturn]] static void refuse() {
    throw HttpError(400,
                    "the body must be {\"rows\": [{\"CDR3_beta\": \"CASS…\", …}, …]} with at least "
                    "one row");
  }
  [[noreturn]] void refuse_value() const {
    throw HttpError(400, fmt::format("row {}: {}: a text, number, true, false or null is needed",
                                     rows_, columns_[column_].first));
  }

  void begin_row() {
    if (++rows_ > most_rows_) throw too_many_rows(most_rows_);
    next_ = 0;
  }
  bool leave() {
    --depth_;
    return true;
  }

  // Most rows have the keys of the one before, in its order.
  std::size_t column_of(const std::string& name) {
    if (next_ < columns_.size() && columns_[next_].first == name) return next_++;
    const auto at = std::find_if(columns_.begin(), columns_.end(),
                                 [&](const auto& column) { return column.first == name; });
    const auto place = static_cast<std::size_t>(at - columns_.begin());
    if (at == columns_.end()) {
      if (columns_.size() == kMostColumns)
        throw HttpError(400, fmt::format("more than {} different keys", kMostColumns));
      columns_.emplace_back(name, std::vector<std::string>());
    }
    next_ = place + 1;
    return place;
  }

  bool take(std::string value) {
    if (is_in_rows()) throw HttpError(400, fmt::format("row {}: an object is needed", rows_ + 1));
    if (!is_in_row()) return true;
    auto& values = columns_[column_].second;
    values.resize(rows_);
    values.back() = std::move(value);
    return true;
  }

  std::size_t most_rows_;
  Columns columns_;
  std::size_t rows_ = 0;
  std::size_t column_ = 0;  // of the key that was read last
  std::size_t next_ = 0;
  std::size_t depth_ = 0;
  bool is_object_ = false;    // the outermost value
  bool is_rows_key_ = false;  // the last key in it
  bool has_rows_ = false;     // and its value is a list
};

// A table of columns with canonical names alone needs no guess at its format.
bool are_canonical(const Columns& columns) {
  return std::all_of(columns.begin(), columns.end(), [](const auto& column) {
    return data::column_named(column.first).has_value();
  });
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

HttpError too_many_rows(std::size_t most_rows) {
  return {413, fmt::format("at most {} rows are answered at a time (serve.request_rows); send them "
                           "in parts",
                           most_rows)};
}

Columns columns_of_json(const std::string& body, std::size_t most_rows) {
  RowsReader reader(most_rows);
  try {
    Json::sax_parse(body, &reader);
  } catch (const Json::exception& e) {
    throw HttpError(400, fmt::format("the body is no JSON: {}", e.what()));
  }
  return reader.columns();
}

std::string csv_of(const Columns& columns) {
  std::string text;
  std::vector<std::string> fields;
  for (const auto& [name, values] : columns) fields.push_back(name);
  data::append_csv(text, fields);
  for (std::size_t row = 0; row < columns.front().second.size(); ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) fields[i] = columns[i].second[row];
    data::append_csv(text, fields);
  }
  return text;
}

Wish wish_of(const Request& request) {
  Wish wish;
  wish.source.path = "body";
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

stages::SmallTable table_of(const Columns& columns, const stages::TableSource& source,
                            const stages::TableNeeds& needs, std::size_t most_rows) {
  std::istringstream in(csv_of(columns));
  stages::TableSource named = source;
  if (named.format == data::kDetectFormat && are_canonical(columns)) named.format = "benchmark";
  stages::SmallTable table = not_too_long({in, named, needs, most_rows}, most_rows);
  table.count_from_first_row();
  return table;
}

stages::SmallTable table_of(const std::string& body, const std::string& content_type,
                            const stages::TableSource& source, const stages::TableNeeds& needs,
                            std::size_t most_rows) {
  const std::string type = media_type(content_type);
  if (type.empty() || type == "application/json")
    return table_of(columns_of_json(body, most_rows), source, needs, most_rows);
  if (std::find(kTableTypes.begin(), kTableTypes.end(), type) == kTableTypes.end()) {
    throw HttpError(415, fmt::format("Content-Type {}: send application/json, text/csv, "
                                     "text/tab-separated-values or text/plain",
                                     valid_utf8(type)));
  }
  const bool is_plain = type != "text/csv" && type != "text/tab-separated-values";
  return not_too_long(read_text(body, is_plain, source, needs, most_rows), most_rows);
}

}  // namespace tcrops::serve
