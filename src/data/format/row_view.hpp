// What the assembling of records from rows has in common.
#pragma once

#include "raw_record.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace tcrops::data {

// The fields of a row by role.
class RowView {
 public:
  RowView(const Header& header, const RowText& row) : header_(header), row_(row) {}

  [[nodiscard]] RawValue value(Role role) const {
    return {text(role), row_.line, header_.field(role)};
  }
  [[nodiscard]] std::string_view text(Role role) const {
    const auto at = header_.at(role);
    return at ? row_.fields[*at] : std::string_view();
  }
  // `name` must last as long as the value.
  [[nodiscard]] RawValue named(std::string_view name) const {
    const auto at = header_.at(name);
    return {at ? row_.fields[*at] : std::string_view(), row_.line, name};
  }
  [[nodiscard]] std::size_t line() const { return row_.line; }

 private:
  const Header& header_;
  const RowText& row_;
};

// Alpha or beta, by a locus or gene; empty for any other.
[[nodiscard]] std::optional<Chain> chain_named(std::string_view text);

[[nodiscard]] Assembled assemble_iedb(const Header& header, const RowText& row);

}  // namespace tcrops::data
