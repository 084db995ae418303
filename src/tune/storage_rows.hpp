#pragma once

#include <tcrops/tune/storage.hpp>

#include <string>
#include <string_view>

namespace tcrops::tune {

// The tables of a study and how their rows are read.

// Makes the tables where they are absent. Throws Error (kArtifact) for those of a newer program.
void make_tables(db::Database& database);
[[nodiscard]] bool has_tables(db::Database& database);

// Columns of tcrops_trial as trial_record() reads them.
extern const std::string_view kTrialColumns;
// The record and, where it is running, its token; without reports.
struct TrialRow {
  TrialRecord record;
  std::string token;
};
[[nodiscard]] TrialRow trial_row(const db::Row& row, const Space& space);

// Columns number, step, value, decision, event of tcrops_report.
struct ReportRow {
  std::int64_t number = 0;
  Report report;
  std::optional<Decision> decision;
  std::int64_t event = 0;
};
[[nodiscard]] ReportRow report_row(const db::Row& row);
// Adds it to its trial, and to the decision that ended it.
void add_report(const ReportRow& row, TrialRecord& record);

// What stands in the column outcome.
[[nodiscard]] Json outcome_json(const Trial& trial);

}  // namespace tcrops::tune
