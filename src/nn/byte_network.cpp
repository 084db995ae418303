#include "byte_network.hpp"

#include "activation.hpp"
#include "vectorised.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace tcrops::nn {
namespace {

constexpr float kMostByte = 127.0F;

// How a row's values became bytes: value = least + step * byte.
struct Rounding {
  float least;
  float step;
};

// Several values at a time, so that the compiler can use vectors.
VECTORISED Rounding range_of(const float* values, std::size_t count) {
  constexpr std::size_t kSide = 16;
  float low[kSide];
  float high[kSide];
  std::fill_n(low, kSide, values[0]);
  std::fill_n(high, kSide, values[0]);
  std::size_t i = 0;
  for (; i + kSide <= count; i += kSide) {
    for (std::size_t k = 0; k < kSide; ++k) {
      low[k] = values[i + k] < low[k] ? values[i + k] : low[k];
      high[k] = values[i + k] > high[k] ? values[i + k] : high[k];
    }
  }
  for (; i < count; ++i) {
    low[0] = std::min(low[0], values[i]);
    high[0] = std::max(high[0], values[i]);
  }
  const float least = *std::min_element(low, low + kSide);
  const float most = *std::max_element(high, high + kSide);
  return {least, (most - least) / kMostByte};
}

// Bytes from 0 to 127, then zeros up to `padded`.
VECTORISED Rounding round_row(const float* values, std::size_t count, std::size_t padded,
                              std::uint8_t* bytes) {
  constexpr float kHalf = 0.5F;
  const Rounding rounding = range_of(values, count);
  const float inverse = rounding.step > 0.0F ? 1.0F / rounding.step : 0.0F;
  for (std::size_t i = 0; i < count; ++i) {
    const float place = (values[i] - rounding.least) * inverse + kHalf;
    bytes[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(place));
  }
  std::fill(bytes + count, bytes + padded, std::uint8_t{0});
  return rounding;
}

VECTORISED void scale_row(const std::int32_t* sums, const std::int32_t* weights,
                          const float* scales, const float* bias, Rounding rounding,
                          std::size_t count, float* to) {
  for (std::size_t out = 0; out < count; ++out) {
    const float sum = static_cast<float>(sums[out]) * rounding.step +
                      static_cast<float>(weights[out]) * rounding.least;
    to[out] = sum * scales[out] + bias[out];
  }
}

std::vector<std::int8_t> bytes_of(const Tensor& tensor) {
  std::vector<std::int8_t> values(tensor.bytes.size());
  std::memcpy(values.data(), tensor.bytes.data(), values.size());
  return values;
}

}  // namespace

ByteNetwork::ByteNetwork(const ModelSpec& spec, std::span<const Tensor> tensors)
    : activation_(spec.activation) {
  for (std::size_t i = 0; i + 1 < spec.widths.size(); ++i) {
    const auto inputs = static_cast<std::size_t>(spec.widths[i]);
    const auto outputs = static_cast<std::size_t>(spec.widths[i + 1]);
    const std::string name = fmt::format("{}", 2 * i);  // as in PyTorch's Sequential
    const auto values = bytes_of(find_tensor(tensors, name + ".weight"));
    Layer layer{.weights = ByteMatrix(values, outputs, inputs),
                .inputs = inputs,
                .outputs = outputs,
                .scales = as_f32(find_tensor(tensors, name + ".weight_scale")),
                .bias = as_f32(find_tensor(tensors, name + ".bias")),
                .sums = std::vector<std::int32_t>(outputs, 0)};
    for (std::size_t out = 0; out < outputs; ++out) {
      for (std::size_t in = 0; in < inputs; ++in) layer.sums[out] += values[out * inputs + in];
    }
    layers_.push_back(std::move(layer));
  }
}

void ByteNetwork::pass(const Layer& layer, std::size_t rows) {
  const std::size_t wide = layer.weights.padded_inputs();
  const std::size_t long_enough = layer.weights.padded_outputs();
  bytes_.resize(std::max(bytes_.size(), rows * wide));
  sums_.resize(std::max(sums_.size(), rows * long_enough));
  std::vector<Rounding> roundings;
  roundings.reserve(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    roundings.push_back(round_row(values_.data() + row * layer.inputs, layer.inputs, wide,
                                  bytes_.data() + row * wide));
  }
  layer.weights.multiply(bytes_.data(), rows, sums_.data());
  values_.resize(std::max(values_.size(), rows * layer.outputs));
  for (std::size_t row = 0; row < rows; ++row) {
    scale_row(sums_.data() + row * long_enough, layer.sums.data(), layer.scales.data(),
              layer.bias.data(), roundings[row], layer.outputs,
              values_.data() + row * layer.outputs);
  }
}

std::vector<float> ByteNetwork::logits(std::span<const float> features, std::size_t rows) {
  values_.resize(std::max(values_.size(), features.size()));
  std::copy(features.begin(), features.end(), values_.begin());
  for (const Layer& layer : layers_) {
    pass(layer, rows);
    if (&layer != &layers_.back())
      activate(std::span(values_).first(rows * layer.outputs), activation_);
  }
  return {values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(rows)};
}

}  // namespace tcrops::nn
