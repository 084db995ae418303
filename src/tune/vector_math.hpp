#pragma once

#include <span>

namespace tcrops::tune {

// Loops without branches or calls, which compilers turn into vector instructions. Additions happen
// in one fixed order, so results are the same on every machine.

// Every value becomes exp(value - shift), to 2 units in the last place, for value <= shift; what
// would be below 1e-300 becomes 0.
void exp_below(std::span<double> values, double shift);

// The largest of at least one value.
[[nodiscard]] double largest_of(std::span<const double> values);

[[nodiscard]] double sum_of(std::span<const double> values);

}  // namespace tcrops::tune
