#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// What can be known of a TCR-epitope pair. The first nine are the columns of the ePytope-TCR
// benchmark in its order, which is also the order of the encoded vector; then the loops that the V
// genes encode (IMGT numbering, without gaps). The numbers are used on disk: never renumber.
enum class Column : std::size_t {
  kCdr3Alpha = 0,
  kCdr3Beta,
  kVAlpha,
  kVBeta,
  kJAlpha,
  kJBeta,
  kEpitope,
  kCloneId,
  kMhc,
  kCdr1Alpha,
  kCdr2Alpha,
  kCdr1Beta,
  kCdr2Beta,
};
inline constexpr std::size_t kColumnCount = 13;
inline constexpr std::size_t kBenchmarkColumnCount = 9;
inline constexpr std::array<std::string_view, kColumnCount> kColumnNames = {
    "CDR3_alpha", "CDR3_beta", "V_alpha",    "V_beta",     "J_alpha",   "J_beta",   "Epitope",
    "clone_id",   "MHC",       "CDR1_alpha", "CDR2_alpha", "CDR1_beta", "CDR2_beta"};
inline constexpr std::string_view kLabelColumn = "Label";
inline constexpr std::string_view kOriginColumn = "Origin";
inline constexpr std::string_view kFoldColumn = "Fold";

[[nodiscard]] constexpr std::string_view column_name(Column column) {
  return kColumnNames[static_cast<std::size_t>(column)];
}

// Amino acids, not a name or number.
[[nodiscard]] constexpr bool is_sequence(Column column) {
  return column == Column::kCdr3Alpha || column == Column::kCdr3Beta ||
         column == Column::kEpitope || column >= Column::kCdr1Alpha;
}

// Where a negative comes from; each kind has its own bias, so they are reported apart. Stored as
// these numbers: never renumber.
enum class Origin : std::uint8_t {
  kNone = 0,        // a positive, or no label
  kGiven = 1,       // the input called it negative and does not say why
  kSwapped = 2,     // a binder of another epitope, drawn by tcrops or by the input's author
  kBackground = 3,  // a TCR of a control repertoire
  kMeasured = 4,    // tested in the laboratory and found not to bind
};
inline constexpr std::array<std::string_view, 5> kOriginNames = {"", "given", "swapped",
                                                                 "background", "measured"};
[[nodiscard]] constexpr std::string_view origin_name(Origin origin) {
  return kOriginNames[static_cast<std::size_t>(origin)];
}
// Empty when there is no origin of that name.
[[nodiscard]] std::optional<Origin> origin_named(std::string_view name);

// Between the values of two chains in an extra column in which they differ; shown as "|".
inline constexpr char kBetweenChains = '\x1e';
[[nodiscard]] std::string shown_extra(std::string text);

// One pair. CDR3s include the conserved C and F/W; genes carry their allele; an empty text is a
// missing value.
struct Record {
  std::array<std::string, kColumnCount> values;
  std::optional<bool> label;  // true: the TCR recognises the epitope
  Origin origin = Origin::kNone;
  std::string fold;                // the side or fold the input puts it in; may be empty
  std::vector<std::string> extra;  // columns of the input that tcrops has no use for, kept
  std::size_t line = 0;            // line in the file it came from, from 1; 0 when it has none

  [[nodiscard]] const std::string& operator[](Column column) const {
    return values[static_cast<std::size_t>(column)];
  }
  std::string& operator[](Column column) { return values[static_cast<std::size_t>(column)]; }
};

// Text that is equal exactly for equal TCRs: both CDR3s, all four genes, and the loops, which stand
// in for the V genes in some formats. Or what stands in `columns`, for a model that sees only
// those.
inline constexpr std::array<Column, 10> kTcrColumns = {
    Column::kCdr3Alpha, Column::kCdr3Beta, Column::kVAlpha,    Column::kVBeta,
    Column::kJAlpha,    Column::kJBeta,    Column::kCdr1Alpha, Column::kCdr2Alpha,
    Column::kCdr1Beta,  Column::kCdr2Beta};
[[nodiscard]] std::string tcr_key(const Record& record,
                                  std::span<const Column> columns = kTcrColumns);

// The column called `name`; empty when there is none.
[[nodiscard]] std::optional<Column> column_named(std::string_view name);

}  // namespace tcrops::data
