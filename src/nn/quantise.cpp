#include "byte_network.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/nn/quantise.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace tcrops::nn {
namespace {

constexpr float kMostByte = 127.0F;
constexpr double kBatchNormEpsilon = 1e-5;  // PyTorch's
constexpr const char* kScale = "_scale";

bool is_plain(const ModelSpec& spec) {
  return spec.is_mlp() && spec.is_pan() && spec.embedding == 0;
}

bool is_of_a_linear_layer(const Tensor& tensor) {
  return tensor.dtype == DType::kF32 && tensor.shape.size() == 2 &&
         tensor.name.ends_with(".weight");
}

// y = gain * (W x + b - mean) / sqrt(variance + epsilon) + shift as one linear layer.
void fold_norm(std::span<const Tensor> weights, const std::string& norm, std::vector<float>& weight,
               std::vector<float>& bias) {
  const auto part = [&](const char* name) {
    return as_f32(find_tensor(weights, fmt::format("{}.{}", norm, name)));
  };
  const auto gain = part("weight");
  const auto shift = part("bias");
  const auto mean = part("running_mean");
  const auto variance = part("running_var");
  const std::size_t inputs = weight.size() / bias.size();
  for (std::size_t out = 0; out < bias.size(); ++out) {
    const double scale = static_cast<double>(gain[out]) /
                         std::sqrt(static_cast<double>(variance[out]) + kBatchNormEpsilon);
    for (std::size_t in = 0; in < inputs; ++in) {
      float& value = weight[out * inputs + in];
      value = static_cast<float>(static_cast<double>(value) * scale);
    }
    const double centred = static_cast<double>(bias[out]) - static_cast<double>(mean[out]);
    bias[out] = static_cast<float>(centred * scale + static_cast<double>(shift[out]));
  }
}

// The same network without normalisation, its tensors named accordingly.
std::vector<Tensor> folded(const ModelSpec& spec, std::span<const Tensor> weights) {
  std::vector<Tensor> plain;
  for (std::size_t i = 0; i + 1 < spec.widths.size(); ++i) {
    const std::string from = fmt::format("{}", 3 * i);  // linear, normalisation, activation
    const Tensor& matrix = find_tensor(weights, from + ".weight");
    auto weight = as_f32(matrix);
    auto bias = as_f32(find_tensor(weights, from + ".bias"));
    if (i + 2 < spec.widths.size()) fold_norm(weights, fmt::format("{}", 3 * i + 1), weight, bias);
    plain.push_back(make_f32(fmt::format("{}.weight", 2 * i), matrix.shape, weight));
    plain.push_back(
        make_f32(fmt::format("{}.bias", 2 * i), {static_cast<std::int64_t>(bias.size())}, bias));
  }
  return plain;
}

// The bytes and their scales.
std::pair<Tensor, Tensor> rounded(const Tensor& tensor) {
  const auto values = as_f32(tensor);
  const auto rows = static_cast<std::size_t>(tensor.shape[0]);
  const std::size_t columns = rows == 0 ? 0 : values.size() / rows;
  std::vector<float> scales(rows);
  std::vector<std::int8_t> bytes(values.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const auto own = std::span(values).subspan(row * columns, columns);
    float largest = 0.0F;
    for (const float value : own) largest = std::max(largest, std::abs(value));
    scales[row] = largest > 0.0F ? largest / kMostByte : 1.0F;
    for (std::size_t i = 0; i < columns; ++i)
      bytes[row * columns + i] = static_cast<std::int8_t>(std::lround(own[i] / scales[row]));
  }
  return {make_i8(tensor.name, tensor.shape, bytes),
          make_f32(tensor.name + kScale, {tensor.shape[0]}, scales)};
}

// Whether one of the tensors is of whole numbers with a scale.
bool are_quantised(std::span<const Tensor> tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const Tensor& tensor) { return tensor.dtype == DType::kI8; });
}

// The tensors as they were before, but for rounding.
std::vector<Tensor> dequantised(std::span<const Tensor> tensors) {
  std::vector<Tensor> plain;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i];
    if (tensor.dtype != DType::kI8) {
      plain.push_back(tensor);
      continue;
    }
    const bool has_scale = i + 1 < tensors.size() && tensors[i + 1].name == tensor.name + kScale &&
                           tensor.shape.size() == 2 &&
                           std::ssize(tensor.bytes) == tensor.elements() &&
                           tensors[i + 1].shape == std::vector{tensor.shape[0]};
    if (!has_scale) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("model weights: \"{}\" has no scale of its rows behind it; the model "
                              "is damaged or its parts do not belong together",
                              tensor.name));
    }
    const auto scales = as_f32(tensors[++i]);
    const auto bytes = as_i8(tensor);
    std::vector<float> values(bytes.size());
    const std::size_t columns = static_cast<std::size_t>(tensor.shape[1]);
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = static_cast<float>(bytes[k]) * scales[k / columns];
    plain.push_back(make_f32(tensor.name, tensor.shape, values));
  }
  return plain;
}

// What the program computes itself of a network that LibTorch has, too.
class Quantised : public Network {
 public:
  Quantised(ModelSpec spec, data::Expansion expansion, std::span<const Tensor> tensors,
            const Device& device)
      : spec_(std::move(spec)),
        expansion_(std::move(expansion)),
        tensors_(tensors.begin(), tensors.end()),
        rounded_(core().load(spec_, expansion_, dequantised(tensors), device)) {
    if (is_plain(spec_) && spec_.norm == "none" && !device.cuda) bytes_.emplace(spec_, tensors);
  }

  [[nodiscard]] const ModelSpec& spec() const override { return spec_; }
  [[nodiscard]] std::vector<Tensor> weights() const override { return tensors_; }
  [[nodiscard]] std::int64_t trained_numbers() const override {
    return rounded_->trained_numbers();
  }
  [[nodiscard]] Attributions attributions(const data::EncodedRows& rows,
                                          std::int64_t steps) const override {
    return rounded_->attributions(rows, steps);
  }

  [[nodiscard]] std::vector<float> logits(const data::EncodedRows& rows) const override {
    if (!bytes_) return rounded_->logits(rows);
    constexpr std::size_t kBlockRows = 192;  // a multiple of what the kernels take at once
    std::vector<float> logits;
    std::vector<float> features;
    for (std::size_t begin = 0; begin < rows.rows; begin += kBlockRows) {
      const std::size_t end = std::min(begin + kBlockRows, rows.rows);
      features.resize((end - begin) * expansion_.feature_width());
      data::expand(expansion_, rows, begin, end, features);
      const auto some = bytes_->logits(features, end - begin);
      logits.insert(logits.end(), some.begin(), some.end());
    }
    return logits;
  }

  void fit(const Examples& /*train*/, const Examples& /*validation*/,
           const TrainOptions& /*options*/, const EpochCallback& /*after_epoch*/,
           const Continuation& /*continuation*/) override {
    throw Error(ExitCode::kFailure, "a network with quantised weights cannot be trained");
  }
  void check_state(const TrainState& /*state*/,
                   const OptimiserOptions& /*options*/) const override {
    throw Error(ExitCode::kArtifact, "a network with quantised weights has no training state");
  }

 private:
  ModelSpec spec_;
  data::Expansion expansion_;
  std::vector<Tensor> tensors_;
  std::unique_ptr<Network> rounded_;
  mutable std::optional<ByteNetwork> bytes_;
};

}  // namespace

QuantisedNetwork quantise(const ModelSpec& spec, std::span<const Tensor> weights) {
  QuantisedNetwork quantised{spec, {}};
  std::vector<Tensor> plain(weights.begin(), weights.end());
  if (is_plain(spec) && spec.norm == "batch") {
    plain = folded(spec, weights);
    quantised.spec.norm = "none";
  }
  for (Tensor& tensor : plain) {
    if (!is_of_a_linear_layer(tensor)) {
      quantised.tensors.push_back(std::move(tensor));
      continue;
    }
    auto [bytes, scales] = rounded(tensor);
    quantised.tensors.push_back(std::move(bytes));
    quantised.tensors.push_back(std::move(scales));
  }
  if (are_quantised(quantised.tensors)) return quantised;
  throw Error(ExitCode::kUsage,
              "the network has no linear layers, so there are no weights to make smaller");
}

std::string quantised_kernel() { return byte_product_kernel(); }

std::unique_ptr<Network> load_network(const ModelSpec& spec, const data::Expansion& expansion,
                                      std::span<const Tensor> tensors, const Device& device) {
  if (!are_quantised(tensors)) return core().load(spec, expansion, tensors, device);
  return std::make_unique<Quantised>(spec, expansion, tensors, device);
}

}  // namespace tcrops::nn
