#include "grouped_rows.hpp"
#include "raw_record.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/reader.hpp>

#include <fmt/format.h>

namespace tcrops::data {

std::vector<Column> value_columns() {
  std::vector<Column> columns;
  for (std::size_t c = 0; c < kColumnCount; ++c) {
    const auto column = static_cast<Column>(c);
    if (column != Column::kCloneId) columns.push_back(column);
  }
  return columns;
}

struct TableReader::State {
  State(std::istream& in, std::string file_name, ReadOptions read_options)
      : options(std::move(read_options)),
        csv(in, std::move(file_name), kDetectSeparator),
        header(read_header(csv, options)) {
    const bool is_unquoted =
        header.format->quoting == Quoting::kNone && csv.separator() == '\t' && !csv.saw_quote();
    csv.set_quoting(is_unquoted ? CsvQuoting::kNone : CsvQuoting::kRfc4180);
    if (header.format->epitope_in_name && options.epitope.empty()) {
      options.epitope = options.epitope_in_name;
    }
    for (const std::size_t column : header.extra) {
      const std::string& column_name = header.names[column];
      // pandas writes its index without a name.
      extra_names.push_back(column_name.empty() ? "index" : column_name);
    }
  }

  ReadOptions options;
  CsvReader csv;
  Header header;
  std::vector<std::string> extra_names;
  std::size_t rows = 0;
  std::optional<GroupedRows> groups;

  // The next row of the file; empty at the end.
  std::optional<SourceRow> read_row() {
    SourceRow row;
    if (header.first_row) {
      row = std::move(*header.first_row);
      header.first_row.reset();
    } else if (csv.next(row.fields)) {
      row.line = csv.line();
    } else {
      return std::nullopt;
    }
    ++rows;
    return row;
  }

  [[nodiscard]] bool is_ragged(const SourceRow& row) const {
    return row.fields.size() != header.names.size();
  }

  [[nodiscard]] ReadResult refuse_ragged(SourceRow row) const {
    ReadResult result;
    result.notes.push_back(
        {row.line, Action::kRefused, "", "ragged",
         fmt::format("{} fields, but the header has {}", row.fields.size(), header.names.size())});
    result.rows.push_back(std::move(row));
    return result;
  }

  [[nodiscard]] ReadResult read_rows(std::vector<SourceRow> source) const {
    Assembled assembled = assemble(header, source);
    ReadResult result;
    if (assembled.record) result = make_canonical(*assembled.record, *header.format, options);
    result.notes.insert(result.notes.begin(), std::make_move_iterator(assembled.notes.begin()),
                        std::make_move_iterator(assembled.notes.end()));
    result.rows = std::move(source);
    return result;
  }

  std::optional<ReadResult> next_single() {
    auto row = read_row();
    if (!row) return std::nullopt;
    if (is_ragged(*row)) return refuse_ragged(std::move(*row));
    std::vector<SourceRow> rows_of_record;
    rows_of_record.push_back(std::move(*row));
    return read_rows(std::move(rows_of_record));
  }

  void read_groups() {
    groups.emplace(header, options.spill_folder, options.spill_bytes);
    while (auto row = read_row()) {
      if (rows % 4096 == 0) check_interrupt();
      groups->add(*row);
    }
  }

  std::optional<ReadResult> next_group() {
    if (!groups) read_groups();
    std::vector<SourceRow> group = groups->next();
    if (group.empty()) return std::nullopt;
    if (is_ragged(group.front())) return refuse_ragged(std::move(group.front()));
    return read_rows(std::move(group));
  }
};

TableReader::TableReader(std::istream& in, std::string name, ReadOptions options)
    : state_(std::make_unique<State>(in, std::move(name), std::move(options))) {}
TableReader::~TableReader() = default;

std::optional<ReadResult> TableReader::next() {
  return rows_are_chains() && state_->header.at(Role::kGroup) ? state_->next_group()
                                                              : state_->next_single();
}

const std::string& TableReader::name() const { return state_->csv.name(); }
std::string_view TableReader::format() const { return state_->header.format->name; }
const std::vector<std::string>& TableReader::header() const { return state_->header.names; }
const std::vector<std::vector<std::string>>& TableReader::header_rows() const {
  return state_->header.rows;
}
CsvQuoting TableReader::quoting() const { return state_->csv.quoting(); }
char TableReader::separator() const { return state_->csv.separator(); }
bool TableReader::rows_are_chains() const {
  return state_->header.format->layout == Layout::kChains;
}
const std::vector<std::string>& TableReader::extra_names() const { return state_->extra_names; }
std::size_t TableReader::rows() const { return state_->rows; }

}  // namespace tcrops::data
