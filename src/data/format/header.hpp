#pragma once

#include "format.hpp"
#include "row_source.hpp"

#include <tcrops/data/reader.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// What the beginning of a file says about the rest.
struct Header {
  const FormatSpec* format = nullptr;
  std::vector<std::string> names;  // of the columns; made up where the file has no header
  std::vector<std::vector<std::string>> rows;  // of the header, as they stand there
  // The first row, where the file has no header.
  std::optional<SourceRow> first_row;
  std::array<std::optional<std::size_t>, kRoleCount> position{};
  std::vector<std::size_t> samples;  // columns that tell samples apart
  std::vector<std::size_t> extra;    // columns whose text no canonical column holds

  [[nodiscard]] std::optional<std::size_t> at(Role role) const {
    return position[static_cast<std::size_t>(role)];
  }
  [[nodiscard]] std::optional<std::size_t> at(std::string_view name) const;
  // How reports call what has this role; valid as long as the header.
  [[nodiscard]] std::string_view field(Role role) const;
};

// Reads as many rows as the header has and finds the format. Throws as TableReader's constructor.
[[nodiscard]] Header read_header(RowSource& rows, const ReadOptions& options);

}  // namespace tcrops::data
