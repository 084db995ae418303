#pragma once

#include "http.hpp"
#include "json_rows.hpp"

#include <tcrops/stages/small_table.hpp>

#include <cstddef>
#include <string>

namespace tcrops::serve {

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
// a body that is none, 413 for too many rows, 415 for another type. The body must stay where it is,
// unchanged, as long as the table: its texts may lie there.
[[nodiscard]] stages::SmallTable table_of(const std::string& body, const std::string& content_type,
                                          const stages::TableSource& source,
                                          const stages::TableNeeds& needs, std::size_t most_rows);
stages::SmallTable table_of(std::string&& body, const std::string& content_type,
                            const stages::TableSource& source, const stages::TableNeeds& needs,
                            std::size_t most_rows) = delete;
[[nodiscard]] stages::SmallTable table_of(data::TextTable columns,
                                          const stages::TableSource& source,
                                          const stages::TableNeeds& needs, std::size_t most_rows);
[[nodiscard]] stages::SmallTable table_of(const Columns& columns, const stages::TableSource& source,
                                          const stages::TableNeeds& needs, std::size_t most_rows);

}  // namespace tcrops::serve
