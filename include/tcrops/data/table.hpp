#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>

#include <filesystem>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::data {

// A row that was not taken over, and why.
struct Refusal {
  std::size_t line = 0;
  std::string field;   // column name; empty when the row as a whole is at fault
  std::string reason;  // "letter 'X' is not an amino acid", without the value's other letters
};

struct Table {
  std::vector<Record> records;
  std::vector<std::string> extra_names;  // names of Record::extra
  std::vector<Refusal> refusals;
};

// Training needs the labels, a prediction does not.
enum class LabelRule { kRequired, kOptional };

// Matches the header of a pair table to columns. Throws Error (kInputData) as `name:line: …` for a
// missing or repeated column, with the nearest name in the file.
struct HeaderMap {
  std::array<std::size_t, kColumnCount> position{};
  std::array<bool, kColumnCount> present{};
  std::optional<std::size_t> label;
  std::optional<std::size_t> origin;
  std::optional<std::size_t> fold;
  std::vector<std::size_t> extra;  // positions of the columns that have no meaning here
};
// `required` lists the columns that must be there; others may be absent (their value is empty).
[[nodiscard]] HeaderMap match_header(const std::vector<std::string>& header,
                                     const std::vector<Column>& required, LabelRule label_rule,
                                     const std::string& name, std::size_t line);

// Turns one CSV row into a record, or says why not (first fault found): wrong number of fields, a
// required value missing, a CDR3 or epitope letter outside the 20 amino acids, a character that is
// not printable ASCII elsewhere, a value over 255 characters, a required clone_id that is not a
// number, a label that is not 0 or 1 (also accepted: -1 for 0, true/false in any case). Lower-case
// sequences are refused, not mended; a value of blanks only is missing. Where labels are optional,
// as in prediction, what the model does not use cannot cost a row its score: an unreadable label is
// unknown, and a column that is not required is taken as it is.
struct RowResult {
  Record record;
  std::optional<Refusal> refusal;
};
[[nodiscard]] RowResult parse_row(const std::vector<std::string>& fields, const HeaderMap& header,
                                  std::size_t header_size, const std::vector<Column>& required,
                                  LabelRule label_rule, std::size_t line);

// Reads a whole pair table (comma or tab, seen from the header). Refused rows are listed, never
// dropped in silence. Throws Error (kInputData) for an empty file, a bad header, no row at all, or
// when no row is usable (the message shows the first three reasons).
[[nodiscard]] Table read_table(std::istream& in, const std::string& name,
                               const std::vector<Column>& required, LabelRule label_rule);

// Writes the ten columns of the benchmark (Label is 0 or 1, or empty when unknown), then of the
// loops, Origin and Fold those that any record has, then `extra_names`.
[[nodiscard]] std::string format_table_csv(const std::vector<Record>& records,
                                           const std::vector<std::string>& extra_names = {});

}  // namespace tcrops::data
