#pragma once

#include <tcrops/nn/core.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tcrops::nn {

// A network as it is kept with weights of one byte.
struct QuantisedNetwork {
  ModelSpec spec;
  // The weights of linear layers ("<layer>.weight", two dimensions) are I8: a row's largest one is
  // 127, and "<layer>.weight_scale" F32 [rows], behind it, is what 1 stands for. All others are as
  // they were.
  std::vector<Tensor> tensors;
};

// Rounds the weights of a trained network. Of a plain feed-forward one (an mlp without heads and
// embeddings) batch normalisation is first folded into the layers, so its spec has none. Throws
// Error (kUsage) for a network without linear layers.
[[nodiscard]] QuantisedNetwork quantise(const ModelSpec& spec, std::span<const Tensor> weights);

// The network of these tensors, quantised or not; throws as Core::load. A quantised one cannot be
// trained (kFailure). On the CPU a quantised plain feed-forward network computes without LibTorch,
// with products of bytes: inputs of a layer are rounded to 7 bits between the least and the largest
// of their row, sums are exact, so its logits are the same on every processor. Others compute with
// the rounded weights in single precision.
[[nodiscard]] std::unique_ptr<Network> load_network(const ModelSpec& spec,
                                                    const data::Expansion& expansion,
                                                    std::span<const Tensor> tensors,
                                                    const Device& device);

// The instructions that products of bytes use here: "avx512vnni", "avx2" or "plain".
[[nodiscard]] std::string quantised_kernel();

}  // namespace tcrops::nn
