#pragma once

#include <tcrops/serve/queries.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tcrops::serve {

// Rows as they stand in the tables: JSON, a list of line, score, call and kind of problem for each.
// Text of rows so far ("" for none), and one more.
[[nodiscard]] std::string with_row(std::string rows, const LoggedRow& row);
// Throws Error (kArtifact) that names the file.
[[nodiscard]] std::vector<LoggedRow> rows_of_stored(const std::string& text,
                                                    const std::string& file);

// A body that is no text for a database, two digits to a byte; and back.
[[nodiscard]] std::string hex_of(std::string_view bytes);
[[nodiscard]] std::string bytes_of_hex(std::string_view digits);

}  // namespace tcrops::serve
