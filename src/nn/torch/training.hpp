#pragma once

#include "body.hpp"
#include "optimiser.hpp"
#include "prelude.hpp"

#include <tcrops/nn/core.hpp>

#include <vector>

namespace tcrops::nn {

// A training in progress: all that changes from one epoch to the next.
class Training {
 public:
  // Trains `body` in place, with an optimiser that remembers nothing yet.
  Training(Body& body, const OptimiserOptions& options);

  [[nodiscard]] Body& body() { return body_; }
  [[nodiscard]] Optimiser& optimiser() { return optimiser_; }

  void keep_weights();
  // Does nothing when none were kept.
  void restore_kept_weights();

  [[nodiscard]] TrainState export_state(std::int64_t epoch) const;
  // As Network::check_state; nothing is changed when it throws.
  void import_state(const TrainState& state);

 private:
  // The tensors of a state, shared with the training.
  [[nodiscard]] std::vector<StateTensor> parts(const std::vector<at::Tensor>& kept) const;

  Body& body_;
  Optimiser optimiser_;
  std::vector<at::Tensor> kept_;  // in the order of state_of(), empty when none were kept
};

// Throws as Network::check_state says.
void check_train_state(const Body& body, const TrainState& state, const OptimiserOptions& options);

}  // namespace tcrops::nn
