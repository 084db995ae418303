// What is known of each input format: how to tell it, and which of its columns means what.
#pragma once

#include <tcrops/data/canonical.hpp>
#include <tcrops/data/record.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// What a column of a file can mean. The first ones are those of Column, in its order.
enum class Role : std::size_t {
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
  // Of the pair.
  kLabel,
  kOrigin,
  kFold,
  kSpecies,
  kMhcSecond,  // second chain of a class II molecule
  // Of one chain, where a row is a chain.
  kChain,
  kChainCdr3,     // with C and F/W
  kChainTrimmed,  // without, where the other one is missing
  kChainCdr1,
  kChainCdr2,
  kChainV,
  kChainJ,
  kGroup,  // rows with the same value are one cell or complex
  kUmis,
  kReads,
  kProductive,
  kIsCell,
  kHighConfidence,
};
inline constexpr std::size_t kRoleCount = static_cast<std::size_t>(Role::kHighConfidence) + 1;

enum class Layout {
  kPairs,   // a row is a TCR, with or without epitope
  kChains,  // a row is a chain; kGroup brings them together
  kIedb,    // two chains in a row, each of which says what it is
};

// Unquoted formats are read by RFC 4180 all the same when the header is quoted, or when commas
// separate: then a spreadsheet or a script has written them anew.
enum class Quoting { kRfc4180, kNone };

enum class HeaderRows {
  kOne,
  kTwo,   // as IEDB's, whose names are put together as "Chain 1|Type"
  kNone,  // the columns are those of the signature, in order, and then perhaps a label
};

// What an empty `productive` means.
enum class UnknownProductive { kYes, kNo };

// What a row is when the format has no label column.
enum class ImpliedLabel { kNone, kPositive };

struct ColumnMeaning {
  Role role;
  std::vector<std::string_view> names;  // the first that is there counts
};

struct FormatSpec {
  std::string_view name;
  std::string_view title;
  Layout layout = Layout::kPairs;
  // Columns that a file of this format has, letter for letter.
  std::vector<std::string_view> signature;
  std::vector<ColumnMeaning> columns;
  Cdr3Form cdr3 = Cdr3Form::kWhole;
  ImpliedLabel label = ImpliedLabel::kNone;
  Quoting quoting = Quoting::kRfc4180;
  // Columns that the format's definition demands, but tcrops does not need.
  std::vector<std::string_view> also_required = {};
  HeaderRows header_rows = HeaderRows::kOne;
  // Whether a file whose first row this is has this format; null: when it has all of the signature.
  bool (*fits)(const std::vector<std::string>& first_row) = nullptr;
  // The value of kGroup with which rows belong to no group.
  std::string_view ungrouped = {};
  // Columns that tell the samples of one file apart: cells of different samples are different.
  std::vector<std::string_view> samples = {};
  UnknownProductive unknown_productive = UnknownProductive::kYes;
  // Of negatives that do not say where they come from.
  Origin origin = Origin::kGiven;
  // The file is named after its epitope, which stands nowhere else.
  bool epitope_in_name = false;
};

// In the order in which they are tried: the more particular ones first.
[[nodiscard]] const std::vector<FormatSpec>& formats();

// By name; null when there is none.
[[nodiscard]] const FormatSpec* format_named(std::string_view name);

}  // namespace tcrops::data
