#pragma once

#include <tcrops/core/field_table.hpp>
#include <tcrops/stages/configuration.hpp>

namespace tcrops::stages {

// Section "tune": hyper-parameter search. The table must outlive what it is asked for.
void add_tune(FieldTable& table, TuneConfig& c);
// What no single field can check, and what is wrong with a search space.
[[nodiscard]] Problems tune_problems(const FieldTable& table, const PipelineConfig& config);
// The part of the section that shapes a study: without what its other values make irrelevant.
[[nodiscard]] Json tune_configuration(const PipelineConfig& config);

}  // namespace tcrops::stages
