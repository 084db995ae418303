#include <tcrops/data/record.hpp>

#include <algorithm>

namespace tcrops::data {

std::string tcr_key(const Record& record, std::span<const Column> columns) {
  // The unit separator of ASCII, which no value has.
  constexpr char kBetween = '\x1f';
  std::string key;
  key.reserve(96);
  for (const Column column : columns) {
    key += record[column];
    key += kBetween;
  }
  return key;
}

std::optional<Column> column_named(std::string_view name) {
  const auto at = std::find(kColumnNames.begin(), kColumnNames.end(), name);
  if (at == kColumnNames.end()) return std::nullopt;
  return static_cast<Column>(at - kColumnNames.begin());
}

std::optional<Origin> origin_named(std::string_view name) {
  const auto at = std::find(kOriginNames.begin(), kOriginNames.end(), name);
  if (at == kOriginNames.end()) return std::nullopt;
  return static_cast<Origin>(at - kOriginNames.begin());
}

std::string shown_extra(std::string text) {
  std::replace(text.begin(), text.end(), kBetweenChains, '|');
  return text;
}

}  // namespace tcrops::data
