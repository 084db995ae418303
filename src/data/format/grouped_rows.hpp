#pragma once

#include "raw_record.hpp"

#include <tcrops/data/external_sort.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::data {

// Brings the rows of one cell or complex together, wherever they stand in the file, and gives the
// groups back in order of their first rows. Memory does not grow with the file.
class GroupedRows {
 public:
  // Holds up to about `memory_bytes`, twice; the rest waits in `folder`.
  GroupedRows(const Header& header, const std::filesystem::path& folder, std::size_t memory_bytes);

  // Not after next().
  void add(const RowText& row);
  // Empty at the end.
  [[nodiscard]] std::vector<SourceRow> next();

 private:
  [[nodiscard]] std::string group_of(const RowText& row) const;
  void order_groups();

  const Header& header_;
  ExternalSort by_group_;  // group, line -> row
  ExternalSort by_first_;  // first line of the group, line -> row
  std::optional<ExternalSort::Entry> ahead_;
  bool ordered_ = false;
};

}  // namespace tcrops::data
