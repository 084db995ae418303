#include "training.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::nn {
namespace {

constexpr const char* kWhat = "training state";

std::vector<StateTensor> joined(std::vector<StateTensor> memory,
                                const std::vector<StateTensor>& weights,
                                const std::vector<at::Tensor>& kept) {
  for (const StateTensor& item : weights) memory.push_back({"weights." + item.name, item.tensor});
  for (std::size_t i = 0; i < kept.size(); ++i)
    memory.push_back({"kept." + weights[i].name, kept[i]});
  return memory;
}

void check_epoch(const TrainState& state) {
  if (state.epoch >= 1) return;
  throw Error(ExitCode::kArtifact,
              fmt::format("{}: no training stands after epoch {}", kWhat, state.epoch));
}

// Room for kept weights where the state has some.
std::vector<at::Tensor> room_for_kept(const Body& body, const TrainState& state) {
  const bool kept =
      std::any_of(state.tensors.begin(), state.tensors.end(),
                  [](const Tensor& tensor) { return tensor.name.starts_with("kept."); });
  std::vector<at::Tensor> room;
  if (!kept) return room;
  for (const StateTensor& item : state_of(body)) room.push_back(at::empty_like(item.tensor));
  return room;
}

}  // namespace

Training::Training(Body& body, const OptimiserOptions& options)
    : body_(body), optimiser_(body, options) {}

void Training::keep_weights() {
  kept_.clear();
  for (const StateTensor& item : state_of(body_)) kept_.push_back(item.tensor.clone());
}

void Training::restore_kept_weights() {
  if (kept_.empty()) return;
  const at::NoGradGuard no_grad;
  const std::vector<StateTensor> state = state_of(body_);
  for (std::size_t i = 0; i < state.size(); ++i) {
    at::Tensor target = state[i].tensor;
    target.copy_(kept_[i]);
  }
}

std::vector<StateTensor> Training::parts(const std::vector<at::Tensor>& kept) const {
  return joined(optimiser_.memory(), state_of(body_), kept);
}

TrainState Training::export_state(std::int64_t epoch) const {
  return {epoch, export_tensors(parts(kept_))};
}

void Training::import_state(const TrainState& state) {
  check_epoch(state);
  std::vector<at::Tensor> kept = room_for_kept(body_, state);
  import_tensors(parts(kept), state.tensors, kWhat);
  kept_ = std::move(kept);
}

void check_train_state(const Body& body, const TrainState& state, const OptimiserOptions& options) {
  check_epoch(state);
  const at::NoGradGuard no_grad;
  std::vector<StateTensor> weights;
  for (const StateTensor& item : state_of(body))
    weights.push_back({item.name, at::empty_like(item.tensor)});
  import_tensors(joined(Optimiser(body, options).memory(), weights, room_for_kept(body, state)),
                 state.tensors, kWhat);
}

}  // namespace tcrops::nn
