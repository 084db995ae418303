#pragma once

#include <tcrops/core/field_table.hpp>

#include <cstdint>

namespace tcrops::stages {

// The section `evaluate` of a pipeline file. It has a seed of its own, so that models of pipelines
// with different seeds are judged alike.
struct EvaluateConfig {
  std::int64_t resamples = 1000;
  std::int64_t seed = 42;
};

void add_evaluate(FieldTable& table, EvaluateConfig& c);

}  // namespace tcrops::stages
