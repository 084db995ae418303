#pragma once

#include "format.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// The parts of formats(), each in the order in which it is tried.
[[nodiscard]] std::vector<FormatSpec> database_formats();  // and what sequencing pipelines write
[[nodiscard]] std::vector<FormatSpec> tool_formats();      // of predictors and benchmarks

// Adds what any table may carry beside the columns of its own format. AIRR's rules for custom
// columns allow these names, and tcrops writes them.
[[nodiscard]] std::vector<ColumnMeaning> with_pair_columns(std::vector<ColumnMeaning> columns);

[[nodiscard]] bool has(const std::vector<std::string>& names, std::string_view name);

}  // namespace tcrops::data
