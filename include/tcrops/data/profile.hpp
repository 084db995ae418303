#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/split.hpp>

#include <span>

namespace tcrops::data {

// What is in a dataset: rows, TCRs and positives, per side and per epitope; lengths of both CDR3s
// and the epitope; V and J usage; letters of both CDR3s (counts). Counts are over rows, except gene
// usage, lengths and letters of the TCR, which count each distinct TCR once.
[[nodiscard]] Json profile(std::span<const Record> records, std::span<const Side> sides);

}  // namespace tcrops::data
