// Any bytes, read as any format: every row comes out once, and a record reads back as itself from
// both formats that tcrops writes.
#include "fuzz.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/reader.hpp>
#include <tcrops/data/writer.hpp>

#include <optional>
#include <set>
#include <sstream>

namespace {

using tcrops::data::Column;
using tcrops::data::ReadOptions;
using tcrops::data::Record;
using tcrops::fuzz::require;

struct Read {
  std::vector<Record> records;
  std::vector<std::string> extra_names;
};

void check_notes(const tcrops::data::ReadResult& result) {
  std::set<std::size_t> lines;
  for (const auto& row : result.rows) lines.insert(row.line);
  bool is_refused = false;
  for (const auto& note : result.notes) {
    require(lines.count(note.line) == 1, "a note is about a row of its result");
    require(!note.code.empty() && !note.reason.empty(), "a note says what and why");
    is_refused = is_refused || note.action == tcrops::data::Action::kRefused;
  }
  require(result.record || is_refused, "what is refused has a reason");
}

// Empty: the table ended with an error.
std::optional<Read> read(const std::string& text, ReadOptions options) {
  options.used = tcrops::data::value_columns();
  std::istringstream in(text);
  Read table;
  try {
    tcrops::data::TableReader reader(in, "t", std::move(options));
    table.extra_names = reader.extra_names();
    std::set<std::size_t> lines;
    std::size_t last = 0;
    while (auto result = reader.next()) {
      require(!result->rows.empty() && result->rows.front().line > last, "in order of first lines");
      last = result->rows.front().line;
      for (const auto& row : result->rows) {
        require(lines.insert(row.line).second, "a row comes out once");
      }
      check_notes(*result);
      if (!result->record) continue;
      require(result->record->extra.size() == table.extra_names.size(), "a value per extra column");
      table.records.push_back(std::move(*result->record));
    }
    require(lines.size() == reader.rows(), "every row comes out");
  } catch (const tcrops::Error& error) {
    require(error.code() == tcrops::ExitCode::kInputData, "only the input is at fault");
    require(std::string_view(error.what()).starts_with("t:"), "the message names the file");
    return std::nullopt;
  }
  return table;
}

// AIRR has a row per CDR3, so a chain without one is not written.
Record as_written(Record record, bool is_airr) {
  if (!is_airr) return record;
  if (record[Column::kCdr3Alpha].empty()) {
    for (const Column column :
         {Column::kVAlpha, Column::kJAlpha, Column::kCdr1Alpha, Column::kCdr2Alpha}) {
      record[column].clear();
    }
  }
  if (record[Column::kCdr3Beta].empty()) {
    for (const Column column :
         {Column::kVBeta, Column::kJBeta, Column::kCdr1Beta, Column::kCdr2Beta}) {
      record[column].clear();
    }
  }
  return record;
}

// Names with many separators could make another separator the likelier one.
bool are_plain(const std::vector<std::string>& names) {
  std::size_t separators = 0;
  for (const std::string& name : names) {
    for (const char c : name) separators += c == ',' || c == ';' || c == '\t' ? 1 : 0;
  }
  return separators < 10;
}

void check_round_trip(const Read& table, const std::string& format) {
  const bool is_airr = format == "airr";
  tcrops::data::RecordWriter writer(format, table.extra_names);
  std::string text = writer.header();
  for (const Record& record : table.records) text += writer.lines(record);
  ReadOptions options;
  options.format = format;
  const auto again = read(text, options);
  require(again.has_value(), "what was written can be read");
  require(again->records.size() == table.records.size(), "as many records as were written");
  for (std::size_t i = 0; i < table.records.size(); ++i) {
    const Record first = as_written(table.records[i], is_airr);
    const Record& second = again->records[i];
    require(first.values == second.values, "the values read back");
    require(first.label == second.label && first.origin == second.origin, "the label reads back");
    require(first.fold == second.fold, "the fold reads back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tcrops::fuzz::Bytes bytes(data, size);
  const auto& formats = tcrops::data::format_names();
  const std::size_t choice = bytes.below(formats.size() + 1);
  ReadOptions options;
  if (choice > 0) options.format = formats[choice - 1].name;
  // Little memory: groups go through the disk, which is slow, so not always.
  options.spill_bytes = bytes.below(16) == 1 ? 100 : std::size_t{1} << 20U;
  const auto table = read(bytes.rest(), options);
  if (!table || !are_plain(table->extra_names)) return 0;
  for (const std::string& format : tcrops::data::writable_formats()) {
    check_round_trip(*table, format);
  }
  return 0;
}

std::vector<std::string> tcrops::fuzz::seeds(const std::vector<std::string>& tables) {
  std::vector<std::string> all;
  const auto add = [&all](const std::string& table, std::size_t format) {
    all.push_back(std::string{static_cast<char>(format), '\1'} + table);
  };
  for (const std::string& table : tables) add(table, 0);
  const std::string pairs =
      "CDR3_alpha,CDR3_beta,V_alpha,J_beta,Epitope,clone_id,MHC,Label,Origin,Fold,note\n"
      "CAGAGSQGNLIF,CASSIRSSYEQYF,TRAV27,TRBJ2-7,GILGFVFTL,1.0,A2,0,swapped,train,\"x,\"\"y\"\n"
      ",CASSY,TRAV29DV5,,NA,,HLA-DRA*01:01/HLA-DRB1*04:01,yes,,3,\xE9\n";
  const std::string cells =
      "sequence_id\tv_call\tj_call\tjunction_aa\tcdr3_aa\tlocus\tcell_id\tduplicate_count\tclone_"
      "id\n"
      "a\tTRAV27\tTRAJ42\tCAGAGSQGNLIF\t\tTRA\tc1\t3\tx\nb\tTRBV19\tTRBJ2-"
      "7\t\tASSIRSSYEQY\tTRB\tc2\t\t\n"
      "c\tTRBV6-2/6-3\tTRBJ2-7\tCASSF\t\tTRB\tc1\t4\tx\n";
  for (const std::string& table : {pairs, cells}) {
    for (std::size_t format = 0; format <= tcrops::data::format_names().size(); ++format) {
      add(table, format);
    }
  }
  return all;
}
