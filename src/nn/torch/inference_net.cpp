#include "inference_net.hpp"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>

namespace tcrops::nn {
namespace {

// On a card there is no promise to keep, only latency to hide.
constexpr std::int64_t kCudaBlockRows = 8192;

// y = scale * (W x + b - mean) + shift as one linear map.
void fold(const torch::nn::BatchNorm1dImpl& norm, at::Tensor& weight, at::Tensor& bias) {
  const at::Tensor scale =
      norm.weight.to(at::kDouble) / (norm.running_var.to(at::kDouble) + norm.options.eps()).sqrt();
  weight = weight * scale.unsqueeze(1);
  bias = (bias - norm.running_mean.to(at::kDouble)) * scale + norm.bias.to(at::kDouble);
}

}  // namespace

InferenceNet::InferenceNet(const ModelSpec& spec, const torch::nn::Sequential& layers,
                           const at::Device& device, std::int64_t block_rows)
    : elu_(spec.activation == "elu"),
      device_(device),
      block_rows_(device.is_cuda() ? kCudaBlockRows : block_rows) {
  const c10::InferenceMode guard;
  const auto children = layers->children();
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto* linear = children[i]->as<torch::nn::Linear>();
    if (linear == nullptr) continue;
    at::Tensor weight = linear->weight.to(at::kDouble);
    at::Tensor bias = linear->bias.to(at::kDouble);
    const auto* norm =
        i + 1 < children.size() ? children[i + 1]->as<torch::nn::BatchNorm1d>() : nullptr;
    if (norm != nullptr) fold(*norm, weight, bias);
    layers_.push_back(
        {weight.to(at::kFloat).contiguous(), bias.to(at::kFloat).unsqueeze(1).contiguous()});
  }
}

at::Tensor InferenceNet::score_block(const at::Tensor& rows) const {
  at::Tensor values = rows.t();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    values = at::addmm(layers_[i].bias, layers_[i].weight, values);
    if (i + 1 == layers_.size()) break;
    if (elu_)
      at::elu_(values);
    else
      at::relu_(values);
  }
  return values.squeeze(0);
}

std::vector<float> InferenceNet::logits(const DeviceExpansion& expansion,
                                        const data::EncodedRows& rows) const {
  const c10::InferenceMode guard;
  const auto count = static_cast<std::int64_t>(rows.rows);
  std::vector<float> result(rows.rows);
  for (std::int64_t begin = 0; begin < count; begin += block_rows_) {
    const std::int64_t size = std::min(block_rows_, count - begin);
    at::Tensor block = expansion.features(to_device(rows, begin, begin + size, device_));
    if (size < block_rows_) block = at::constant_pad_nd(block, {0, 0, 0, block_rows_ - size});
    const at::Tensor scores = score_block(block).to(at::kCPU).contiguous();
    std::memcpy(result.data() + begin, scores.data_ptr<float>(),
                static_cast<std::size_t>(size) * sizeof(float));
  }
  return result;
}

}  // namespace tcrops::nn
