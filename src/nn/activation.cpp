#include "activation.hpp"

#include "layer_passes.hpp"
#include "vectorised.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace tcrops::nn {
namespace {

// e to the power of values between -87 and 87, within two units of the last place (the polynomial
// of Cephes' expf). Without calls, so that loops over it become vectors; the same on every
// processor.
inline float exponential(float x) {
  constexpr float kLog2E = 1.44269504088896341F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr std::int32_t kBias = 127;
  constexpr std::int32_t kMantissaBits = 23;
  const auto power = static_cast<std::int32_t>(x * kLog2E + (x < 0.0F ? -0.5F : 0.5F));
  const auto whole = static_cast<float>(power);
  const float r = (x - whole * kLn2High) - whole * kLn2Low;
  float sum = 1.9875691500e-4F;
  sum = sum * r + 1.3981999507e-3F;
  sum = sum * r + 8.3334519073e-3F;
  sum = sum * r + 4.1665795894e-2F;
  sum = sum * r + 1.6666665459e-1F;
  sum = sum * r + 5.0000001201e-1F;
  const float fraction = sum * r * r + r + 1.0F;
  return fraction * std::bit_cast<float>((power + kBias) << kMantissaBits);
}

inline float within(float x) {
  constexpr float kMost = 87.0F;
  const float above = x > -kMost ? x : -kMost;
  return above < kMost ? above : kMost;
}

VECTORISED void sigmoid(float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const float x = values[i];
    const float share = 1.0F / (1.0F + exponential(within(-x)));
    values[i] = x == x ? share : x;
  }
}

}  // namespace

void activate(std::span<float> values, const std::string& activation) {
  if (activation == "relu") {
    activate_forward(values, 0.0F, FusedActivation::kRelu);
  } else if (activation == "elu") {
    activate_forward(values, 0.0F, FusedActivation::kElu);
  } else if (activation == "gelu") {
    constexpr float kRootOfHalf = 0.70710678118654752F;
    for (float& value : values) value *= 0.5F * (1.0F + std::erf(value * kRootOfHalf));
  } else if (activation == "tanh") {
    for (float& value : values) value = std::tanh(value);
  } else {
    sigmoid(values.data(), values.size());
  }
}

}  // namespace tcrops::nn
