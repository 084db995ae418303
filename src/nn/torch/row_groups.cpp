#include "row_groups.hpp"

#include <string>
#include <unordered_map>

namespace tcrops::nn {
namespace {

// What the network reads of a row, as bytes.
std::string bytes_of(const data::EncodedRows& rows, std::size_t row,
                     const std::vector<FeatureColumn>& columns) {
  std::string bytes;
  for (const FeatureColumn& column : columns) {
    const data::Expansion::Segment& segment = column.segment;
    if (segment.table) {
      const auto* first = rows.codes.data() + row * rows.code_width + segment.first;
      bytes.append(reinterpret_cast<const char*>(first), segment.count);
    } else {
      const auto* first = rows.numbers.data() + row * rows.number_width + segment.first;
      bytes.append(reinterpret_cast<const char*>(first), segment.count * sizeof(float));
    }
  }
  return bytes;
}

}  // namespace

RowGroups group_rows(const data::EncodedRows& rows, const std::vector<FeatureColumn>& columns) {
  RowGroups groups;
  std::unordered_map<std::string, std::size_t> number_of;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const auto [at, is_new] =
        number_of.try_emplace(bytes_of(rows, row, columns), groups.rows.size());
    if (is_new) groups.rows.emplace_back();
    groups.rows[at->second].push_back(static_cast<std::int64_t>(row));
  }
  return groups;
}

}  // namespace tcrops::nn
