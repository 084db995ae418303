#include "optimiser.hpp"

#include "layer_passes.hpp"

#include <cmath>
#include <span>

namespace tcrops::nn {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kAlpha = 0.99;
constexpr double kEpsilon = 1e-8;

// A contiguous float tensor on the CPU.
std::span<float> values(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

bool is_adam(const std::string& name) { return name.starts_with("adam"); }

}  // namespace

Optimiser::Optimiser(const torch::nn::Module& module, OptimiserOptions options)
    : options_(std::move(options)), steps_(at::zeros({1}, at::kLong)) {
  const bool second = is_adam(options_.name) || options_.name == "rmsprop";
  const bool first = is_adam(options_.name) || options_.momentum != 0.0;
  for (const auto& item : module.named_parameters()) {
    Slot slot{.name = item.key(), .parameter = item.value(), .first = {}, .second = {}};
    if (first) slot.first = at::zeros_like(item.value().detach());
    if (second) slot.second = at::zeros_like(item.value().detach());
    slots_.push_back(std::move(slot));
  }
}

void Optimiser::zero_gradients() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad() = at::Tensor();
}

void Optimiser::clip() {
  if (options_.clip_norm == 0.0) return;
  std::vector<at::Tensor> norms;
  for (const Slot& slot : slots_) {
    if (slot.parameter.grad().defined()) norms.push_back(slot.parameter.grad().norm());
  }
  if (norms.empty()) return;
  constexpr double kLittle = 1e-6;
  const at::Tensor factor =
      (options_.clip_norm / (at::stack(norms).norm() + kLittle)).clamp_max(1.0);
  for (Slot& slot : slots_) {
    if (slot.parameter.grad().defined()) slot.parameter.mutable_grad().mul_(factor);
  }
}

void Optimiser::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  clip();
  steps_.add_(1);
  for (Slot& slot : slots_) {
    at::Tensor gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    if (options_.weight_decay != 0.0) {
      if (options_.name == "adamw")
        slot.parameter.mul_(1.0 - learning_rate * options_.weight_decay);
      else
        gradient = gradient.add(slot.parameter, options_.weight_decay);
    }
    if (is_adam(options_.name))
      adam(slot, gradient, learning_rate);
    else if (options_.name == "sgd")
      sgd(slot, gradient, learning_rate);
    else
      rmsprop(slot, gradient, learning_rate);
  }
}

void Optimiser::adam(Slot& slot, const at::Tensor& gradient, double learning_rate) const {
  const auto steps = static_cast<double>(steps_.item<std::int64_t>());
  const double correction1 = 1.0 - std::pow(kBeta1, steps);
  const double correction2 = 1.0 - std::pow(kBeta2, steps);
  if (!gradient.is_cuda()) {
    const AdamStep step{static_cast<float>(kBeta1), static_cast<float>(kBeta2),
                        static_cast<float>(learning_rate / correction1),
                        static_cast<float>(std::sqrt(correction2)), static_cast<float>(kEpsilon)};
    adam_step(step, values(slot.parameter), values(gradient.contiguous()), values(slot.first),
              values(slot.second));
    return;
  }
  slot.first.mul_(kBeta1).add_(gradient, 1.0 - kBeta1);
  slot.second.mul_(kBeta2).addcmul_(gradient, gradient, 1.0 - kBeta2);
  const at::Tensor root = (slot.second.sqrt() / std::sqrt(correction2)).add_(kEpsilon);
  slot.parameter.addcdiv_(slot.first, root, -learning_rate / correction1);
}

void Optimiser::sgd(Slot& slot, const at::Tensor& gradient, double learning_rate) const {
  if (!slot.first.defined()) {
    slot.parameter.add_(gradient, -learning_rate);
    return;
  }
  slot.first.mul_(options_.momentum).add_(gradient);
  slot.parameter.add_(slot.first, -learning_rate);
}

void Optimiser::rmsprop(Slot& slot, const at::Tensor& gradient, double learning_rate) const {
  slot.second.mul_(kAlpha).addcmul_(gradient, gradient, 1.0 - kAlpha);
  const at::Tensor root = slot.second.sqrt().add_(kEpsilon);
  if (!slot.first.defined()) {
    slot.parameter.addcdiv_(gradient, root, -learning_rate);
    return;
  }
  slot.first.mul_(options_.momentum).addcdiv_(gradient, root);
  slot.parameter.add_(slot.first, -learning_rate);
}

std::vector<StateTensor> Optimiser::memory() const {
  std::vector<StateTensor> memory = {{"step", steps_}};
  const bool adam = is_adam(options_.name);
  for (const Slot& slot : slots_) {
    if (slot.first.defined())
      memory.push_back({(adam ? "exp_avg." : "momentum_buffer.") + slot.name, slot.first});
    if (slot.second.defined())
      memory.push_back({(adam ? "exp_avg_sq." : "square_avg.") + slot.name, slot.second});
  }
  return memory;
}

}  // namespace tcrops::nn
