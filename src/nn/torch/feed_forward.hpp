#pragma once

#include "pass.hpp"

#include <tcrops/nn/model_spec.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::nn {

// Of activation_names().
[[nodiscard]] at::Tensor activated(const at::Tensor& values, const std::string& activation);

// The feed-forward part of a network: Linear, normalisation if set, activation, dropout; the last
// Linear is bare. Its layers are children of `owner`, called `prefix` and the number that they have
// in PyTorch's Sequential.
class FeedForward {
 public:
  FeedForward(torch::nn::Module& owner, const std::string& prefix, const ModelSpec& spec,
              const std::vector<std::int64_t>& widths);

  // [rows, inputs] -> [rows, outputs]
  [[nodiscard]] at::Tensor forward(const at::Tensor& rows, const Pass& pass) const;
  // The same from what the first Linear has made of the rows.
  [[nodiscard]] at::Tensor after_first(at::Tensor values, const Pass& pass) const;

  struct Layer {
    torch::nn::Linear linear{nullptr};
    torch::nn::BatchNorm1d batch_norm{nullptr};
    torch::nn::LayerNorm layer_norm{nullptr};
  };
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  [[nodiscard]] const std::string& activation() const { return activation_; }
  [[nodiscard]] double dropout() const { return dropout_; }

 private:
  std::vector<Layer> layers_;
  std::string activation_;
  double dropout_;
};

}  // namespace tcrops::nn
