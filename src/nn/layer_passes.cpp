#include "layer_passes.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

// One body per kind of vector instructions. Sums go through a fixed number of lanes and products
// are not fused with them (-ffp-contract=off), so the kinds differ in speed alone.
#if defined(__x86_64__)
#define VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORISED
#endif
#define INLINE inline __attribute__((always_inline))

namespace tcrops::nn {
namespace {

constexpr std::size_t kLanes = 16;
using Lanes = std::array<double, kLanes>;

constexpr float kPerLogTwo = 1.44269504F;
// log 2 in two parts, the first short enough for its product with an exponent to be exact.
constexpr float kLogTwoHigh = 0.693359375F;
constexpr float kLogTwoLow = -2.12194440e-4F;
constexpr float kRounder = 0x1.8p23F;  // added and taken off, it rounds to a whole number
constexpr float kLeast = -87.0F;

// exp(x) for x <= 0: 2^n exp(r), r in [-log(2) / 2, log(2) / 2] by its Taylor series.
INLINE float exp_of_negative(float x) {
  const float clipped = x > kLeast ? x : kLeast;
  const float shifted = clipped * kPerLogTwo + kRounder;
  const float n = shifted - kRounder;
  const float r = (clipped - n * kLogTwoHigh) - n * kLogTwoLow;
  float sum = 1.0F / 5040.0F;
  sum = sum * r + 1.0F / 720.0F;
  sum = sum * r + 1.0F / 120.0F;
  sum = sum * r + 1.0F / 24.0F;
  sum = sum * r + 1.0F / 6.0F;
  sum = sum * r + 0.5F;
  sum = sum * r + 1.0F;
  sum = sum * r + 1.0F;
  // The whole number stands in the low bits of `shifted`.
  const auto exponent = std::bit_cast<std::uint32_t>(shifted) << 23U;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(sum) + exponent);
}

template <FusedActivation kind>
INLINE float activated(float x) {
  const float negative = x < 0.0F ? x : 0.0F;
  if constexpr (kind == FusedActivation::kRelu) return x - negative;
  const float below = exp_of_negative(negative) - 1.0F;
  return x <= 0.0F ? below : x;  // what is no number stays none
}

// The derivative, from what the activation gave.
template <FusedActivation kind>
INLINE float slope(float out) {
  if constexpr (kind == FusedActivation::kRelu) return out > 0.0F ? 1.0F : 0.0F;
  return out > 0.0F ? 1.0F : out + 1.0F;
}

INLINE double total(const Lanes& lanes) {
  double sum = 0.0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) sum += lanes[lane];
  return sum;
}

// Sum over i of term(i), in lanes.
template <class Term>
INLINE double sum_over(std::size_t count, const Term& term) {
  Lanes lanes{};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) lanes[lane] += term(i);
  return total(lanes);
}

template <FusedActivation kind>
INLINE Moments normalise(float* values, float* out, std::size_t count, float scale, float shift,
                         double epsilon) {
  const auto n = static_cast<double>(count);
  Moments moments;
  moments.mean = sum_over(count, [&](std::size_t i) { return static_cast<double>(values[i]); }) / n;
  const auto mean = static_cast<float>(moments.mean);
  // What the mean lost when it was rounded.
  const auto rest = static_cast<float>(moments.mean - static_cast<double>(mean));
  for (std::size_t i = 0; i < count; ++i) values[i] = (values[i] - mean) - rest;
  moments.variance =
      sum_over(count, [&](std::size_t i) { return static_cast<double>(values[i] * values[i]); }) /
      n;
  const auto inverse = static_cast<float>(1.0 / std::sqrt(moments.variance + epsilon));
  for (std::size_t i = 0; i < count; ++i) {
    const float standardised = values[i] * inverse;
    values[i] = standardised;
    out[i] = activated<kind>(standardised * scale + shift);
  }
  return moments;
}

template <FusedActivation kind>
INLINE NormGradients normalise_back(const float* standardised, const float* out, float* gradient,
                                    std::size_t count, float scale, float inverse) {
  for (std::size_t i = 0; i < count; ++i) gradient[i] *= slope<kind>(out[i]);
  NormGradients sums;
  sums.shift = sum_over(count, [&](std::size_t i) { return static_cast<double>(gradient[i]); });
  sums.scale = sum_over(
      count, [&](std::size_t i) { return static_cast<double>(gradient[i] * standardised[i]); });
  const auto n = static_cast<double>(count);
  const auto mean = static_cast<float>(sums.shift / n);
  const auto slant = static_cast<float>(sums.scale / n);
  const float factor = scale * inverse;
  for (std::size_t i = 0; i < count; ++i)
    gradient[i] = factor * (gradient[i] - mean - standardised[i] * slant);
  return sums;
}

VECTORISED Moments normalise_elu(float* values, float* out, std::size_t count, float scale,
                                 float shift, double epsilon) {
  return normalise<FusedActivation::kElu>(values, out, count, scale, shift, epsilon);
}
VECTORISED Moments normalise_relu(float* values, float* out, std::size_t count, float scale,
                                  float shift, double epsilon) {
  return normalise<FusedActivation::kRelu>(values, out, count, scale, shift, epsilon);
}
VECTORISED NormGradients normalise_back_elu(const float* standardised, const float* out,
                                            float* gradient, std::size_t count, float scale,
                                            float inverse) {
  return normalise_back<FusedActivation::kElu>(standardised, out, gradient, count, scale, inverse);
}
VECTORISED NormGradients normalise_back_relu(const float* standardised, const float* out,
                                             float* gradient, std::size_t count, float scale,
                                             float inverse) {
  return normalise_back<FusedActivation::kRelu>(standardised, out, gradient, count, scale, inverse);
}

VECTORISED void activate_elu(float* values, std::size_t count, float bias) {
  for (std::size_t i = 0; i < count; ++i)
    values[i] = activated<FusedActivation::kElu>(values[i] + bias);
}
VECTORISED void activate_relu(float* values, std::size_t count, float bias) {
  for (std::size_t i = 0; i < count; ++i)
    values[i] = activated<FusedActivation::kRelu>(values[i] + bias);
}
VECTORISED void slope_elu(const float* out, float* gradient, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) gradient[i] *= slope<FusedActivation::kElu>(out[i]);
}
VECTORISED void slope_relu(const float* out, float* gradient, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) gradient[i] *= slope<FusedActivation::kRelu>(out[i]);
}
VECTORISED double sum_all(const float* values, std::size_t count) {
  return sum_over(count, [&](std::size_t i) { return static_cast<double>(values[i]); });
}

VECTORISED void adam(const AdamStep& step, float* weights, const float* gradients, float* first,
                     float* second, std::size_t count) {
  const float rest1 = 1.0F - step.beta1;
  const float rest2 = 1.0F - step.beta2;
  const float per_root = 1.0F / step.root2;
  for (std::size_t i = 0; i < count; ++i) {
    const float gradient = gradients[i];
    first[i] = step.beta1 * first[i] + rest1 * gradient;
    second[i] = step.beta2 * second[i] + rest2 * gradient * gradient;
    weights[i] -= step.size * first[i] / (std::sqrt(second[i]) * per_root + step.epsilon);
  }
}

}  // namespace

Moments normalise_forward(std::span<float> values, std::span<float> out, float scale, float shift,
                          double epsilon, FusedActivation activation) {
  return activation == FusedActivation::kElu
             ? normalise_elu(values.data(), out.data(), values.size(), scale, shift, epsilon)
             : normalise_relu(values.data(), out.data(), values.size(), scale, shift, epsilon);
}

NormGradients normalise_backward(std::span<const float> standardised, std::span<const float> out,
                                 std::span<float> gradient, float scale, double variance,
                                 double epsilon, FusedActivation activation) {
  const auto inverse = static_cast<float>(1.0 / std::sqrt(variance + epsilon));
  return activation == FusedActivation::kElu
             ? normalise_back_elu(standardised.data(), out.data(), gradient.data(), out.size(),
                                  scale, inverse)
             : normalise_back_relu(standardised.data(), out.data(), gradient.data(), out.size(),
                                   scale, inverse);
}

void activate_forward(std::span<float> values, float bias, FusedActivation activation) {
  if (activation == FusedActivation::kElu)
    activate_elu(values.data(), values.size(), bias);
  else
    activate_relu(values.data(), values.size(), bias);
}

double activate_backward(std::span<const float> out, std::span<float> gradient,
                         FusedActivation activation) {
  if (activation == FusedActivation::kElu)
    slope_elu(out.data(), gradient.data(), out.size());
  else
    slope_relu(out.data(), gradient.data(), out.size());
  return sum_of(gradient);
}

double sum_of(std::span<const float> values) { return sum_all(values.data(), values.size()); }

void adam_step(const AdamStep& step, std::span<float> weights, std::span<const float> gradients,
               std::span<float> first, std::span<float> second) {
  adam(step, weights.data(), gradients.data(), first.data(), second.data(), weights.size());
}

}  // namespace tcrops::nn
