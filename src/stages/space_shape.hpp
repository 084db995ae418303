#pragma once

#include <tcrops/core/field_table.hpp>

#include <string>
#include <vector>

namespace tcrops::stages {

// JSON Schema of a parameter of a search space that has one of these names.
[[nodiscard]] Json space_item_schema(const std::vector<std::string>& names);

// Everything that is wrong with a list of objects as a search space, whatever its names stand for;
// tune::space_from_json takes what has no problem.
[[nodiscard]] std::vector<InnerProblem> space_shape_problems(const Json& space);

}  // namespace tcrops::stages
