#pragma once

#include <tcrops/serve/queries.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tcrops::serve {

// Rows as they stand in the tables: JSON, a list of line, score, call and kind of problem for each.
[[nodiscard]] std::string stored_rows(const std::vector<LoggedRow>& rows);
// Throws Error (kArtifact) that names the file.
[[nodiscard]] std::vector<LoggedRow> rows_of_stored(const std::string& text,
                                                    const std::string& file);

// A body that is no text for a database, two digits to a byte; and back.
[[nodiscard]] std::string hex_of(std::string_view bytes);
[[nodiscard]] std::string bytes_of_hex(std::string_view digits);

}  // namespace tcrops::serve
