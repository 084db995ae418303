#pragma once

#include "device_rows.hpp"
#include "prelude.hpp"

#include <tcrops/nn/model_spec.hpp>

#include <cstdint>
#include <vector>

namespace tcrops::nn {

// A frozen copy of a network for scoring. Batch normalisation is folded into the linear layer
// before it, in double precision, and activations are kept with one row per column. Rows are scored
// in blocks of a fixed size, the last one filled up with zeros; together with the layout this makes
// the logit of a row on the CPU the same, bit for bit, whatever rows are scored with it (see
// block_rows in core_loader.cpp).
class InferenceNet {
 public:
  InferenceNet(const ModelSpec& spec, const torch::nn::Sequential& layers, const at::Device& device,
               std::int64_t block_rows);

  // One logit per row; `expansion` is on the network's device.
  [[nodiscard]] std::vector<float> logits(const DeviceExpansion& expansion,
                                          const data::EncodedRows& rows) const;

 private:
  struct Layer {
    at::Tensor weight;  // [outputs, inputs]
    at::Tensor bias;    // [outputs, 1]
  };
  [[nodiscard]] at::Tensor score_block(const at::Tensor& rows) const;

  std::vector<Layer> layers_;
  bool elu_;
  at::Device device_;
  std::int64_t block_rows_;
};

}  // namespace tcrops::nn
