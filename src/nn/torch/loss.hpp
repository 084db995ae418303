#pragma once

#include "prelude.hpp"

#include <tcrops/nn/train_options.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace tcrops::nn {

// The mean loss over rows, as train_options.hpp says; all tensors [rows]. `weights` may be
// undefined: all 1. Not for "softmax".
[[nodiscard]] at::Tensor mean_loss(const at::Tensor& logits, const at::Tensor& labels,
                                   const at::Tensor& weights, const LossOptions& options);

// For "softmax": cross-entropy of the shares in the softmax of [rows, outputs] with target shares.
[[nodiscard]] at::Tensor softmax_loss(const at::Tensor& outputs, const at::Tensor& target,
                                      const LossOptions& options);

// What each row weighs in "weighted_bce": its class is as heavy as the other among the rows of its
// head. `heads` is empty when there is one for all.
[[nodiscard]] std::vector<float> class_weights(std::span<const std::uint8_t> labels,
                                               std::span<const std::int64_t> heads,
                                               const LossOptions& options);

}  // namespace tcrops::nn
