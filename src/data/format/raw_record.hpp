// What a file says of a pair, before it is made canonical.
#pragma once

#include "header.hpp"

#include <tcrops/data/cleaning.hpp>
#include <tcrops/data/reader.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// A row as it stands in the file; the texts are somebody else's.
struct RowText {
  std::size_t line = 0;
  std::span<const std::string_view> fields;
};

// A text, and where it stands for reports. It lies in a row, its field in the header.
struct RawValue {
  std::string_view text;
  std::size_t line = 0;
  std::string_view field;
};

struct RawChain {
  RawValue cdr3;
  Cdr3Form form = Cdr3Form::kWhole;
  RawValue cdr1;
  RawValue cdr2;
  RawValue v;
  RawValue j;
};

class RowView;

struct RawRecord {
  // Adds what a row says of the pair; of several rows the first that says it counts.
  void take_pair_values(const RowView& row);
  // Takes the columns that are kept as they are. One that differs between the rows holds the values
  // of all, in order, with kBetweenChains between them. Returns notes.
  [[nodiscard]] std::vector<Note> take_extra(const Header& header,
                                             std::span<const RowText* const> rows);

  std::size_t line = 0;
  RawChain alpha;
  RawChain beta;
  RawValue epitope;
  RawValue mhc;
  RawValue mhc_second;
  RawValue clone_id;
  RawValue label;
  RawValue origin;
  RawValue fold;
  RawValue species;
  std::string both_species;  // of two rows that name different ones, "|" between; goes before
  std::vector<std::string> extra;
};

// Rows of one record put together: the chain of each kind with the most UMIs, and notes for the
// rows that were left out. Empty record: no row could be used. Valid as long as header and rows.
struct Assembled {
  std::optional<RawRecord> record;
  std::vector<Note> notes;
};
[[nodiscard]] Assembled assemble(const Header& header, std::span<const RowText> rows);

// The canonical record, or why there is none, with the notes there were and more.
[[nodiscard]] ReadResult make_canonical(Assembled&& assembled, const FormatSpec& format,
                                        const ReadOptions& options);

}  // namespace tcrops::data
