#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/split.hpp>

#include <span>

namespace tcrops::data {

// What is in a dataset:
//   rows, tcrs, positives, sides.<train|validation|test>.{rows, tcrs, positives};
//   epitopes.<name> with the same keys;
//   lengths.<CDR3_alpha|CDR3_beta|Epitope>.<length>, genes.<V_alpha|...>.<gene>,
//   letters.<CDR3_alpha|CDR3_beta>.<letter>.
// Counts are over rows, except gene usage and the lengths and letters of the TCR, which count each
// distinct TCR once. A missing value is not counted. Without `sides` (empty span) the sides are
// left out.
[[nodiscard]] Json profile(std::span<const Record> records, std::span<const Side> sides);

}  // namespace tcrops::data
