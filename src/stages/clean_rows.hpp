#pragma once

#include "stage.hpp"

#include <tcrops/data/cleaning.hpp>
#include <tcrops/data/record.hpp>

#include <string>
#include <vector>

namespace tcrops::stages {

// The rows of a raw artifact as canonical records, and the story of how they became so.
struct CleanRows {
  std::vector<data::Record> pairs;
  std::vector<data::Record> controls;  // TCRs without epitope
  std::vector<data::Record> measured;  // pairs found not to bind
  std::vector<data::Record> tests;     // of a table of its own to test on
  // Binding pairs that are no rows of the dataset (too unsure, say), but no negatives either.
  std::vector<data::Record> known;
  std::vector<std::string> extra_names;  // of all records' extra
  Json rules = Json::array();            // of a source with rules of its own
  data::CleaningCounts counts;
  std::string report;                     // CSV, data::kReportHeader
  std::size_t rows = 0;                   // read from the files
  std::size_t repeated = 0;               // pairs that repeat one before
  std::size_t contradicting = 0;          // pairs that have the other label of one before
  std::size_t near_test = 0;              // rows left out, because near those of `tests`
  std::vector<std::string> first_faults;  // up to three refusals, for a message
};

// Columns that a row must have: the features but for the optional ones, and the epitope, which
// split and baselines need.
[[nodiscard]] std::vector<data::Column> required_columns(const PreprocessConfig& config);
// In column order and each once, however the configuration lists them.
[[nodiscard]] std::vector<data::Column> feature_columns(const PreprocessConfig& config);
// What makes two TCRs the same to the model: the TCR columns among its features.
[[nodiscard]] std::vector<data::Column> identity_columns(const PreprocessConfig& config);

// Files are named in the report as in the raw artifact, so that equal raw data give equal reports.
// Throws Error (kInputData) for a table that cannot be read, or without a usable row, and when
// preprocess.minimum_confidence is set but no row has a score.
[[nodiscard]] CleanRows clean_rows(const StageContext& context);

}  // namespace tcrops::stages
