// What messages about a header say can be done.
#pragma once

#include <tcrops/data/means.hpp>
#include <tcrops/data/record.hpp>

#include <string>
#include <string_view>

namespace tcrops::data {

// About one of our columns that no column of the table is known to hold.
[[nodiscard]] std::string how_to_give(std::string_view column, Means means);
// About a table of which no column is known to hold a CDR3.
[[nodiscard]] std::string how_to_give_cdr3(Means means);
// About rows that are chains of no cell.
[[nodiscard]] std::string how_to_part_chains(Means means);

}  // namespace tcrops::data
