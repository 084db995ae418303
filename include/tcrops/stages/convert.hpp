#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/cleaning.hpp>
#include <tcrops/stages/table_source.hpp>

#include <cstdint>
#include <string>

namespace tcrops::stages {

struct ConvertOptions {
  TableSource input;
  std::string output = "-";      // as BatchPredictOptions::output; "" writes no table
  std::string to = "benchmark";  // one of data::writable_formats()
  std::string report;            // file for every note; "" none
  std::string profile;           // file for the profile of the records; "" none
  bool strict = false;           // any refused or changed row ends the command; no file is written
};

struct ConvertResult {
  std::string format;  // of the input
  std::uint64_t rows = 0;
  std::uint64_t records = 0;
  std::uint64_t refused_rows = 0;
  std::uint64_t changed_rows = 0;
  data::CleaningCounts cleaning;
};

// Reads a table of any size and format, cleans it, and writes the canonical records, in bounded
// memory. Records keep the order of their first rows. Throws Error: kInputData for an unreadable
// table, one without a usable row, and under `strict`.
[[nodiscard]] ConvertResult convert(const ConvertOptions& options);

}  // namespace tcrops::stages
