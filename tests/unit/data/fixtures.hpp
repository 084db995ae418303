// Small tables, and the error a call ends with.
#pragma once

#include <tcrops/core/error.hpp>
#include <tcrops/data/record.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::data {

inline std::optional<Error> error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

inline bool fails_with(ExitCode code, const std::string& part, const std::function<void()>& call) {
  const auto error = error_of(call);
  return error && error->code() == code &&
         std::string(error->what()).find(part) != std::string::npos;
}

// The nine of the benchmark.
inline std::vector<Column> all_columns() {
  std::vector<Column> columns;
  for (std::size_t c = 0; c < kBenchmarkColumnCount; ++c) columns.push_back(static_cast<Column>(c));
  return columns;
}

inline Record make_record(const std::string& beta, const std::string& epitope, bool label,
                          const std::string& clone_id = "1.0") {
  Record record;
  record.values = {"CAVF",       beta,    "TRAV1*01", "TRBV2*01",   "TRAJ3*01",
                   "TRBJ1-1*01", epitope, clone_id,   "HLA-A*02:01"};
  record.label = label;
  return record;
}

}  // namespace tcrops::data
