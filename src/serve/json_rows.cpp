#include "json_rows.hpp"

#include <tcrops/data/csv.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace tcrops::serve {
namespace {

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

}  // namespace

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

std::optional<data::TextTable> plain_table(const Columns& columns) {
  data::TextTable table;
  std::size_t bytes = 0;
  for (const auto& [name, values] : columns) {
    bytes += name.size();
    for (const std::string& value : values) {
      if (!data::is_plain_value(value)) return std::nullopt;
      bytes += value.size();
    }
  }
  table.bytes.reserve(bytes);
  const auto kept = [&table](const std::string& text) {
    table.bytes.insert(table.bytes.end(), text.begin(), text.end());
    return std::string_view(table.bytes.data() + (table.bytes.size() - text.size()), text.size());
  };
  for (const auto& [name, values] : columns) table.names.push_back(kept(name));
  if (!data::are_plain_names(table.names)) return std::nullopt;
  const std::size_t rows = columns.front().second.size();
  table.fields.reserve(rows * columns.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (const auto& [name, values] : columns) table.fields.push_back(kept(values[row]));
  }
  return table;
}

}  // namespace tcrops::serve
