#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace tcrops::data {

// A table in memory: names of columns, and rows of one text for each. A CSV file of it, as
// append_csv writes it, would be read as what stands here: are_plain_names() and is_plain_value()
// hold. Moving it leaves its texts where they are.
class TextTable {
 public:
  TextTable() = default;
  ~TextTable() = default;
  TextTable(TextTable&&) noexcept = default;
  TextTable& operator=(TextTable&&) noexcept = default;
  TextTable(const TextTable&) = delete;
  TextTable& operator=(const TextTable&) = delete;

  std::vector<char> bytes;               // in which the texts lie, unless they are someone else's
  std::vector<std::string_view> names;   // at least one
  std::vector<std::string_view> fields;  // row after row

  [[nodiscard]] std::size_t rows() const { return fields.size() / names.size(); }
  [[nodiscard]] std::span<const std::string_view> row(std::size_t row) const {
    return std::span(fields).subspan(row * names.size(), names.size());
  }
};

// Longer ones could make a record that is longer than CsvReader takes.
inline constexpr std::size_t kLongestPlainText = 1000;
inline constexpr std::size_t kMostPlainColumns = 256;

// Whether a CSV file would give these names back: printable ASCII without quotes and what may be
// taken for a separator, and not too many or too long.
[[nodiscard]] bool are_plain_names(std::span<const std::string_view> names);
// Likewise a value; one with a line end would move the lines behind it.
[[nodiscard]] bool is_plain_value(std::string_view value);

}  // namespace tcrops::data
