#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// The nine columns of a TCR-epitope pair in the order of the ePytope-TCR benchmark, which is also
// the order of the encoded vector. The numbers are used on disk: never renumber.
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
};
inline constexpr std::size_t kColumnCount = 9;
inline constexpr std::array<std::string_view, kColumnCount> kColumnNames = {
    "CDR3_alpha", "CDR3_beta", "V_alpha",  "V_beta", "J_alpha",
    "J_beta",     "Epitope",   "clone_id", "MHC"};
inline constexpr std::string_view kLabelColumn = "Label";

[[nodiscard]] constexpr std::string_view column_name(Column column) {
  return kColumnNames[static_cast<std::size_t>(column)];
}

// One pair. CDR3s include the conserved C and F/W; genes carry their allele; an empty text is a
// missing value.
struct Record {
  std::array<std::string, kColumnCount> values;
  std::optional<bool> label;  // true: the TCR recognises the epitope
  std::size_t line = 0;       // line in the file it came from, from 1; 0 when it has none

  [[nodiscard]] const std::string& operator[](Column column) const {
    return values[static_cast<std::size_t>(column)];
  }
  std::string& operator[](Column column) { return values[static_cast<std::size_t>(column)]; }
};

// Text that is equal exactly for equal TCRs: both CDR3s and all four genes.
// Or what stands in `columns`, for a model that sees only those.
inline constexpr std::array<Column, 6> kTcrColumns = {Column::kCdr3Alpha, Column::kCdr3Beta,
                                                      Column::kVAlpha,    Column::kVBeta,
                                                      Column::kJAlpha,    Column::kJBeta};
[[nodiscard]] std::string tcr_key(const Record& record,
                                  std::span<const Column> columns = kTcrColumns);

// The column called `name`; empty when there is none.
[[nodiscard]] std::optional<Column> column_named(std::string_view name);

}  // namespace tcrops::data
