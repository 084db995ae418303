#include "scalar_encoder.hpp"

#include "letters.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
TextGroup group_of(Column column) {
  switch (column) {
    case Column::kCdr3Alpha:
    case Column::kCdr3Beta:
      return TextGroup::kCdr3;
    case Column::kEpitope:
      return TextGroup::kEpitope;
    default:
      return TextGroup::kGene;
  }
}

ScalarEncoder::ScalarEncoder(ScalarFit fit) : fit_(std::move(fit)) {
  const std::size_t letters = fit_.alphabet.size();
  for (std::size_t i = 0; i < letters; ++i) {
    code_of_.at(static_cast<unsigned char>(fit_.alphabet[i])) = static_cast<std::uint8_t>(i + 1);
    value_of_.at(i + 1) =
        static_cast<float>(static_cast<double>(i + 1) / static_cast<double>(letters));
  }
  for (const Column column : fit_.features) code_width_ += width_of(column);
}

std::size_t ScalarEncoder::width_of(Column column) const {
  if (column == Column::kCloneId) return 0;
  return fit_.widths[static_cast<std::size_t>(group_of(column))];
}

std::size_t ScalarEncoder::feature_width() const { return code_width_ + (fit_.clone_id ? 1U : 0U); }

void ScalarEncoder::check_widths(const EncodedRows& rows) const {
  const std::size_t numbers = fit_.clone_id ? 1 : 0;
  if (rows.code_width == code_width_ && rows.number_width == numbers &&
      rows.codes.size() == rows.rows * code_width_ && rows.numbers.size() == rows.rows * numbers) {
    return;
  }
  throw Error(ExitCode::kArtifact,
              fmt::format("encoded rows are {} letters and {} numbers wide, but the encoder makes "
                          "{} and {}; they belong to another encoder",
                          rows.code_width, rows.number_width, code_width_, numbers));
}

std::optional<EncodeFault> ScalarEncoder::text_fault(const Record& record, Column column) const {
  const std::string& text = record[column];
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < code_of_.size() && code_of_[byte] != 0) continue;
    return EncodeFault{column, shown(c) + " did not occur in the data the encoder was fitted on"};
  }
  const std::size_t width = width_of(column);
  if (text.size() <= width) return std::nullopt;
  return EncodeFault{column, fmt::format("has {} letters; the encoder was fitted for at most {}",
                                         text.size(), width)};
}

std::optional<EncodeFault> ScalarEncoder::encode(const Record& record, EncodedRows& out) const {
  std::optional<float> clone_id;
  for (const Column column : fit_.features) {
    if (column != Column::kCloneId) {
      if (auto fault = text_fault(record, column)) return fault;
      continue;
    }
    if (record[column].empty()) return EncodeFault{column, "the value is missing"};
    clone_id = fit_.clone_id->encode(record[column]);
    if (!clone_id) return EncodeFault{column, "is not a number"};
  }
  if (out.rows == 0) {
    out.code_width = code_width_;
    out.number_width = fit_.clone_id ? 1 : 0;
  }
  check_widths(out);
  for (const Column column : fit_.features) {
    const std::size_t begin = out.codes.size();
    out.codes.resize(begin + width_of(column), 0);
    if (column == Column::kCloneId) continue;
    std::transform(record[column].begin(), record[column].end(),
                   out.codes.begin() + static_cast<std::ptrdiff_t>(begin),
                   [this](char c) { return code_of_[static_cast<unsigned char>(c)]; });
  }
  if (clone_id) out.numbers.push_back(*clone_id);
  ++out.rows;
  return std::nullopt;
}

Record ScalarEncoder::decode(const EncodedRows& rows, std::size_t row) const {
  check_widths(rows);
  if (row >= rows.rows) {
    throw Error(ExitCode::kFailure, fmt::format("row {} of {} encoded rows", row, rows.rows));
  }
  Record record;
  std::size_t at = row * code_width_;
  for (const Column column : fit_.features) {
    if (column == Column::kCloneId) {
      record[column] = fit_.clone_id->decode(rows.numbers[row]);
      continue;
    }
    const std::size_t end = at + width_of(column);
    for (std::size_t i = at; i < end && rows.codes[i] != 0; ++i) {
      if (rows.codes[i] > fit_.alphabet.size()) {
        throw Error(ExitCode::kArtifact, fmt::format("encoded row {}: letter number {} is not in "
                                                     "the alphabet",
                                                     row, rows.codes[i]));
      }
      record[column] += fit_.alphabet[rows.codes[i] - 1U];
    }
    at = end;
  }
  return record;
}

void ScalarEncoder::expand(const EncodedRows& rows, std::size_t begin, std::size_t end,
                           std::span<float> out) const {
  check_widths(rows);
  if (begin > end || end > rows.rows || out.size() != (end - begin) * feature_width()) {
    throw Error(ExitCode::kFailure, fmt::format("cannot expand rows {} to {} of {} into {} numbers",
                                                begin, end, rows.rows, out.size()));
  }
  auto to = out.begin();
  auto from = rows.codes.begin() + static_cast<std::ptrdiff_t>(begin * code_width_);
  for (std::size_t row = begin; row < end; ++row) {
    for (const Column column : fit_.features) {
      if (column == Column::kCloneId) {
        *to++ = rows.numbers[row];
        continue;
      }
      const auto stop = from + static_cast<std::ptrdiff_t>(width_of(column));
      to = std::transform(from, stop, to, [this](std::uint8_t code) { return value_of_[code]; });
      from = stop;
    }
  }
}

}  // namespace tcrops::data
