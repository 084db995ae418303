#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// Reads RFC 4180 records from a stream, one at a time, in memory bounded by the longest record.
// LF, CRLF and CR end a record outside quotes; a UTF-8 byte order mark is skipped; blank lines are
// skipped. Throws Error (kInputData) as `name:line: …` for: a NUL byte, an unclosed quote, text
// after a closing quote, a record over 1 MiB.
class CsvReader {
 public:
  CsvReader(std::istream& in, std::string name, char separator = ',');

  // Fills `fields` with the next record; false at the end.
  bool next(std::vector<std::string>& fields);
  // Line, from 1, on which the record last read begins.
  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  int take();
  [[noreturn]] void fail(std::size_t line, const std::string& problem) const;

  std::istream& in_;
  std::string name_;
  char separator_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
  bool started_ = false;
};

// One CSV record with a final LF; a field with a separator, quote, CR or LF is quoted.
void append_csv(std::string& out, const std::vector<std::string>& fields, char separator = ',');

}  // namespace tcrops::data
