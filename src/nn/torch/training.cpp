#include "training.hpp"

#include "layers.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace tcrops::nn {
namespace {

using torch::optim::AdamParamState;

// The tensors of a state, shared with a training or fresh. One per parameter, or one per item of
// state_of().
struct Parts {
  at::Tensor steps;  // [parameters] long, on the CPU
  std::vector<at::Tensor> exp_avg;
  std::vector<at::Tensor> exp_avg_sq;
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> kept;  // may be empty
};

std::vector<StateTensor> named(const torch::nn::Sequential& layers, const Parts& parts) {
  std::vector<StateTensor> result = {{"step", parts.steps}};
  std::size_t index = 0;
  for (const auto& item : layers->named_parameters()) {
    result.push_back({"exp_avg." + item.key(), parts.exp_avg[index]});
    result.push_back({"exp_avg_sq." + item.key(), parts.exp_avg_sq[index]});
    ++index;
  }
  const std::vector<StateTensor> state = state_of(layers);
  for (std::size_t i = 0; i < state.size(); ++i)
    result.push_back({"weights." + state[i].name, parts.weights[i]});
  for (std::size_t i = 0; i < parts.kept.size(); ++i)
    result.push_back({"kept." + state[i].name, parts.kept[i]});
  return result;
}

// Where Adam looks for what it remembers of a parameter.
std::string memory_key(const at::Tensor& parameter) {
  return c10::guts::to_string(parameter.unsafeGetTensorImpl());
}

Parts shared_parts(const torch::nn::Sequential& layers, torch::optim::Adam& adam,
                   const std::vector<at::Tensor>& kept) {
  Parts parts;
  std::vector<std::int64_t> steps;
  for (const at::Tensor& parameter : layers->parameters()) {
    const auto& memory =
        static_cast<const AdamParamState&>(*adam.state().at(memory_key(parameter)));
    steps.push_back(memory.step());
    parts.exp_avg.push_back(memory.exp_avg());
    parts.exp_avg_sq.push_back(memory.exp_avg_sq());
  }
  parts.steps = at::tensor(steps, at::kLong);
  for (const StateTensor& item : state_of(layers)) parts.weights.push_back(item.tensor);
  parts.kept = kept;
  return parts;
}

// The numbers of `state` on the device of `layers`, which are only looked at.
Parts read_parts(const torch::nn::Sequential& layers, const TrainState& state) {
  if (state.epoch < 1) {
    throw Error(ExitCode::kArtifact,
                fmt::format("training state: no training stands after epoch {}", state.epoch));
  }
  const bool kept =
      std::any_of(state.tensors.begin(), state.tensors.end(),
                  [](const Tensor& tensor) { return tensor.name.starts_with("kept."); });
  at::NoGradGuard no_grad;
  Parts parts;
  for (const at::Tensor& parameter : layers->parameters()) {
    parts.exp_avg.push_back(at::empty_like(parameter));
    parts.exp_avg_sq.push_back(at::empty_like(parameter));
  }
  parts.steps = at::empty({static_cast<std::int64_t>(parts.exp_avg.size())}, at::kLong);
  for (const StateTensor& item : state_of(layers)) {
    parts.weights.push_back(at::empty_like(item.tensor));
    if (kept) parts.kept.push_back(at::empty_like(item.tensor));
  }
  import_tensors(named(layers, parts), state.tensors, "training state");
  return parts;
}

void copy_into(const torch::nn::Sequential& layers, const std::vector<at::Tensor>& values) {
  at::NoGradGuard no_grad;
  const std::vector<StateTensor> state = state_of(layers);
  for (std::size_t i = 0; i < state.size(); ++i) {
    at::Tensor target = state[i].tensor;
    target.copy_(values[i]);
  }
}

}  // namespace

Training::Training(torch::nn::Sequential layers, double learning_rate)
    : layers_(std::move(layers)),
      adam_(layers_->parameters(), torch::optim::AdamOptions(learning_rate)) {}

void Training::keep_weights() {
  kept_.clear();
  for (const StateTensor& item : state_of(layers_)) kept_.push_back(item.tensor.clone());
}

void Training::restore_kept_weights() {
  if (!kept_.empty()) copy_into(layers_, kept_);
}

TrainState Training::export_state(std::int64_t epoch) {
  return {epoch, export_tensors(named(layers_, shared_parts(layers_, adam_, kept_)))};
}

void Training::import_state(const TrainState& state) {
  Parts parts = read_parts(layers_, state);
  copy_into(layers_, parts.weights);
  kept_ = std::move(parts.kept);
  std::size_t index = 0;
  for (at::Tensor& parameter : layers_->parameters()) {
    auto memory = std::make_unique<AdamParamState>();
    memory->step(parts.steps[static_cast<std::int64_t>(index)].item<std::int64_t>());
    memory->exp_avg(parts.exp_avg[index]);
    memory->exp_avg_sq(parts.exp_avg_sq[index]);
    adam_.state()[memory_key(parameter)] = std::move(memory);
    // A training in progress adds its gradients to zeros, a new one takes the first as they are:
    // not the same bits where one is -0.
    parameter.mutable_grad() = at::zeros_like(parameter);
    ++index;
  }
}

void check_train_state(const torch::nn::Sequential& layers, const TrainState& state) {
  static_cast<void>(read_parts(layers, state));
}

}  // namespace tcrops::nn
