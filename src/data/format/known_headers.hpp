#pragma once

#include "header.hpp"

#include <tcrops/data/known_headers.hpp>
#include <tcrops/data/text_table.hpp>

#include <memory>

namespace tcrops::data {

// The header of a table whose reading begins, as read_header(), or as it was read before with
// options that ask the same of it.
[[nodiscard]] std::shared_ptr<const Header> header_of(const TextTable& table, RowSource& rows,
                                                      const ReadOptions& options);

}  // namespace tcrops::data
