#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// Stands for "comma, tab or semicolon, whichever the first line has most of".
inline constexpr char kDetectSeparator = '\0';

// Whether a quote at the beginning of a field opens a quoted one.
enum class CsvQuoting { kRfc4180, kNone };

// Reads RFC 4180 records from a stream, one at a time, in memory bounded by the longest record.
// LF, CRLF and CR end a record outside quotes; a UTF-8 byte order mark is skipped; blank lines are
// skipped. Throws Error (kInputData) as `name:line: …` for: a NUL byte, an unclosed quote, text
// after a closing quote, a record over 1 MiB.
class CsvReader {
 public:
  CsvReader(std::istream& in, std::string name, char separator = ',');

  // Fills `fields` with the next record; false at the end.
  bool next(std::vector<std::string>& fields);
  // For the records still to come.
  void set_quoting(CsvQuoting quoting) { quoting_ = quoting; }
  [[nodiscard]] CsvQuoting quoting() const { return quoting_; }
  // Whether any field so far was quoted.
  [[nodiscard]] bool saw_quote() const { return saw_quote_; }
  // Line, from 1, on which the record last read begins.
  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  // The one given, or, after the first record, the one seen.
  [[nodiscard]] char separator() const { return separator_; }

 private:
  void start();
  bool refill();
  [[nodiscard]] char detect_separator() const;
  // Next byte without taking it, or -1 at the end.
  int peek();
  void read_plain(std::string& field);
  void read_quoted(std::string& field);
  // Takes bytes up to `end` of the buffer into the field.
  void append_until(std::string& field, std::size_t end);
  void count_bytes(std::size_t bytes);
  std::string_view take_line_end();
  [[noreturn]] void fail(std::size_t line, const std::string& problem) const;

  std::istream& in_;
  std::string name_;
  char separator_;
  CsvQuoting quoting_ = CsvQuoting::kRfc4180;
  bool saw_quote_ = false;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
  std::size_t record_bytes_ = 0;
  bool started_ = false;
};

// One CSV record with a final LF; a field with a separator, quote, CR or LF is quoted, and so is an
// only field that is empty, since a blank line is no record.
void append_csv(std::string& out, const std::vector<std::string>& fields, char separator = ',');

}  // namespace tcrops::data
