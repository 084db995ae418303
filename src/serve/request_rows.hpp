#pragma once

#include "http.hpp"

#include <tcrops/stages/small_table.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace tcrops::serve {

// Columns of texts, all of one length.
using Columns = std::vector<std::pair<std::string, std::vector<std::string>>>;

// {"rows": [{"CDR3_alpha": …}]}: column names as in any format that `predict` reads; a text,
// number, true, false or null per value. A key that only some rows have is empty in the others.
// Throws HttpError 400 that names row and key, and 413 at the first row too many.
[[nodiscard]] Columns columns_of_json(const std::string& body, std::size_t most_rows);

[[nodiscard]] HttpError too_many_rows(std::size_t most_rows);

// As a CSV with a header.
[[nodiscard]] std::string csv_of(const Columns& columns);

// Parses JSON; throws HttpError 400 that says where it is wrong, without repeating what was sent.
[[nodiscard]] Json parse_body(const std::string& body);

// What the query of a request for predictions asks for.
struct Wish {
  stages::TableSource source;  // from format, epitope and mhc
  std::string model;           // "": the one that is served
  bool echo = false;           // the answer repeats each row in canonical values
};
// Throws HttpError 400 for another name, or a value that is none.
[[nodiscard]] Wish wish_of(const Request& request);

// The table that a request sent: JSON, CSV, TSV or text by its Content-Type, read as `predict`
// reads; plain text or CSV without a header, too (SmallTable::of_lines). Throws HttpError: 400 for
// a body that is none, 413 for too many rows, 415 for another type.
[[nodiscard]] stages::SmallTable table_of(const std::string& body, const std::string& content_type,
                                          const stages::TableSource& source,
                                          const stages::TableNeeds& needs, std::size_t most_rows);
[[nodiscard]] stages::SmallTable table_of(const Columns& columns, const stages::TableSource& source,
                                          const stages::TableNeeds& needs, std::size_t most_rows);

}  // namespace tcrops::serve
