#pragma once

#include "prelude.hpp"

#include <tcrops/nn/model_spec.hpp>
#include <tcrops/nn/tensor_file.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::nn {

// The layers of `spec` on the CPU: Linear, BatchNorm1d if set, activation; the last Linear is bare.
// The weights are arbitrary.
[[nodiscard]] torch::nn::Sequential build_layers(const ModelSpec& spec);

// Weights as PyTorch initialises them: Linear uniform within 1/sqrt(inputs), batch normalisation
// the identity. Layer i takes its numbers from Rng(seed, "init", i), so networks made at the same
// time in several threads do not share a generator.
void initialise(torch::nn::Sequential& layers, std::uint64_t seed);

// One tensor of a network's state, shared with the network.
struct StateTensor {
  std::string name;
  at::Tensor tensor;
};
// Parameters, then buffers, layer after layer.
[[nodiscard]] std::vector<StateTensor> state_of(const torch::nn::Sequential& layers);

// Copies to the CPU, from whatever device.
[[nodiscard]] std::vector<Tensor> export_tensors(std::span<const StateTensor> state);
// Copies `given` into the tensors of `state`, one by one. Throws Error (kArtifact), which begins
// with `what`, when names, types or shapes differ, before anything is changed.
void import_tensors(std::span<const StateTensor> state, std::span<const Tensor> given,
                    std::string_view what);

// The same for the whole state of a network.
[[nodiscard]] std::vector<Tensor> export_state(const torch::nn::Sequential& layers);
void import_state(torch::nn::Sequential& layers, std::span<const Tensor> weights);

}  // namespace tcrops::nn
