// From the small integers in which rows are stored to the numbers that a network sees. Whoever
// computes, host or device, follows the same description.
#pragma once

#include <tcrops/data/record.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tcrops::data {

// Many encoded rows in compact form, as they are stored. A row has `code_width` small integers
// (letters or names, 0 = gap) and `number_width` floats; the encoder knows which column is which.
struct EncodedRows {
  std::size_t rows = 0;
  std::size_t code_width = 0;
  std::size_t number_width = 0;
  std::vector<std::uint8_t> codes;  // [rows, code_width], row-major
  std::vector<float> numbers;       // [rows, number_width], row-major
};

// Appends row `row` of `from` to `to`; a `to` without rows takes its widths. Throws Error
// (kArtifact) when they are others.
void append_row(const EncodedRows& from, std::size_t row, EncodedRows& to);

// How a row's codes and numbers become its features.
struct Expansion {
  // What each code stands for: [codes, dims] floats, row-major.
  struct Table {
    std::size_t dims = 0;
    std::vector<float> values;
    // The values are the codes' own numbers: they mean something to an embedding only.
    bool numbered = false;

    [[nodiscard]] std::size_t codes() const { return values.size() / dims; }
  };
  // `count` columns from `first` on, one after the other: codes, each replaced by its row of a
  // table; or numbers, as they are.
  struct Segment {
    std::size_t first = 0;
    std::size_t count = 0;
    std::optional<std::size_t> table;  // in `tables`; none: numbers
  };

  // The part of the features that one column of a record makes. Code 0 is a gap.
  struct Block {
    Column column;
    Segment segment;
  };

  std::size_t code_width = 0;
  std::size_t number_width = 0;
  std::vector<Table> tables;      // each with at least one dimension and at most 256 codes
  std::vector<Segment> segments;  // in the order of the features; neighbours of one table are one
  std::vector<Block> blocks;      // likewise, but one per column; empty when they are not told

  // Widens a row by `count` columns that become the next features.
  void add_codes(std::size_t count, std::size_t table);
  void add_numbers(std::size_t count);
  // The same for a column's part, which becomes a block.
  void add_codes(Column column, std::size_t count, std::size_t table);
  void add_numbers(Column column, std::size_t count);
  // Length of the vector that a network sees.
  [[nodiscard]] std::size_t feature_width() const;
};

// Throws Error (kArtifact) unless the rows have the expansion's widths and every code of rows
// [begin, end) is in its table; (kFailure) when there are no such rows.
void check_rows(const Expansion& expansion, const EncodedRows& rows, std::size_t begin,
                std::size_t end);

// Writes rows [begin, end) as [end - begin, feature_width()] floats, row-major. Throws as
// check_rows, and Error (kFailure) when `out` is of another size.
void expand(const Expansion& expansion, const EncodedRows& rows, std::size_t begin, std::size_t end,
            std::span<float> out);

}  // namespace tcrops::data
