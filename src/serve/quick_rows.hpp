#pragma once

#include <tcrops/data/text_table.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace tcrops::serve {

// What columns_of_json (json_rows.hpp) reads, at once, for what most bodies are: {"rows": […]}
// alone, printable ASCII without escapes, numbers without exponents. Empty for any other, right or
// wrong. The texts of the table lie in the body, which must outlive it where it is.
[[nodiscard]] std::optional<data::TextTable> quick_rows(const std::string& body,
                                                        std::size_t most_rows);
std::optional<data::TextTable> quick_rows(std::string&& body, std::size_t most_rows) = delete;

}  // namespace tcrops::serve
