#include "residue_encoder.hpp"

#include "letters.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
namespace {

constexpr std::uint8_t kUnknown = 1;
constexpr std::uint8_t kFirstName = 2;

std::uint8_t code_of_name(const std::vector<std::string>& names, const std::string& text) {
  if (text.empty()) return 0;
  const auto at = std::lower_bound(names.begin(), names.end(), text);
  if (at == names.end() || *at != text) return kUnknown;
  return static_cast<std::uint8_t>(kFirstName + (at - names.begin()));
}

const std::string& name_of(const std::vector<std::string>& names, std::uint8_t code) {
  const auto number = static_cast<std::size_t>(code - kFirstName);
  if (number < names.size()) return names[number];
  throw Error(ExitCode::kArtifact,
              fmt::format("encoded rows hold the name number {} of {}", number + 1, names.size()));
}

// Missing and unknown as zeros, each name as one of the ones; or, for an embedding, the code.
Expansion::Table name_table(std::size_t names, bool as_numbers) {
  Expansion::Table table{.dims = as_numbers ? 1 : names, .values = {}, .numbered = as_numbers};
  for (std::size_t code = 0; code < names + kFirstName; ++code) {
    if (as_numbers) {
      table.values.push_back(static_cast<float>(code));
      continue;
    }
    for (std::size_t name = 0; name < names; ++name)
      table.values.push_back(code == name + kFirstName ? 1.0F : 0.0F);
  }
  return table;
}

}  // namespace

ResidueEncoder::ResidueEncoder(ResidueFit fit) : fit_(std::move(fit)) {
  for (std::size_t i = 0; i < kAminoAcids.size(); ++i)
    code_of_.at(static_cast<unsigned char>(kAminoAcids[i])) = static_cast<std::uint8_t>(i + 1);
  expansion_.tables.push_back(fit_.letters);
  expansion_.tables.back().numbered = fit_.name == "learned";
  for (const Column column : fit_.features) add_to_expansion(column);
}

void ResidueEncoder::add_to_expansion(Column column) {
  if (is_sequence(column)) {
    expansion_.add_codes(column, width_of(column), 0);
    return;
  }
  const std::size_t names = fit_.names.at(column).size();
  if (names == 0) {  // nothing to tell a network, but the rows keep their form
    expansion_.code_width += 1;
    return;
  }
  expansion_.tables.push_back(name_table(names, fit_.name == "learned"));
  expansion_.add_codes(column, 1, expansion_.tables.size() - 1);
}

std::size_t ResidueEncoder::width_of(Column column) const {
  return is_sequence(column) ? fit_.widths[static_cast<std::size_t>(group_of(column))] : 1;
}

std::optional<EncodeFault> ResidueEncoder::fault_of(const Record& record, Column column) const {
  const std::string& text = record[column];
  if (!is_sequence(column)) return length_fault(column, text.size(), kLongestText);
  for (const char c : text) {
    if (code_of_[static_cast<unsigned char>(c)] == 0)
      return EncodeFault{column, shown(c) + " is not an amino acid"};
  }
  return length_fault(column, text.size(), width_of(column));
}

std::optional<EncodeFault> ResidueEncoder::encode(const Record& record, EncodedRows& out) const {
  std::span<std::uint8_t> places = append_zeros(expansion_.code_width, 0, out);
  for (const Column column : fit_.features) {
    const std::size_t width = width_of(column);
    if (!write(record[column], column, places.first(width))) {
      drop_last_row(out);
      return fault_of(record, column);
    }
    places = places.subspan(width);
  }
  return std::nullopt;
}

bool ResidueEncoder::write(const std::string& text, Column column,
                           std::span<std::uint8_t> places) const {
  if (is_sequence(column)) return place_codes(text, code_of_, fit_.padding, places);
  if (text.size() > kLongestText) return false;
  places.front() = code_of_name(fit_.names.at(column), text);
  return true;
}

Record ResidueEncoder::decode(const EncodedRows& rows, std::size_t row) const {
  check_rows(expansion_, rows, row, row + 1);
  Record record;
  auto codes = std::span(rows.codes).subspan(row * rows.code_width, rows.code_width);
  for (const Column column : fit_.features) {
    for (const std::uint8_t code : codes.first(width_of(column))) {
      if (is_sequence(column)) {
        if (code != 0) record[column] += kAminoAcids[code - 1U];
      } else if (code >= kFirstName) {
        record[column] = name_of(fit_.names.at(column), code);
      }
    }
    codes = codes.subspan(width_of(column));
  }
  return record;
}

std::optional<EncodeFault> ResidueEncoder::why_not_invertible(const EncodedRows& rows,
                                                              std::size_t row) const {
  check_rows(expansion_, rows, row, row + 1);
  const std::uint8_t* code = rows.codes.data() + row * rows.code_width;
  for (const Column column : fit_.features) {
    if (!is_sequence(column) && *code == kUnknown) {
      return EncodeFault{column,
                         "the name was not among those the encoder was fitted on; it is "
                         "encoded as unknown"};
    }
    code += width_of(column);
  }
  return std::nullopt;
}

}  // namespace tcrops::data
