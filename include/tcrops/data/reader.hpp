// Reads TCR-epitope tables of any format the field uses, as canonical records.
#pragma once

#include <tcrops/data/cleaning.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/known_headers.hpp>
#include <tcrops/data/means.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/data/text_table.hpp>

#include <filesystem>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

struct FormatName {
  std::string_view name;   // as --format takes it
  std::string_view title;  // for people
};
// Every format, in the order in which they are tried.
[[nodiscard]] const std::vector<FormatName>& format_names();

inline constexpr std::string_view kDetectFormat = "auto";

struct ReadOptions {
  std::string format{kDetectFormat};
  // Canonical column (or Label, Origin, Fold) -> column of the file; goes before what the format
  // says.
  std::map<std::string, std::string> map;
  // What a record without an epitope or MHC gets.
  std::string epitope;
  std::string mhc;
  // The epitope that stands in the file's name: for formats that have it nowhere else (immrep22).
  std::string epitope_in_name;
  // Columns without which a record is refused.
  std::vector<Column> required;
  // Columns whose values matter: a value there that cannot be read refuses the record, elsewhere it
  // counts as missing.
  std::vector<Column> used;
  LabelRule label_rule = LabelRule::kOptional;
  // What messages advise.
  Means means = Means::kOptions;
  // Whether the log is told of a header that lacks what its format demands.
  bool warns = true;
  // Where headers are looked up before they are read, and kept: for tables in memory, when `warns`
  // is false and `map` empty. Optional.
  std::shared_ptr<const KnownHeaders> known_headers;
  // Whether SourceRow::fields come out; else they are empty, which is quicker.
  bool keeps_fields = true;
  // Whether notes of rows that are taken over come out, too, and not only refusals.
  bool keeps_notes = true;
  // Where rows wait on disk that must be brought together; empty: the system's folder for temporary
  // files.
  std::filesystem::path spill_folder;
  // Up to about so much of them is held in memory, twice.
  std::size_t spill_bytes = std::size_t{64} << 20U;
};

// All columns but clone_id: what a table is read for when nothing else is known.
[[nodiscard]] std::vector<Column> value_columns();

// A row of the file as it stands there.
struct SourceRow {
  std::size_t line = 0;
  std::vector<std::string> fields;
};

// What one or several rows of a file say together.
struct ReadResult {
  // Empty: refused; `notes` say why.
  std::optional<Record> record;
  // The rows it was made of, in order; a row that was not used has a note that refuses it.
  std::vector<SourceRow> rows;
  std::vector<Note> notes;
};

// Reads one table from beginning to end, in order of each record's first line, in bounded memory:
// formats that spread a cell over several rows (AIRR, 10x, VDJdb) are sorted on disk where they do
// not fit. Every row of the file comes out in exactly one result. Not thread-safe.
class TableReader {
 public:
  // `name` is for messages. Reads the header. Throws Error (kInputData) as `name:line: …` for an
  // empty file, a format that cannot be told or lacks a column, and (kUsage) for an unknown
  // format or mapped name.
  TableReader(std::istream& in, std::string name, ReadOptions options);
  // Rows that are there already, read as a CSV file of them would be, line numbers included. The
  // table must outlive the reader.
  TableReader(const TextTable& table, std::string name, ReadOptions options);
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  // Throws Error (kInputData) for what ends the reading: damaged compression, an open quote.
  [[nodiscard]] std::optional<ReadResult> next();
  // The same without what a ReadResult costs: fills `record`, an empty one, from the next row and
  // gives its line, if that row is a pair whose values are all canonical; its fields are not kept.
  // Empty: next() goes on, and the record is of no use.
  [[nodiscard]] std::optional<std::size_t> next_plain(Record& record);

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::string_view format() const;
  // Of the file, as SourceRow::fields.
  [[nodiscard]] const std::vector<std::string>& header() const;
  // The rows of the header as they stand there: one, two (iedb), or none.
  [[nodiscard]] const std::vector<std::vector<std::string>>& header_rows() const;
  [[nodiscard]] CsvQuoting quoting() const;
  [[nodiscard]] char separator() const;
  // True when a row is a chain and not a pair.
  [[nodiscard]] bool rows_are_chains() const;
  // Names of Record::extra.
  [[nodiscard]] const std::vector<std::string>& extra_names() const;
  // Rows read so far.
  [[nodiscard]] std::size_t rows() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tcrops::data
