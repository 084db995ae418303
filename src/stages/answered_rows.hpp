#pragma once

#include "model.hpp"

#include <tcrops/data/csv.hpp>
#include <tcrops/data/reader.hpp>
#include <tcrops/stages/loaded_model.hpp>

#include <string>
#include <vector>

namespace tcrops::stages {

// But for the columns of its answers.
[[nodiscard]] TableNeeds needs_of(const Model& model);

// Why the row at `line` has no score; empty when nothing was refused.
[[nodiscard]] std::string problem_of(const data::ReadResult& result, std::size_t line);

// A table's rows with what is said of them behind, so that its own reader reads them.
class AnsweredRows {
 public:
  // `columns` of the answers.
  AnsweredRows(const data::TableReader& reader, std::vector<AnswerColumn> columns);

  [[nodiscard]] std::string header() const;
  struct Line {
    std::string text;
    std::string problem;  // why it has no score
  };
  // Uses the row's fields up. `answer` is null when there is a problem.
  [[nodiscard]] Line line(std::vector<std::string> fields, const Answer* answer,
                          std::string problem) const;

 private:
  [[nodiscard]] std::string line_of(const std::vector<std::string>& fields) const;

  std::vector<std::vector<std::string>> header_rows_;
  std::size_t width_;
  data::CsvQuoting quoting_;
  char separator_;
  std::vector<AnswerColumn> columns_;
};

}  // namespace tcrops::stages
