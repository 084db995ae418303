#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tcrops::tune {

// Whether each parameter has a value, one list per trial.
using Presence = std::vector<bool>;

// Sets of parameters that have always occurred together: every trial's parameters split each group
// into those it has and those it has not, and what is new makes one more (Optuna's group=True).
// Each is sorted; a parameter of no trial is in none.
[[nodiscard]] std::vector<std::vector<std::size_t>> groups_of(std::span<const Presence> trials);

}  // namespace tcrops::tune
