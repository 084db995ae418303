// What the assembling of records from rows has in common.
#pragma once

#include "raw_record.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// The fields of a row by role.
class RowView {
 public:
  RowView(const Header& header, const SourceRow& row) : header_(header), row_(row) {}

  [[nodiscard]] RawValue value(Role role) const {
    RawValue value{{}, row_.line, {}};
    if (const auto at = header_.at(role)) value.text = row_.fields[*at];
    value.field = header_.field(role);
    return value;
  }
  [[nodiscard]] std::string_view text(Role role) const {
    const auto at = header_.at(role);
    return at ? std::string_view(row_.fields[*at]) : std::string_view();
  }
  [[nodiscard]] RawValue named(const std::string& name) const {
    const auto at = header_.at(name);
    return {at ? row_.fields[*at] : std::string(), row_.line, name};
  }
  [[nodiscard]] std::size_t line() const { return row_.line; }

 private:
  const Header& header_;
  const SourceRow& row_;
};

// Adds what a row says of the pair; of several rows the first that says it counts.
[[nodiscard]] RawRecord with_pair_values(RawRecord raw, const RowView& row);

// A record of one row, without its chains.
[[nodiscard]] RawRecord single(const Header& header, const SourceRow& row);

// With the columns that are kept as they are. One that differs between the rows holds the values of
// all, in order, with kBetweenChains between them.
[[nodiscard]] Assembled with_extra(RawRecord raw, const Header& header,
                                   const std::vector<const SourceRow*>& rows);

// Alpha or beta, by a locus or gene; empty for any other.
[[nodiscard]] std::optional<Chain> chain_named(std::string_view text);

[[nodiscard]] Assembled assemble_iedb(const Header& header, const SourceRow& row);

}  // namespace tcrops::data
