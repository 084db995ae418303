#pragma once

#include "http.hpp"

#include <tcrops/data/text_table.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcrops::serve {

// Different keys that the rows of a body may have.
inline constexpr std::size_t kMostColumns = 256;

// Columns of texts, all of one length.
using Columns = std::vector<std::pair<std::string, std::vector<std::string>>>;

// {"rows": [{"CDR3_alpha": …}]}: column names as in any format that `predict` reads; a text,
// number, true, false or null per value. A key that only some rows have is empty in the others.
// Throws HttpError 400 that names row and key, and 413 at the first row too many.
[[nodiscard]] Columns columns_of_json(const std::string& body, std::size_t most_rows);

// The table of the columns; empty when a CSV file would not give them back as they stand.
[[nodiscard]] std::optional<data::TextTable> plain_table(const Columns& columns);

// As a CSV with a header.
[[nodiscard]] std::string csv_of(const Columns& columns);

[[nodiscard]] HttpError too_many_rows(std::size_t most_rows);

}  // namespace tcrops::serve
