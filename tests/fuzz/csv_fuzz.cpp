// What is read from any bytes reads the same after it was written.
#include "fuzz.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/csv.hpp>

#include <algorithm>
#include <array>
#include <sstream>

namespace {

using tcrops::fuzz::require;
using Rows = std::vector<std::vector<std::string>>;

Rows read(const std::string& text, char separator, tcrops::data::CsvQuoting quoting) {
  std::istringstream in(text);
  tcrops::data::CsvReader reader(in, "t", separator);
  reader.set_quoting(quoting);
  Rows rows;
  std::vector<std::string> fields;
  std::size_t line = 0;
  while (reader.next(fields)) {
    require(reader.line() > line, "each record begins on a later line");
    require(!fields.empty(), "a record has a field");
    line = reader.line();
    rows.push_back(fields);
  }
  require(!reader.next(fields), "the end stays the end");
  return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tcrops::fuzz::Bytes bytes(data, size);
  const char separator = std::array{',', '\t', ';', '\0'}.at(bytes.below(4));
  const auto quoting =
      bytes.below(2) == 0 ? tcrops::data::CsvQuoting::kRfc4180 : tcrops::data::CsvQuoting::kNone;
  Rows rows;
  try {
    rows = read(bytes.rest(), separator, quoting);
  } catch (const tcrops::Error& error) {
    require(error.code() == tcrops::ExitCode::kInputData, "only the input is at fault");
    require(std::string_view(error.what()).starts_with("t:"), "the message names file and line");
    return 0;
  }
  // A byte order mark counts at the very beginning only.
  std::string text = "first\n";
  for (const auto& row : rows) tcrops::data::append_csv(text, row, ',');
  const Rows again = read(text, ',', tcrops::data::CsvQuoting::kRfc4180);
  require(
      again.size() == rows.size() + 1 && std::equal(rows.begin(), rows.end(), again.begin() + 1),
      "written and read again");
  return 0;
}

std::vector<std::string> tcrops::fuzz::seeds(const std::vector<std::string>& tables) {
  std::vector<std::string> all;
  for (const std::string& first :
       {std::string("\0\0", 2), std::string("\1\0", 2), std::string("\3\1")}) {
    for (const std::string& table : tables) all.push_back(first + table);
    all.push_back(first + "a,b\n\"c,\"\"d\",\"e\nf\"\r\n\r\ng,h\ri,\n");
  }
  return all;
}
