#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::nn {

// A feed-forward network, fully written out, so that a stored model needs no code that knows how it
// was derived: layer i maps widths[i] to widths[i+1]; between layers stand batch normalisation (if
// set) and the activation; the last layer is bare and gives one logit.
struct ModelSpec {
  std::string architecture;  // "mlp_small", "mlp_medium", "mlp_large"
  std::vector<std::int64_t> widths;
  std::string activation;  // "relu" or "elu"
  bool batch_norm = false;

  [[nodiscard]] std::int64_t parameters() const;  // trained numbers
};

// Names of the paper's three nets, smallest first.
[[nodiscard]] const std::vector<std::string>& architecture_names();

// The nets of Felbrich 2025, section 5. mlp_small: three linear layers (inputs, /2, /4) with ReLU.
// mlp_medium: 12 blocks Linear-BatchNorm-ELU, each ten narrower, the last a bare Linear to 1;
// mlp_large: 24 blocks, each five narrower. Where `inputs` is too small for that step, the step
// shrinks so that widths still fall evenly and stay positive. Throws Error (kConfiguration) for an
// unknown name or inputs < 4.
[[nodiscard]] ModelSpec make_spec(const std::string& architecture, std::int64_t inputs);

[[nodiscard]] Json to_json(const ModelSpec& spec);
// Throws Error (kArtifact) when a key is missing or a value makes no sense.
[[nodiscard]] ModelSpec spec_from_json(const Json& json);

}  // namespace tcrops::nn
