#include "grouped_rows.hpp"

#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/text.hpp>

#include <cstring>

namespace tcrops::data {
namespace {

constexpr std::size_t kNumberBytes = 8;

std::string pack(std::span<const std::string_view> fields) {
  std::string bytes;
  for (const std::string_view field : fields) {
    const auto size = static_cast<std::uint32_t>(field.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes += field;
  }
  return bytes;
}

std::vector<std::string> unpack(std::string_view bytes) {
  std::vector<std::string> fields;
  while (!bytes.empty()) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof(size));
    fields.emplace_back(bytes.substr(sizeof(size), size));
    bytes.remove_prefix(sizeof(size) + size);
  }
  return fields;
}

// The line number at the end of a key.
std::string_view line_part(std::string_view key) { return key.substr(key.size() - kNumberBytes); }
std::string_view first_part(std::string_view key) {
  return key.substr(0, key.size() - kNumberBytes);
}

}  // namespace

GroupedRows::GroupedRows(const Header& header, const std::filesystem::path& folder,
                         std::size_t memory_bytes)
    : header_(header), by_group_(folder, memory_bytes), by_first_(folder, memory_bytes) {}

// A row without a cell, of VDJdb's complex 0, or with too few or too many fields is alone.
std::string GroupedRows::group_of(const RowText& row) const {
  if (row.fields.size() != header_.names.size()) return {};
  const auto at = header_.at(Role::kGroup);
  const std::string_view group = at ? trim(row.fields[*at]) : std::string_view();
  if (is_missing(group) || group == header_.format->ungrouped) return {};
  std::string key = "g";
  key.append(group);
  for (const std::size_t sample : header_.samples) {
    key.append(1, '\x1f').append(trim(row.fields[sample]));
  }
  return key;
}

void GroupedRows::add(const RowText& row) {
  const std::string line = sortable(row.line);
  const std::string group = group_of(row);
  if (group.empty()) {
    by_first_.add(line + line, pack(row.fields));
  } else {
    by_group_.add(group + '\x1e' + line, pack(row.fields));
  }
}

void GroupedRows::order_groups() {
  ordered_ = true;
  std::string group;
  std::string first;
  std::size_t rows = 0;
  while (const auto entry = by_group_.next()) {
    if (++rows % 4096 == 0) check_interrupt();
    if (first.empty() || first_part(entry->key) != group) {
      group = first_part(entry->key);
      first = line_part(entry->key);
    }
    by_first_.add(first + std::string(line_part(entry->key)), entry->value);
  }
  ahead_ = by_first_.next();
}

std::vector<SourceRow> GroupedRows::next() {
  if (!ordered_) order_groups();
  std::vector<SourceRow> rows;
  std::string first;
  while (ahead_ && (rows.empty() || first_part(ahead_->key) == first)) {
    if (rows.empty()) first = first_part(ahead_->key);
    rows.push_back({unsortable(line_part(ahead_->key)), unpack(ahead_->value)});
    ahead_ = by_first_.next();
  }
  return rows;
}

}  // namespace tcrops::data
