#include "grouped_rows.hpp"
#include "known_headers.hpp"
#include "plain_pairs.hpp"
#include "raw_record.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/reader.hpp>

#include <fmt/format.h>

#include <span>
#include <utility>

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
  State(std::istream& in, std::string name, ReadOptions read_options)
      : options(std::move(read_options)),
        source(std::make_unique<CsvRows>(in, std::move(name))),
        shared_header(std::make_shared<const Header>(read_header(*source, options))),
        header(*shared_header) {
    begin();
  }
  State(const TextTable& table, std::string name, ReadOptions read_options)
      : options(std::move(read_options)),
        source(std::make_unique<GivenRows>(table, std::move(name))),
        shared_header(header_of(table, *source, options)),
        header(*shared_header) {
    begin();
  }

  void begin() {
    if (header.format->quoting == Quoting::kNone) source->leave_quotes();
    if (header.format->epitope_in_name && options.epitope.empty()) {
      options.epitope = options.epitope_in_name;
    }
    if (header.first_row) {
      const auto& fields = header.first_row->fields;
      first_fields.assign(fields.begin(), fields.end());
    }
    for (const std::size_t column : header.extra) {
      const std::string& column_name = header.names[column];
      // pandas writes its index without a name.
      extra_names.push_back(column_name.empty() ? "index" : column_name);
    }
    plain_pairs.emplace(header, options);
  }

  ReadOptions options;
  std::unique_ptr<RowSource> source;
  std::shared_ptr<const Header> shared_header;
  const Header& header;
  std::vector<std::string_view> first_fields;  // of the header's first row
  std::vector<std::string> extra_names;
  std::size_t rows = 0;
  std::optional<GroupedRows> groups;
  std::optional<PlainPairs> plain_pairs;
  std::optional<RowText> put_back;

  [[nodiscard]] bool at_first_row() const { return rows == 1 && header.first_row; }

  // The next row of the file, valid until the one after; empty at the end.
  std::optional<RowText> read_row() {
    if (put_back) return std::exchange(put_back, std::nullopt);
    ++rows;
    if (at_first_row()) return RowText{header.first_row->line, first_fields};
    if (source->next()) return RowText{source->line(), source->fields()};
    --rows;
    return std::nullopt;
  }

  // The fields of the row read last, if they are wanted.
  [[nodiscard]] std::vector<std::string> kept_fields() {
    if (!options.keeps_fields) return {};
    return at_first_row() ? header.first_row->fields : source->take_fields();
  }

  [[nodiscard]] bool is_ragged(const RowText& row) const {
    return row.fields.size() != header.names.size();
  }

  [[nodiscard]] ReadResult refuse_ragged(const RowText& row) const {
    ReadResult result;
    result.notes.push_back(
        {row.line, Action::kRefused, "", "ragged",
         fmt::format("{} fields, but the header has {}", row.fields.size(), header.names.size())});
    return result;
  }

  [[nodiscard]] ReadResult read_rows(std::span<const RowText> source_rows) const {
    if (is_ragged(source_rows.front())) return refuse_ragged(source_rows.front());
    return make_canonical(assemble(header, source_rows), *header.format, options);
  }

  std::optional<std::size_t> next_plain(Record& record) {
    const auto row = read_row();
    if (!row) return std::nullopt;
    if (plain_pairs->take(*row, record)) return row->line;
    put_back = row;
    return std::nullopt;
  }

  std::optional<ReadResult> next_single() {
    const auto row = read_row();
    if (!row) return std::nullopt;
    ReadResult result;
    if (!plain_pairs->take(*row, result.record.emplace())) result = read_rows({&*row, 1});
    result.rows.push_back({row->line, kept_fields()});
    return result;
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
    std::vector<std::string_view> views;
    for (const SourceRow& row : group)
      views.insert(views.end(), row.fields.begin(), row.fields.end());
    std::vector<RowText> texts;
    std::span<const std::string_view> rest = views;
    for (const SourceRow& row : group) {
      texts.push_back({row.line, rest.first(row.fields.size())});
      rest = rest.subspan(row.fields.size());
    }
    ReadResult result = read_rows(texts);
    if (!options.keeps_fields) {
      for (SourceRow& row : group) row.fields.clear();
    }
    result.rows = std::move(group);
    return result;
  }
};

TableReader::TableReader(std::istream& in, std::string name, ReadOptions options)
    : state_(std::make_unique<State>(in, std::move(name), std::move(options))) {}
TableReader::TableReader(const TextTable& table, std::string name, ReadOptions options)
    : state_(std::make_unique<State>(table, std::move(name), std::move(options))) {}
TableReader::~TableReader() = default;

std::optional<ReadResult> TableReader::next() {
  return rows_are_chains() && state_->header.at(Role::kGroup) ? state_->next_group()
                                                              : state_->next_single();
}

std::optional<std::size_t> TableReader::next_plain(Record& record) {
  return rows_are_chains() ? std::nullopt : state_->next_plain(record);
}

const std::string& TableReader::name() const { return state_->source->name(); }
std::string_view TableReader::format() const { return state_->header.format->name; }
const std::vector<std::string>& TableReader::header() const { return state_->header.names; }
const std::vector<std::vector<std::string>>& TableReader::header_rows() const {
  return state_->header.rows;
}
CsvQuoting TableReader::quoting() const { return state_->source->quoting(); }
char TableReader::separator() const { return state_->source->separator(); }
bool TableReader::rows_are_chains() const {
  return state_->header.format->layout == Layout::kChains;
}
const std::vector<std::string>& TableReader::extra_names() const { return state_->extra_names; }
std::size_t TableReader::rows() const { return state_->rows; }

}  // namespace tcrops::data
