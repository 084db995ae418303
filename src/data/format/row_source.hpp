#pragma once

#include <tcrops/data/csv.hpp>
#include <tcrops/data/text_table.hpp>

#include <cstddef>
#include <istream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tcrops::data {

// Rows of texts, that of column names before the others.
class RowSource {
 public:
  // `name` is for messages.
  explicit RowSource(std::string name) : name_(std::move(name)) {}
  virtual ~RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;

  // Goes to the next row; false at the end. Throws as CsvReader.
  virtual bool next() = 0;
  // Of the row; valid until the next one.
  [[nodiscard]] virtual std::span<const std::string_view> fields() const = 0;
  // The same to keep; fields() is not valid afterwards.
  [[nodiscard]] virtual std::vector<std::string> take_fields() = 0;
  // Of the file, from 1, on which the row begins.
  [[nodiscard]] virtual std::size_t line() const = 0;

  [[nodiscard]] virtual char separator() const { return ','; }
  [[nodiscard]] virtual CsvQuoting quoting() const { return CsvQuoting::kRfc4180; }
  // Quotes are letters from here on, if tabs separate and none was quoted so far.
  virtual void leave_quotes() {}
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

class CsvRows : public RowSource {
 public:
  CsvRows(std::istream& in, std::string name);
  bool next() override;
  [[nodiscard]] std::span<const std::string_view> fields() const override { return views_; }
  [[nodiscard]] std::vector<std::string> take_fields() override { return std::move(fields_); }
  [[nodiscard]] std::size_t line() const override { return csv_.line(); }
  [[nodiscard]] char separator() const override { return csv_.separator(); }
  [[nodiscard]] CsvQuoting quoting() const override { return csv_.quoting(); }
  void leave_quotes() override;

 private:
  CsvReader csv_;
  std::vector<std::string> fields_;
  std::vector<std::string_view> views_;
};

// The lines are those of a CSV file.
class GivenRows : public RowSource {
 public:
  // The table must outlive it.
  GivenRows(const TextTable& table, std::string name) : RowSource(std::move(name)), table_(table) {}
  bool next() override;
  [[nodiscard]] std::span<const std::string_view> fields() const override;
  [[nodiscard]] std::vector<std::string> take_fields() override;
  [[nodiscard]] std::size_t line() const override { return line_; }

 private:
  const TextTable& table_;
  std::size_t line_ = 0;
};

}  // namespace tcrops::data
