#include "feed_forward.hpp"

#include <fmt/format.h>

namespace tcrops::nn {

at::Tensor activated(const at::Tensor& values, const std::string& activation) {
  if (activation == "relu") return at::relu(values);
  if (activation == "elu") return at::elu(values);
  if (activation == "gelu") return at::gelu(values);
  if (activation == "tanh") return at::tanh(values);
  return at::sigmoid(values);
}

FeedForward::FeedForward(torch::nn::Module& owner, const std::string& prefix, const ModelSpec& spec,
                         const std::vector<std::int64_t>& widths)
    : activation_(spec.activation), dropout_(spec.dropout) {
  int number = 0;
  const auto next_name = [&] { return fmt::format("{}{}", prefix, number++); };
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    Layer layer;
    layer.linear = owner.register_module(next_name(), torch::nn::Linear(widths[i], widths[i + 1]));
    const bool last = i + 2 == widths.size();
    if (!last && spec.norm == "batch") {
      layer.batch_norm = owner.register_module(next_name(), torch::nn::BatchNorm1d(widths[i + 1]));
    } else if (!last && spec.norm == "layer") {
      const torch::nn::LayerNormOptions options({widths[i + 1]});
      layer.layer_norm = owner.register_module(next_name(), torch::nn::LayerNorm(options));
    }
    ++number;  // the activation
    layers_.push_back(std::move(layer));
  }
}

at::Tensor FeedForward::forward(const at::Tensor& rows, const Pass& pass) const {
  return after_first(linear(layers_.front().linear, rows, pass), pass);
}

at::Tensor FeedForward::after_first(at::Tensor values, const Pass& pass) const {
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) {
    if (layers_[i].batch_norm) {
      torch::nn::BatchNorm1d norm = layers_[i].batch_norm;
      values = norm->forward(values);
    } else if (layers_[i].layer_norm) {
      torch::nn::LayerNorm norm = layers_[i].layer_norm;
      values = norm->forward(values);
    }
    values = dropped_out(activated(values, activation_), dropout_, pass);
    values = linear(layers_[i + 1].linear, values, pass);
  }
  return values;
}

}  // namespace tcrops::nn
