#include "header.hpp"

#include "../letters.hpp"
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

bool is_peptide(std::string_view text) {
  return text.size() >= 4 && text.find_first_not_of(kAminoAcids) == std::string_view::npos;
}

bool is_label(std::string_view text) { return text == "0" || text == "1" || text == "-1"; }

// A first row of values and not of names: ATM-TCR's three, or NetTCR's web form.
const FormatSpec* headerless_format(const Names& row) {
  const auto all = [&row](std::size_t begin, std::size_t end, auto&& is) {
    return std::all_of(row.begin() + static_cast<std::ptrdiff_t>(begin),
                       row.begin() + static_cast<std::ptrdiff_t>(end), is);
  };
  if (row.size() == 3 && all(0, 2, is_peptide) && is_label(row[2])) return format_named("atm_tcr");
  if ((row.size() == 7 || row.size() == 8) && all(0, 7, is_peptide) &&
      (row.size() == 7 || is_label(row[7]))) {
    return format_named("nettcr_web");
  }
  return nullptr;
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
  HeaderReader(CsvReader& reader, const ReadOptions& options)
      : reader_(reader), options_(options) {}

  Header read() {
    check_options();
    Names row;
    if (!reader_.next(row)) {
      fail_file("the file is empty; it needs a line of column names and rows");
    }
    line_ = reader_.line();
    for (std::string& name : row) name = as_utf8(std::string(trim(name)));
    header_.names = row;
    find_format(row);
    if (header_.format->layout == Layout::kIedb) read_second_row(row);
    if (is_headerless()) keep_first_row(std::move(row));
    place_roles();
    require_columns();
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail_file(const std::string& problem) const {
    throw Error(ExitCode::kInputData, fmt::format("{}: {}", reader_.name(), problem));
  }
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(ExitCode::kInputData, fmt::format("{}:{}: {}", reader_.name(), line_, problem));
  }

  void check_options() const {
    if (options_.format != kDetectFormat && format_named(options_.format) == nullptr) {
      Names known{std::string(kDetectFormat)};
      for (const FormatName& each : format_names()) known.emplace_back(each.name);
      throw Error(ExitCode::kUsage,
                  fmt::format("unknown format \"{}\"{}; known are {}", options_.format,
                              suggestion(options_.format, known), fmt::join(known, ", ")));
    }
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

  [[nodiscard]] bool has_all(const FormatSpec& spec, const Names& names) const {
    return std::all_of(spec.signature.begin(), spec.signature.end(),
                       [&](std::string_view name) { return contains(names, name); });
  }

  [[nodiscard]] bool fits(const FormatSpec& spec, const Names& row) const {
    if (spec.name == "iedb") return row.size() > 1 && contains(row, "Chain 1");
    if (spec.name == "atm_tcr" || spec.name == "nettcr_web") {
      return headerless_format(row) == &spec;
    }
    if (spec.name == "airr") {
      return has_all(spec, row) && (contains(row, "junction_aa") || contains(row, "cdr3_aa"));
    }
    if (spec.name == "benchmark") {
      return contains(row, "CDR3_alpha") || contains(row, "CDR3_beta");
    }
    if (spec.name == "plain") return true;
    return has_all(spec, row);
  }

  void find_format(const Names& row) {
    if (options_.format != kDetectFormat) {
      header_.format = format_named(options_.format);
      return;
    }
    const auto at = std::find_if(formats().begin(), formats().end(),
                                 [&](const FormatSpec& spec) { return fits(spec, row); });
    header_.format = &*at;  // "plain" fits everything
  }

  [[nodiscard]] bool is_headerless() const {
    const std::string_view name = header_.format->name;
    return name == "atm_tcr" || name == "nettcr_web";
  }

  void read_second_row(const Names& upper) {
    Names lower;
    if (!reader_.next(lower)) fail("the second row of column names is missing");
    if (lower.size() != upper.size()) {
      fail(fmt::format("the two rows of column names have {} and {} fields", upper.size(),
                       lower.size()));
    }
    header_.names = joined_names(upper, lower);
  }

  void keep_first_row(Names row) {
    header_.names.assign(header_.format->signature.begin(), header_.format->signature.end());
    if (header_.format->name == "nettcr_web" && row.size() > header_.names.size()) {
      header_.names.emplace_back("binder");
    }
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
    for (const auto& [column, theirs] : options_.map) {
      if (!contains(header_.names, theirs)) {
        fail(fmt::format("there is no column \"{}\" to be {}{}", theirs, column,
                         suggestion(theirs, header_.names)));
      }
      place(role_of(column), theirs);
    }
    find_extra();
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
    // Both spellings of a junction say the same.
    if (header_.format->layout == Layout::kIedb) return find_iedb_extra();
    for (std::size_t i = 0; i < consumed.size(); ++i) {
      if (!consumed[i]) header_.extra.push_back(i);
    }
  }

  void find_iedb_extra() {
    for (std::size_t i = 0; i < header_.names.size(); ++i) {
      const std::string& name = header_.names[i];
      if (name.starts_with("Chain ") || i == header_.at(Role::kEpitope) ||
          i == header_.at(Role::kMhc)) {
        continue;
      }
      header_.extra.push_back(i);
    }
  }

  // What stands in for a column where a row is a chain.
  [[nodiscard]] bool can_give(Column column) const {
    if (header_.at(static_cast<Role>(column))) return true;
    if (column == Column::kEpitope) {
      return !options_.epitope.empty() ||
             (header_.format->name == "immrep22" && !options_.epitope_in_name.empty());
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
    if (header_.format->name == "plain" && !can_give(Column::kCdr3Alpha) &&
        !can_give(Column::kCdr3Beta)) {
      fail_unknown();
    }
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
    if (!lacking.empty()) {
      log_warning(
          fmt::format("{}:{}: the {} format demands columns that are not there: {}; read "
                      "without them",
                      reader_.name(), line_, header_.format->name, fmt::join(lacking, ", ")));
    }
  }

  // Our own table has both, so a missing one is likelier a mistake than a wish.
  void warn_of_one_chain() const {
    if (header_.format->name != "benchmark") return;
    for (const Column column : {Column::kCdr3Alpha, Column::kCdr3Beta}) {
      if (can_give(column)) continue;
      log_warning(fmt::format("{}:{}: there is no column \"{}\"; all records have one chain only",
                              reader_.name(), line_, column_name(column)));
    }
  }

  [[noreturn]] void missing(std::string_view column) const {
    const auto near = nearest_word(column, header_.names);
    fail(fmt::format("column \"{}\" is missing{}", column,
                     near ? fmt::format("; rename \"{}\"?", *near)
                          : fmt::format("; name the one that holds it with --map {}=COLUMN, or "
                                        "the format with --format",
                                        column)));
  }

  [[noreturn]] void fail_unknown() const {
    constexpr std::size_t kShown = 8;
    Names shown_names;
    for (const std::string& name : header_.names) {
      if (shown_names.size() < kShown) shown_names.push_back(shown_text(name));
    }
    const auto near = nearest_word("CDR3_beta", header_.names);
    fail(fmt::format(
        "no column holds a CDR3 (columns: {}{}); the first line must name the columns{}",
        fmt::join(shown_names, ", "), header_.names.size() > kShown ? ", …" : "",
        near ? fmt::format("; rename \"{}\" to \"CDR3_beta\"?", *near)
             : "; name yours with --map CDR3_beta=COLUMN"));
  }

  // A binary file must not reach the terminal.
  static std::string shown_text(const std::string& name) {
    std::string text;
    for (const char c : name.substr(0, 40)) text += is_printable(c) ? c : '?';
    return '"' + text + '"';
  }

  CsvReader& reader_;
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

std::string Header::field(Role role) const {
  if (const auto index = at(role)) return names[*index];
  if (static_cast<std::size_t>(role) < kColumnCount) {
    return std::string(kColumnNames[static_cast<std::size_t>(role)]);
  }
  return {};
}

Header read_header(CsvReader& reader, const ReadOptions& options) {
  return HeaderReader(reader, options).read();
}

}  // namespace tcrops::data
