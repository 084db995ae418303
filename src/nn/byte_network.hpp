#pragma once

#include "byte_products.hpp"

#include <tcrops/nn/core.hpp>

#include <span>
#include <vector>

namespace tcrops::nn {

// A plain feed-forward network without normalisation whose weights are bytes, computed as
// load_network() says. Not thread-safe: memory is kept between calls.
class ByteNetwork {
 public:
  // Takes quantised tensors that Core::load() would take dequantised.
  ByteNetwork(const ModelSpec& spec, std::span<const Tensor> tensors);

  // One logit per row of features [rows, inputs].
  [[nodiscard]] std::vector<float> logits(std::span<const float> features, std::size_t rows);

 private:
  struct Layer {
    ByteMatrix weights;
    std::size_t inputs;
    std::size_t outputs;
    std::vector<float> scales;  // of each output
    std::vector<float> bias;
    std::vector<std::int32_t> sums;  // of each output's weights, as bytes
  };
  // `values_` become the layer's results for them.
  void pass(const Layer& layer, std::size_t rows);

  std::string activation_;
  std::vector<Layer> layers_;
  // [rows, …] of the layer at work; they grow, and are not made anew for each block of rows.
  std::vector<float> values_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::int32_t> sums_;
};

}  // namespace tcrops::nn
