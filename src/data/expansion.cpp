#include <tcrops/core/error.hpp>
#include <tcrops/data/expansion.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
namespace {

std::ptrdiff_t offset(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

void check_widths(const Expansion& expansion, const EncodedRows& rows) {
  if (rows.code_width == expansion.code_width && rows.number_width == expansion.number_width &&
      rows.codes.size() == rows.rows * rows.code_width &&
      rows.numbers.size() == rows.rows * rows.number_width) {
    return;
  }
  throw Error(ExitCode::kArtifact,
              fmt::format("encoded rows are {} letters and {} numbers wide, but the encoder makes "
                          "{} and {}; they belong to another encoder",
                          rows.code_width, rows.number_width, expansion.code_width,
                          expansion.number_width));
}

// The largest code that each column may hold.
std::vector<std::uint8_t> largest_codes(const Expansion& expansion) {
  std::vector<std::uint8_t> largest(expansion.code_width, 255);
  for (const Expansion::Segment& segment : expansion.segments) {
    if (!segment.table) continue;
    const std::size_t codes = expansion.tables[*segment.table].codes();
    std::fill_n(largest.begin() + offset(segment.first), segment.count,
                static_cast<std::uint8_t>(codes - 1));
  }
  return largest;
}

// Of rows from `begin` on of which one has a code that is not in its table.
[[noreturn]] void fail_in(const Expansion& expansion, const EncodedRows& rows, std::size_t begin) {
  const std::vector<std::uint8_t> largest = largest_codes(expansion);
  std::size_t at = begin * rows.code_width;
  while (rows.codes[at] <= largest[at % rows.code_width]) ++at;
  throw Error(ExitCode::kArtifact,
              fmt::format("encoded row {}: letter number {} is not in the alphabet",
                          at / rows.code_width, rows.codes[at]));
}

// Without leaving early, which compilers turn into vector instructions.
std::uint8_t largest_of(std::span<const std::uint8_t> codes) {
  std::uint8_t largest = 0;
  for (const std::uint8_t code : codes) largest = code > largest ? code : largest;
  return largest;
}

bool are_in_table(const Expansion& expansion, const Expansion::Segment& segment,
                  const EncodedRows& rows, std::size_t begin, std::size_t end) {
  const std::size_t codes = expansion.tables[*segment.table].codes();
  const auto all =
      std::span(rows.codes).subspan(begin * rows.code_width, (end - begin) * rows.code_width);
  if (segment.count == rows.code_width) return all.empty() || largest_of(all) < codes;
  for (std::size_t first = segment.first; first < all.size(); first += rows.code_width) {
    if (largest_of(all.subspan(first, segment.count)) >= codes) return false;
  }
  return true;
}

float* look_up(const Expansion::Table& table, std::span<const std::uint8_t> codes, float* to) {
  if (table.dims == 1) {
    const float* values = table.values.data();
    return std::transform(codes.begin(), codes.end(), to,
                          [values](std::uint8_t code) { return values[code]; });
  }
  for (const std::uint8_t code : codes)
    to = std::copy_n(table.values.begin() + offset(code * table.dims), table.dims, to);
  return to;
}

}  // namespace

void append_row(const EncodedRows& from, std::size_t row, EncodedRows& to) {
  if (to.rows == 0) {
    to.code_width = from.code_width;
    to.number_width = from.number_width;
  }
  if (to.code_width != from.code_width || to.number_width != from.number_width) {
    throw Error(ExitCode::kArtifact,
                fmt::format("a row of {} letters and {} numbers among rows of {} and {}; they "
                            "belong to another encoder",
                            from.code_width, from.number_width, to.code_width, to.number_width));
  }
  const auto code = from.codes.begin() + offset(row * from.code_width);
  const auto number = from.numbers.begin() + offset(row * from.number_width);
  to.codes.insert(to.codes.end(), code, code + offset(from.code_width));
  to.numbers.insert(to.numbers.end(), number, number + offset(from.number_width));
  ++to.rows;
}

void Expansion::add_codes(std::size_t count, std::size_t table) {
  const bool joins = !segments.empty() && segments.back().table == table &&
                     segments.back().first + segments.back().count == code_width;
  if (joins)
    segments.back().count += count;
  else if (count > 0)
    segments.push_back({code_width, count, table});
  code_width += count;
}

void Expansion::add_numbers(std::size_t count) {
  if (count > 0) segments.push_back({number_width, count, std::nullopt});
  number_width += count;
}

void Expansion::add_codes(Column column, std::size_t count, std::size_t table) {
  if (count > 0) blocks.push_back({column, {code_width, count, table}});
  add_codes(count, table);
}

void Expansion::add_numbers(Column column, std::size_t count) {
  if (count > 0) blocks.push_back({column, {number_width, count, std::nullopt}});
  add_numbers(count);
}

std::size_t Expansion::feature_width() const {
  std::size_t width = 0;
  for (const Segment& segment : segments)
    width += segment.count * (segment.table ? tables[*segment.table].dims : 1);
  return width;
}

void check_rows(const Expansion& expansion, const EncodedRows& rows, std::size_t begin,
                std::size_t end) {
  check_widths(expansion, rows);
  if (begin > end || end > rows.rows) {
    throw Error(ExitCode::kFailure,
                fmt::format("rows {} to {} of {} encoded rows", begin, end, rows.rows));
  }
  for (const Expansion::Segment& segment : expansion.segments) {
    if (segment.table && !are_in_table(expansion, segment, rows, begin, end))
      fail_in(expansion, rows, begin);
  }
}

void expand(const Expansion& expansion, const EncodedRows& rows, std::size_t begin, std::size_t end,
            std::span<float> out) {
  check_rows(expansion, rows, begin, end);
  if (out.size() != (end - begin) * expansion.feature_width()) {
    throw Error(ExitCode::kFailure, fmt::format("cannot expand rows {} to {} of {} into {} numbers",
                                                begin, end, rows.rows, out.size()));
  }
  float* to = out.data();
  for (std::size_t row = begin; row < end; ++row) {
    const auto codes = std::span(rows.codes).subspan(row * rows.code_width, rows.code_width);
    const auto numbers =
        std::span(rows.numbers).subspan(row * rows.number_width, rows.number_width);
    for (const Expansion::Segment& segment : expansion.segments) {
      if (segment.table) {
        to = look_up(expansion.tables[*segment.table], codes.subspan(segment.first, segment.count),
                     to);
      } else {
        to = std::copy_n(numbers.begin() + offset(segment.first), segment.count, to);
      }
    }
  }
}

}  // namespace tcrops::data
