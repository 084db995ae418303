#include "header.hpp"

#include "../letters.hpp"
#include "advice.hpp"
#include "encoding.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tcrops::data {
namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// IEDB names its columns in two rows.
Names joined_names(const Names& upper, const Names& lower) {
  Names names;
  for (std::size_t i = 0; i < std::min(upper.size(), lower.size()); ++i) {
    names.push_back(upper[i] + "|" + as_utf8(lower[i]));
  }
  return names;
}

class HeaderReader {
 public:
  HeaderReader(RowSource& rows, const ReadOptions& options) : rows_(rows), options_(options) {}

  Header read() {
    check_options();
    if (!rows_.next()) fail_file("the file is empty; it needs a line of column names and rows");
    Names row = rows_.take_fields();
    line_ = rows_.line();
    header_.rows.push_back(row);
    for (std::string& name : row) name = as_utf8(std::string(trim(name)));
    header_.names = row;
    find_format(row);
    if (header_.format->header_rows == HeaderRows::kTwo) read_second_row(row);
    if (is_headerless()) keep_first_row(std::move(row));
    place_roles();
    require_columns();
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail_file(const std::string& problem) const {
    throw Error(ExitCode::kInputData, fmt::format("{}: {}", rows_.name(), problem));
  }
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(ExitCode::kInputData, fmt::format("{}:{}: {}", rows_.name(), line_, problem));
  }

  void check_options() const {
    if (options_.format != kDetectFormat && format_named(options_.format) == nullptr) {
      Names known{std::string(kDetectFormat)};
      for (const FormatName& each : format_names()) known.emplace_back(each.name);
      throw Error(ExitCode::kUsage,
                  fmt::format("unknown format \"{}\"{}; known are {}", options_.format,
                              suggestion(options_.format, known), fmt::join(known, ", ")));
    }
    if (options_.map.empty()) return;
    Names columns(kColumnNames.begin(), kColumnNames.end());
    for (const std::string_view more : {kLabelColumn, kOriginColumn, kFoldColumn}) {
      columns.emplace_back(more);
    }
    for (const auto& [column, theirs] : options_.map) {
      if (contains(columns, column)) continue;
      throw Error(ExitCode::kUsage,
                  fmt::format("cannot map \"{}\"{}; columns are {}", column,
                              suggestion(column, columns), fmt::join(columns, ", ")));
    }
  }

  [[nodiscard]] static Names lacking(const FormatSpec& spec, const Names& names) {
    Names absent;
    for (const std::string_view name : spec.signature) {
      if (!contains(names, name)) absent.emplace_back(name);
    }
    return absent;
  }

  [[nodiscard]] static bool fits(const FormatSpec& spec, const Names& row) {
    return spec.fits != nullptr ? spec.fits(row) : lacking(spec, row).empty();
  }

  void find_format(const Names& row) {
    if (options_.format != kDetectFormat) {
      header_.format = format_named(options_.format);
      require_format(row);
      return;
    }
    const auto at = std::find_if(formats().begin(), formats().end(),
                                 [&](const FormatSpec& spec) { return fits(spec, row); });
    header_.format = &*at;  // "plain" fits everything
  }

  // A format that was asked for; columns that --map names may be missing.
  void require_format(const Names& row) const {
    const FormatSpec& spec = *header_.format;
    if (!options_.map.empty() || fits(spec, row)) return;
    const Names absent = lacking(spec, row);
    const auto seen = std::find_if(formats().begin(), formats().end(),
                                   [&](const FormatSpec& each) { return fits(each, row); });
    fail(fmt::format(
        "this is not {}{}; it looks like {}", spec.title,
        absent.empty() ? "" : fmt::format(": there is no column {}", fmt::join(absent, ", ")),
        seen->name));
  }

  [[nodiscard]] bool is_headerless() const {
    return header_.format->header_rows == HeaderRows::kNone;
  }

  void read_second_row(const Names& upper) {
    if (!rows_.next()) fail("the second row of column names is missing");
    const Names lower = rows_.take_fields();
    if (lower.size() != upper.size()) {
      fail(fmt::format("the two rows of column names have {} and {} fields", upper.size(),
                       lower.size()));
    }
    header_.rows.push_back(lower);
    header_.names = joined_names(upper, lower);
  }

  void keep_first_row(Names row) {
    header_.names.assign(header_.format->signature.begin(), header_.format->signature.end());
    if (row.size() == header_.names.size() + 1) header_.names.emplace_back("binder");
    header_.rows.clear();
    header_.first_row = SourceRow{line_, std::move(row)};
  }

  void place(Role role, std::string_view name) {
    const auto at = std::find(header_.names.begin(), header_.names.end(), name);
    if (std::find(at + 1, header_.names.end(), name) != header_.names.end()) {
      fail(fmt::format("column \"{}\" stands twice; keep one of them", name));
    }
    header_.position[static_cast<std::size_t>(role)] =
        static_cast<std::size_t>(at - header_.names.begin());
  }

  static Role role_of(const std::string& column) {
    if (column == kLabelColumn) return Role::kLabel;
    if (column == kOriginColumn) return Role::kOrigin;
    if (column == kFoldColumn) return Role::kFold;
    return static_cast<Role>(*column_named(column));
  }

  void place_roles() {
    for (const ColumnMeaning& meaning : header_.format->columns) {
      for (const std::string_view name : meaning.names) {
        if (!contains(header_.names, name)) continue;
        place(meaning.role, name);
        break;
      }
    }
    for (const std::string_view name : header_.format->samples) {
      const auto at = std::find(header_.names.begin(), header_.names.end(), name);
      if (at != header_.names.end()) {
        header_.samples.push_back(static_cast<std::size_t>(at - header_.names.begin()));
      }
    }
    for (const auto& [column, theirs] : options_.map) {
      refuse_chain_column(column);
      if (!contains(header_.names, theirs)) {
        fail(fmt::format("there is no column \"{}\" to be {}{}", theirs, column,
                         suggestion(theirs, header_.names)));
      }
      place(role_of(column), theirs);
    }
    find_extra();
  }

  // Where a row is a chain, or says which chains it has, no column belongs to one chain.
  void refuse_chain_column(const std::string& column) const {
    const auto role = static_cast<std::size_t>(role_of(column));
    const bool is_of_pair =
        role >= kColumnCount || column == "Epitope" || column == "MHC" || column == "clone_id";
    if (header_.format->layout == Layout::kPairs || is_of_pair) return;
    throw Error(ExitCode::kUsage,
                fmt::format("{}: cannot map {}: the rows of format {} tell themselves which chain "
                            "they hold; only Epitope, MHC, clone_id, Label, Origin and Fold can "
                            "be mapped, or read the table as --format plain",
                            rows_.name(), column, header_.format->name));
  }

  // A column whose whole content stands in a canonical one is not kept beside it.
  [[nodiscard]] static bool is_kept(Role role) {
    return (role == Role::kOrigin) || role == Role::kSpecies || role >= Role::kGroup;
  }

  void find_extra() {
    std::vector<bool> consumed(header_.names.size(), false);
    for (std::size_t r = 0; r < kRoleCount; ++r) {
      const auto role = static_cast<Role>(r);
      const auto position = header_.at(role);
      if (!position) continue;
      const std::string& name = header_.names[*position];
      const bool is_ours =
          name == kOriginColumn || name == "negative_origin" || name == "tcrops_record";
      if (!is_kept(role) || is_ours) consumed[*position] = true;
    }
    for (std::size_t i = 0; i < consumed.size(); ++i) {
      if (!consumed[i]) header_.extra.push_back(i);
    }
  }

  // What stands in for a column where a row is a chain.
  [[nodiscard]] bool can_give(Column column) const {
    if (header_.at(static_cast<Role>(column))) return true;
    if (column == Column::kEpitope) {
      return !options_.epitope.empty() ||
             (header_.format->epitope_in_name && !options_.epitope_in_name.empty());
    }
    if (column == Column::kMhc) return !options_.mhc.empty();
    if (header_.format->layout == Layout::kIedb) return column != Column::kCloneId;
    if (header_.format->layout != Layout::kChains) return false;
    switch (column) {
      case Column::kCdr3Alpha:
      case Column::kCdr3Beta:
        return header_.at(Role::kChainCdr3) || header_.at(Role::kChainTrimmed);
      case Column::kVAlpha:
      case Column::kVBeta:
        return header_.at(Role::kChainV).has_value();
      case Column::kJAlpha:
      case Column::kJBeta:
        return header_.at(Role::kChainJ).has_value();
      default:
        return false;
    }
  }
  // CDR1 and CDR2 follow from the V gene.
  [[nodiscard]] bool follows_from_gene(Column column) const {
    if (column == Column::kCdr1Alpha || column == Column::kCdr2Alpha) {
      return can_give(Column::kVAlpha);
    }
    if (column == Column::kCdr1Beta || column == Column::kCdr2Beta) {
      return can_give(Column::kVBeta);
    }
    return false;
  }

  void require_columns() const {
    if (!can_give(Column::kCdr3Alpha) && !can_give(Column::kCdr3Beta)) fail_unknown();
    for (const Column column : options_.required) {
      if (!can_give(column) && !follows_from_gene(column)) missing(column_name(column));
    }
    if (options_.label_rule == LabelRule::kRequired && !header_.at(Role::kLabel) &&
        header_.format->label == ImpliedLabel::kNone) {
      missing(kLabelColumn);
    }
    warn_of_one_chain();
    std::vector<std::string_view> lacking;
    for (const std::string_view name : header_.format->also_required) {
      if (!contains(header_.names, name)) lacking.push_back(name);
    }
    // Cell Ranger's own AIRR file lacks none; other programs' often do.
    if (!lacking.empty() && options_.warns) {
      log_warning(
          fmt::format("{}:{}: the {} format demands columns that are not there: {}; read "
                      "without them",
                      rows_.name(), line_, header_.format->name, fmt::join(lacking, ", ")));
    }
  }

  // Our own table has both, so a missing one is likelier a mistake than a wish.
  void warn_of_one_chain() const {
    if (header_.format->name != "benchmark" || !options_.warns) return;
    for (const Column column : {Column::kCdr3Alpha, Column::kCdr3Beta}) {
      if (can_give(column)) continue;
      log_warning(fmt::format("{}:{}: there is no column \"{}\"; all records have one chain only",
                              rows_.name(), line_, column_name(column)));
    }
  }

  [[noreturn]] void missing(std::string_view column) const {
    const auto near = nearest_word(column, header_.names);
    fail(fmt::format("column \"{}\" is missing{}", column,
                     near ? fmt::format("; rename \"{}\"?", *near)
                          : "; " + how_to_give(column, options_.means)));
  }

  [[noreturn]] void fail_unknown() const {
    constexpr std::size_t kShown = 8;
    Names shown_names;
    for (const std::string& name : header_.names) {
      if (shown_names.size() < kShown) shown_names.push_back(shown_text(name));
    }
    fail(fmt::format("no column holds a CDR3 (columns: {}{}); {}", fmt::join(shown_names, ", "),
                     header_.names.size() > kShown ? ", …" : "", what_to_do()));
  }

  [[nodiscard]] std::string what_to_do() const {
    if (contains(header_.names, "cdr3s_aa")) {
      return "of Cell Ranger's files give filtered_contig_annotations.csv, not clonotypes.csv";
    }
    if (contains(header_.names, "cdr3") || contains(header_.names, "CDR3")) {
      return "its rows are chains, but no column joins them to cells: name one barcode (10x), "
             "cell_id (AIRR) or complex.id (VDJdb), or " +
             how_to_part_chains(options_.means);
    }
    if (const auto near = nearest_word("CDR3_beta", header_.names)) {
      return fmt::format("the first line must name the columns; rename \"{}\" to \"CDR3_beta\"?",
                         *near);
    }
    return how_to_give_cdr3(options_.means);
  }

  // A binary file must not reach the terminal.
  static std::string shown_text(const std::string& name) {
    std::string text;
    for (const char c : name.substr(0, 40)) text += is_printable(c) ? c : '?';
    return '"' + text + '"';
  }

  RowSource& rows_;
  const ReadOptions& options_;
  Header header_;
  std::size_t line_ = 0;
};

}  // namespace

std::optional<std::size_t> Header::at(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

std::string_view Header::field(Role role) const {
  if (const auto index = at(role)) return names[*index];
  const auto number = static_cast<std::size_t>(role);
  return number < kColumnCount ? kColumnNames[number] : std::string_view();
}

Header read_header(RowSource& rows, const ReadOptions& options) {
  return HeaderReader(rows, options).read();
}

}  // namespace tcrops::data
