#pragma once

#include "prelude.hpp"

#include <tcrops/nn/tensor_file.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::nn {

// One tensor of a network's state, shared with the network.
struct StateTensor {
  std::string name;
  at::Tensor tensor;
};
// Parameters, then buffers, module after module.
[[nodiscard]] std::vector<StateTensor> state_of(const torch::nn::Module& module);

// Copies to the CPU, from whatever device.
[[nodiscard]] std::vector<Tensor> export_tensors(std::span<const StateTensor> state);
// Copies `given` into the tensors of `state`, one by one. Throws Error (kArtifact), which begins
// with `what`, when names, types or shapes differ, before anything is changed.
void import_tensors(std::span<const StateTensor> state, std::span<const Tensor> given,
                    std::string_view what);

// The same for the whole state of a network.
[[nodiscard]] std::vector<Tensor> export_state(const torch::nn::Module& module);
void import_state(const torch::nn::Module& module, std::span<const Tensor> weights);

}  // namespace tcrops::nn
