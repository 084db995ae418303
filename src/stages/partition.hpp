#pragma once

#include "clean_rows.hpp"

#include <tcrops/data/split.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// The rows of a dataset, each with its side, after negatives were drawn.
struct Partition {
  std::vector<data::Record> records;
  std::vector<data::Side> sides;
  std::vector<std::size_t> folds;               // of each record; empty without folds
  std::size_t excluded = 0;                     // rows that no side could have without a leak
  std::map<std::string, std::size_t> shortage;  // drawn negatives that could not be had, by origin
  std::size_t unmatched = 0;  // of those, for want of TCRs that lack the same columns
};

// Splits first, control TCRs included, then draws negatives inside each side. Rows to test on that
// come from a table of their own are the whole test side, as they are. Throws Error
// (kInputData) when a side would stay empty, as the splits say.
[[nodiscard]] Partition partition(const CleanRows& rows, const PreprocessConfig& config);

}  // namespace tcrops::stages
