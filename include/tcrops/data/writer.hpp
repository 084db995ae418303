// Writes canonical records in the formats that other tools read.
#pragma once

#include <tcrops/data/record.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// "airr": Rearrangement TSV, one row per chain that has a CDR3; `tcrops_record` numbers the
// records, and epitope, mhc, label, negative_origin and fold are custom columns. "benchmark": CSV
// with the ten columns of the ePytope-TCR benchmark, then loops, Origin and Fold.
[[nodiscard]] const std::vector<std::string>& writable_formats();

// Extra columns follow those of the format; one that has the name of such a column gets the prefix
// "input_", except in AIRR where it fills a column that tcrops has no value for (sequence_id,
// cell_id, umi_count, …). Values in which a reader found two chains to differ are parted again.
class RecordWriter {
 public:
  // Throws Error (kUsage) for an unknown format.
  RecordWriter(std::string_view format, const std::vector<std::string>& extra_names);

  [[nodiscard]] std::string header() const;
  // One record as one or two lines. Records are numbered from 1 in the order of the calls.
  [[nodiscard]] std::string lines(const Record& record);

 private:
  [[nodiscard]] std::string airr_lines(const Record& record);

  bool is_airr_;
  std::vector<std::string> names_;
  std::vector<std::size_t> extra_at_;  // per extra column its place among names_
  std::uint64_t records_ = 0;
};

}  // namespace tcrops::data
