#pragma once

#include <tcrops/data/text_table.hpp>
#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/stages/table_source.hpp>

#include <cstddef>
#include <istream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::data {
class TableReader;
}

namespace tcrops::stages {

class AnsweredRows;

// A table that is read whole, by the readers of `predict`, and answered whole. Moving it leaves its
// records where they are.
class SmallTable {
 public:
  struct Row {
    std::size_t line = 0;               // in the table, from 1
    std::optional<std::size_t> record;  // its place among records(); rows may share one
    std::string problem;                // why it has no score
  };

  // `bytes` are plain text; `source.path` is only what messages call it. Throws Error (kInputData)
  // for a table that cannot be read or has no rows, (kUsage) for an unknown format or mapped name.
  SmallTable(std::istream& bytes, const TableSource& source, const TableNeeds& needs,
             std::size_t most_rows);
  // The same for a table that is not text any more; lines are those of a CSV file of it.
  SmallTable(data::TextTable given, const TableSource& source, const TableNeeds& needs,
             std::size_t most_rows);
  // Lines without a header: the benchmark's nine columns in their order, with commas between. One
  // with another number of values has the problem "Error in line 3: must contain 9 comma-separated
  // values.", as the server of the original pipeline put it.
  static SmallTable of_lines(const std::string& lines, const TableSource& source,
                             const TableNeeds& needs, std::size_t most_rows);
  ~SmallTable();
  SmallTable(SmallTable&&) noexcept;
  SmallTable& operator=(SmallTable&&) = delete;

  // Of a table that nobody wrote with a header: its first row is line 1.
  void count_from_first_row();

  // There are more than most_rows; then nothing else is known.
  [[nodiscard]] bool too_long() const { return too_long_; }
  [[nodiscard]] const std::string& format() const { return format_; }
  // Every row of the table, in its order.
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<data::Record>& records() const { return records_; }

  // The table with its answers behind it, byte for byte as `predict` writes it. One answer per
  // record.
  [[nodiscard]] std::string answered(std::span<const Answer> answers) const;

 private:
  // Reads all rows; keeps their fields when they are not given.
  void read(data::TableReader& reader, std::size_t most_rows);
  void read_plain(data::TableReader& reader, std::size_t most_rows);
  void put_in_order();
  [[nodiscard]] std::vector<std::string> fields_of(std::size_t row) const;

  bool too_long_ = false;
  std::string format_;
  std::vector<Row> rows_;
  std::vector<data::Record> records_;
  std::vector<AnswerColumn> columns_;  // of the answers
  // Of a table that was text: the fields of each row, as they came, and how to write them.
  std::vector<std::vector<std::string>> fields_;
  std::unique_ptr<AnsweredRows> written_;
  // Of one that was given: itself, and its reader, which knows its header.
  std::unique_ptr<const data::TextTable> given_;
  std::unique_ptr<const data::TableReader> reader_;
};

}  // namespace tcrops::stages
