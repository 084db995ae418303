#pragma once

#include "prelude.hpp"

#include <tcrops/nn/core.hpp>

#include <torch/optim/adam.h>

#include <vector>

namespace tcrops::nn {

// A training in progress: all that changes from one epoch to the next.
class Training {
 public:
  // Trains `layers` in place, with an optimiser that remembers nothing yet.
  Training(torch::nn::Sequential layers, double learning_rate);

  [[nodiscard]] torch::nn::Sequential& layers() { return layers_; }
  [[nodiscard]] torch::optim::Adam& adam() { return adam_; }

  void keep_weights();
  // Does nothing when none were kept.
  void restore_kept_weights();

  // Only after a first epoch: before it, the optimiser has no memory to export.
  [[nodiscard]] TrainState export_state(std::int64_t epoch);
  // As check_train_state; nothing is changed when it throws.
  void import_state(const TrainState& state);

 private:
  torch::nn::Sequential layers_;
  torch::optim::Adam adam_;
  std::vector<at::Tensor> kept_;  // in the order of state_of(), empty when none were kept
};

// Throws as Network::check_state says.
void check_train_state(const torch::nn::Sequential& layers, const TrainState& state);

}  // namespace tcrops::nn
