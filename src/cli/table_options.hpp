#pragma once

#include "session.hpp"

#include <tcrops/stages/table_source.hpp>

#include <string>
#include <vector>

namespace tcrops::cli {

// How to read a table of the user's, from the command line.
struct TableOptions {
  std::vector<std::string> map;  // COLUMN=THEIRS
  stages::TableSource source;

  // Throws Error (kUsage) for an assignment that is none, or given twice.
  [[nodiscard]] stages::TableSource resolved() const;
};

// Adds --format, --map, --epitope and --mhc.
void add_table_options(CLI::App& app, TableOptions& options);

}  // namespace tcrops::cli
