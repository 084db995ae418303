#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace tcrops::nn {

// A plain feed-forward network for scoring rows on the processor, normalisation folded into its
// linear layers. Each output of a row is one sum, bias first, then its inputs in their order; so a
// row's logit is the same, bit for bit, whatever rows are scored with it and however many, and
// neither one row nor a million pays for others. Not thread-safe: memory is kept between calls.
class FoldedNetwork {
 public:
  // So many go through all layers together, and stay in cache.
  static constexpr std::size_t kBlockRows = 64;

  struct Linear {
    std::span<const float> weights;  // [outputs, inputs]
    std::span<const float> bias;     // [outputs]
  };
  // The last layer has one output, and no activation after it.
  FoldedNetwork(std::span<const Linear> layers, std::string activation);

  [[nodiscard]] std::size_t inputs() const { return layers_.front().inputs; }
  // One logit per row of features [rows, inputs].
  void logits(std::span<const float> features, std::span<float> logits);

 private:
  struct Layer {
    std::size_t inputs;
    std::size_t outputs;         // padded to whole panels
    std::vector<float> weights;  // panels of 16 outputs: [panel, input, 16]
    std::vector<float> bias;     // [outputs]
  };

  std::string activation_;
  std::vector<Layer> layers_;
  // [rows, outputs] of the layer before and of the one at work.
  std::vector<float> before_;
  std::vector<float> values_;
};

}  // namespace tcrops::nn
