#pragma once

#include <tcrops/data/reader.hpp>
#include <tcrops/stages/table_source.hpp>

#include <filesystem>
#include <string>

namespace tcrops::stages {

// Where rows may wait on disk: beside the output file, or, when that is a stream, in the system's
// folder for temporary files.
[[nodiscard]] std::filesystem::path spill_folder(const std::string& output);

// How to read the table; `required`, `used` and `label_rule` are left to the caller. A format whose
// files are named after their epitope takes it from there.
[[nodiscard]] data::ReadOptions read_options(const TableSource& source, const std::string& output);

}  // namespace tcrops::stages
