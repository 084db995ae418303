#pragma once

#include "fitting.hpp"

#include <tcrops/core/problem.hpp>
#include <tcrops/stages/configuration.hpp>

#include <vector>

namespace tcrops::stages {

// The parameters of each member of an ensemble from variants: those of the configuration with what
// ensemble.variants sets otherwise ("network.kernels=both:60;train.weight_decay=0.001"). Throws
// Error (kConfiguration) for what variant_problems() finds.
[[nodiscard]] std::vector<FitParameters> variants_of(const PipelineConfig& config);

// Variants that are missing, that set what is no field of "network" or "train", or values that are
// not valid.
[[nodiscard]] Problems variant_problems(const PipelineConfig& config);

}  // namespace tcrops::stages
