#pragma once

#include "features.hpp"

#include <tcrops/nn/core.hpp>

#include <cstdint>
#include <vector>

namespace tcrops::nn {

// Rows that a network sees alike: those of one TCR, where heads stand for the epitopes. In the
// order of their first row.
struct RowGroups {
  std::vector<std::vector<std::int64_t>> rows;  // of each group, ascending
};

// Groups by the codes and numbers of the columns that the network reads.
[[nodiscard]] RowGroups group_rows(const data::EncodedRows& rows,
                                   const std::vector<FeatureColumn>& columns);

}  // namespace tcrops::nn
