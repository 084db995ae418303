#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/small_table.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::serve {

// The values of a record by column; those that are missing are left out.
[[nodiscard]] std::string record_as_json(const data::Record& record);

[[nodiscard]] std::vector<std::string> names_of(std::span<const stages::AnswerColumn> columns);

// Writes what one model answers as JSON. Immutable; thread-safe.
class AnswerJson {
 public:
  AnswerJson() = default;
  // Of the answers' columns and what is said of the model.
  AnswerJson(std::span<const stages::AnswerColumn> columns, const Json& model);

  // {"columns", "format", "model", "request_id", "schema": "tcrops.predictions/1", "rows":
  // [{"line", one key per column, "problem", and with `echo` "record"}]} and a line end. Fields are
  // written by append_json().
  [[nodiscard]] std::string text(const std::string& request_id, bool echo,
                                 const stages::SmallTable& table,
                                 std::span<const stages::Answer> answers) const;

 private:
  struct Field {
    stages::AnswerColumn column;
    std::string key;  // ,"score":
  };

  void append_row(std::string& text, const stages::SmallTable::Row& row,
                  const stages::Answer* answer) const;

  std::string before_format_;
  std::string before_id_;
  std::string before_rows_;
  std::vector<Field> fields_;
};

}  // namespace tcrops::serve
