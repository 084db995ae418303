#pragma once

#include "model.hpp"

#include <tcrops/nn/device.hpp>

#include <string>

namespace tcrops::stages {

struct GoldenCheck {
  bool bit_equal = true;
  std::string problem;  // empty: as in training
};

// Scores the golden rows. On the backend class that made the model they must get the same bits, on
// another one a logit at most 1e-5 away. Throws Error (kArtifact) when they cannot be read.
[[nodiscard]] GoldenCheck check_golden(const store::Store& store, const Model& model,
                                       const nn::Device& device);

}  // namespace tcrops::stages
