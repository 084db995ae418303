#pragma once

#include "prelude.hpp"

namespace tcrops::nn {

// One way through a network: for training, with a generator of its own for dropout, or for scoring.
struct Pass {
  c10::optional<at::Generator> generator;  // set: training

  [[nodiscard]] bool is_training() const { return generator.has_value(); }
};

// Sets each value to 0 with probability `share`, and scales the others up, while training.
inline at::Tensor dropped_out(const at::Tensor& values, double share, const Pass& pass) {
  if (share == 0.0 || !pass.is_training()) return values;
  const at::Tensor kept = at::empty_like(values).bernoulli_(1.0 - share, pass.generator);
  return values * kept.div_(1.0 - share);
}

// Rows [rows, inputs] through a linear layer. For scoring in the layout in which a row's result
// does not depend on the rows beside it (see block_rows in core_loader.cpp).
inline at::Tensor linear(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& rows,
                         const Pass& pass) {
  if (pass.is_training()) return at::linear(rows, weight, bias);
  return at::addmm(bias.unsqueeze(1), weight, rows.t()).t();
}
inline at::Tensor linear(const torch::nn::Linear& layer, const at::Tensor& rows, const Pass& pass) {
  return linear(layer->weight, layer->bias, rows, pass);
}

// left [rows, n] times right^T [n, columns], likewise.
inline at::Tensor products(const at::Tensor& left, const at::Tensor& right, const Pass& pass) {
  return pass.is_training() ? at::mm(left, right.t()) : at::mm(right, left.t()).t();
}

}  // namespace tcrops::nn
