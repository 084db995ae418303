#pragma once

#include <tcrops/core/field_table.hpp>

#include <string>
#include <vector>

namespace tcrops {

// What a text on the command line or in a variable means for this field.
[[nodiscard]] Json value_from_text(const Field& field, const std::string& text);

// Everything that is wrong with a value; empty when it may be set.
[[nodiscard]] std::vector<std::string> value_problems(const Field& field, const Json& value);

// Cut between two characters, with a "…", where it has more bytes.
[[nodiscard]] std::string shortened(std::string text, std::size_t bytes);

}  // namespace tcrops
