#pragma once

#include <tcrops/core/field_table.hpp>
#include <tcrops/stages/configuration.hpp>

namespace tcrops::stages {

// Section "fetch": where the raw data come from.
void add_fetch(FieldTable& table, FetchConfig& c);
// Section "synthetic": the made-up repertoire.
void add_synthetic(FieldTable& table, SyntheticConfig& c);
// What no single field can check.
[[nodiscard]] Problems fetch_problems(const FieldTable& table, const PipelineConfig& config);

}  // namespace tcrops::stages
