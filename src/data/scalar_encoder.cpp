#include "scalar_encoder.hpp"

#include "letters.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {

ScalarEncoder::ScalarEncoder(ScalarFit fit) : fit_(std::move(fit)) {
  const std::size_t letters = fit_.alphabet.size();
  Expansion::Table table{.dims = 1, .values = {0.0F}};  // k -> k/n
  for (std::size_t i = 0; i < letters; ++i) {
    code_of_.at(static_cast<unsigned char>(fit_.alphabet[i])) = static_cast<std::uint8_t>(i + 1);
    table.values.push_back(
        static_cast<float>(static_cast<double>(i + 1) / static_cast<double>(letters)));
  }
  expansion_.tables.push_back(std::move(table));
  for (const Column column : fit_.features) {
    places_.push_back(
        {column, width_of(column), is_sequence(column) ? fit_.padding : Padding::kEnd});
    if (column == Column::kCloneId)
      expansion_.add_numbers(column, 1);
    else
      expansion_.add_codes(column, width_of(column), 0);
  }
}

std::size_t ScalarEncoder::width_of(Column column) const {
  if (column == Column::kCloneId) return 0;
  return fit_.widths[static_cast<std::size_t>(group_of(column))];
}

std::optional<EncodeFault> ScalarEncoder::text_fault(const Record& record, Column column) const {
  const std::string& text = record[column];
  for (const char c : text) {
    if (code_of_[static_cast<unsigned char>(c)] != 0) continue;
    return EncodeFault{column, shown(c) + " did not occur in the data the encoder was fitted on"};
  }
  return length_fault(column, text.size(), width_of(column));
}

std::optional<EncodeFault> ScalarEncoder::write(const Record& record,
                                                std::span<std::uint8_t> places,
                                                std::span<float> numbers) const {
  for (const auto& [column, width, padding] : places_) {
    const std::string& text = record[column];
    if (column == Column::kCloneId) {
      if (text.empty()) return EncodeFault{column, "the value is missing"};
      const auto number = fit_.clone_id->encode(text);
      if (!number) return EncodeFault{column, "is not a number"};
      numbers.front() = *number;
      continue;
    }
    if (!place_codes(text, code_of_, padding, places.first(width)))
      return text_fault(record, column);
    places = places.subspan(width);
  }
  return std::nullopt;
}

std::optional<EncodeFault> ScalarEncoder::encode(const Record& record, EncodedRows& out) const {
  const auto places = append_zeros(expansion_.code_width, expansion_.number_width, out);
  auto fault = write(record, places, std::span(out.numbers).last(expansion_.number_width));
  if (fault) drop_last_row(out);
  return fault;
}

Record ScalarEncoder::decode(const EncodedRows& rows, std::size_t row) const {
  check_rows(expansion_, rows, row, row + 1);
  Record record;
  auto codes = std::span(rows.codes).subspan(row * rows.code_width, rows.code_width);
  for (const Column column : fit_.features) {
    if (column == Column::kCloneId) {
      record[column] = fit_.clone_id->decode(rows.numbers[row]);
      continue;
    }
    for (const std::uint8_t code : codes.first(width_of(column))) {
      if (code != 0) record[column] += fit_.alphabet[code - 1U];
    }
    codes = codes.subspan(width_of(column));
  }
  return record;
}

std::optional<EncodeFault> ScalarEncoder::why_not_invertible(const EncodedRows& rows,
                                                             std::size_t row) const {
  check_rows(expansion_, rows, row, row + 1);
  return std::nullopt;
}

}  // namespace tcrops::data
