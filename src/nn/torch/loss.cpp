#include "loss.hpp"

#include <array>
#include <map>

namespace tcrops::nn {

at::Tensor mean_loss(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& weights,
                     const LossOptions& options) {
  namespace functional = torch::nn::functional;
  const double smoothing = options.label_smoothing;
  const at::Tensor target =
      smoothing == 0.0 ? labels : labels * (1.0 - smoothing) + 0.5 * smoothing;
  if (options.name == "squared") return (logits - target).square().mean();
  if (options.name != "focal" && !weights.defined())
    return functional::binary_cross_entropy_with_logits(logits, target);
  using Options = functional::BinaryCrossEntropyWithLogitsFuncOptions;
  at::Tensor each = functional::binary_cross_entropy_with_logits(logits, target,
                                                                 Options().reduction(torch::kNone));
  if (options.name == "focal") {
    // The probability given to the label that is not true.
    const at::Tensor wrong = at::sigmoid(at::where(labels > 0.5, -logits, logits));
    each = each * wrong.pow(options.focal_gamma);
  }
  return weights.defined() ? (each * weights).mean() : each.mean();
}

at::Tensor softmax_loss(const at::Tensor& outputs, const at::Tensor& target,
                        const LossOptions& options) {
  const double smoothing = options.label_smoothing;
  const at::Tensor shares = smoothing == 0.0 ? target
                                             : target * (1.0 - smoothing) +
                                                   smoothing / static_cast<double>(outputs.size(1));
  return -(at::log_softmax(outputs, 1) * shares).sum(1).mean();
}

std::vector<float> class_weights(std::span<const std::uint8_t> labels,
                                 std::span<const std::int64_t> heads, const LossOptions& options) {
  std::vector<float> weights;
  if (options.positive_weight > 0.0) {
    for (const std::uint8_t label : labels)
      weights.push_back(label == 1 ? static_cast<float>(options.positive_weight) : 1.0F);
    return weights;
  }
  std::map<std::int64_t, std::array<double, 2>> counts;
  const auto head_of = [&](std::size_t row) { return heads.empty() ? 0 : heads[row]; };
  for (std::size_t row = 0; row < labels.size(); ++row) counts[head_of(row)].at(labels[row]) += 1.0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto& of_head = counts.at(head_of(row));
    const double all = of_head[0] + of_head[1];
    weights.push_back(static_cast<float>(all / (2.0 * of_head.at(labels[row]))));
  }
  return weights;
}

}  // namespace tcrops::nn
