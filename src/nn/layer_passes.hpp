#pragma once

#include <cstddef>
#include <span>

namespace tcrops::nn {

// The parts of training a feed-forward layer that are no matrix product, one feature at a time over
// the rows of a batch, so that each stays in the fastest cache. The same bits on every processor,
// whatever its vector instructions.

enum class FusedActivation { kRelu, kElu };

struct Moments {
  double mean = 0.0;
  double variance = 0.0;  // divided by the number of rows
};

// Batch normalisation (Ioffe & Szegedy, 2015) and activation: `values` become (v - mean) /
// sqrt(variance + epsilon), `out` activation(scale * that + shift).
Moments normalise_forward(std::span<float> values, std::span<float> out, float scale, float shift,
                          double epsilon, FusedActivation activation);

struct NormGradients {
  double scale = 0.0;
  double shift = 0.0;
};

// The way back: `standardised` and `out` as normalise_forward left them; `gradient` is that of
// `out` and becomes that of the values it was given.
NormGradients normalise_backward(std::span<const float> standardised, std::span<const float> out,
                                 std::span<float> gradient, float scale, double variance,
                                 double epsilon, FusedActivation activation);

// Without normalisation: `values` become activation(values + bias).
void activate_forward(std::span<float> values, float bias, FusedActivation activation);
// `gradient` becomes that of the values; returns that of the bias.
double activate_backward(std::span<const float> out, std::span<float> gradient,
                         FusedActivation activation);
// Sum, of any length.
double sum_of(std::span<const float> values);

// One step of Adam (Kingma & Ba, 2015), epsilon outside the root as in PyTorch.
struct AdamStep {
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float size = 0.0F;   // learning rate / (1 - beta1^step)
  float root2 = 1.0F;  // sqrt(1 - beta2^step)
  float epsilon = 1e-8F;
};
void adam_step(const AdamStep& step, std::span<float> weights, std::span<const float> gradients,
               std::span<float> first, std::span<float> second);

}  // namespace tcrops::nn
