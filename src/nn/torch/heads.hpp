#pragma once

#include "prelude.hpp"

#include <tcrops/nn/model_spec.hpp>

namespace tcrops::nn {

// What a body gives as logits, [rows, epitopes]: with competing heads the log odds of each one's
// share in the softmax of all outputs, at most about 27; else as they are.
[[nodiscard]] inline at::Tensor logits_of_heads(const at::Tensor& outputs, const ModelSpec& spec) {
  if (!spec.competing) return outputs;
  constexpr double kMostShare = 1.0 - 1e-12;
  const at::Tensor shares = at::log_softmax(outputs.to(at::kDouble), 1);
  const at::Tensor odds = shares - at::log1p(-shares.exp().clamp_max(kMostShare));
  return odds.narrow(1, 0, outputs.size(1) - 1).to(at::kFloat);
}

// Of each row the logit of its head ([rows] numbers, -1: none, which gives NaN).
[[nodiscard]] inline at::Tensor of_heads(const at::Tensor& logits,
                                         const std::vector<std::int64_t>& numbers) {
  const at::Tensor heads = at::tensor(numbers, at::kLong).to(logits.device());
  const at::Tensor own = logits.gather(1, heads.clamp_min(0).unsqueeze(1)).squeeze(1);
  return at::where(heads >= 0, own, std::numeric_limits<double>::quiet_NaN());
}

}  // namespace tcrops::nn
