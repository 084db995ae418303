// What a file says of a pair, before it is made canonical.
#pragma once

#include "header.hpp"

#include <tcrops/data/cleaning.hpp>
#include <tcrops/data/reader.hpp>

#include <string>
#include <vector>

namespace tcrops::data {

// A text, and where it stands for reports.
struct RawValue {
  std::string text;
  std::size_t line = 0;
  std::string field;
};

struct RawChain {
  RawValue cdr3;
  Cdr3Form form = Cdr3Form::kWhole;
  RawValue cdr1;
  RawValue cdr2;
  RawValue v;
  RawValue j;
};

struct RawRecord {
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
  std::vector<std::string> extra;
};

// Rows of one record put together: the chain of each kind with the most UMIs, and notes for the
// rows that were left out. Empty record: no row could be used.
struct Assembled {
  std::optional<RawRecord> record;
  std::vector<Note> notes;
};
[[nodiscard]] Assembled assemble(const Header& header, const std::vector<SourceRow>& rows);

// The canonical record, or why there is none; notes are added to `result.notes`.
[[nodiscard]] ReadResult make_canonical(const RawRecord& raw, const FormatSpec& format,
                                        const ReadOptions& options);

}  // namespace tcrops::data
