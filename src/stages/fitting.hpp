#pragma once

#include "checkpoint.hpp"
#include "dataset.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/nn/core.hpp>
#include <tcrops/stages/configuration.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// The parameters of one training run, readable; tune chooses some of them.
struct FitParameters {
  std::string model;  // the architecture
  double learning_rate = 0.0;
  std::int64_t epochs = 0;
  std::int64_t schedule_epochs = 0;  // of which those are the first; 0: epochs
  std::int64_t batch_size = 0;
  std::int64_t early_stopping_patience = 0;  // 0: never
  std::string threshold;                     // "best_f1" or "half"
  nn::NetworkOptions network;                // but for its architecture
  bool refit = false;                        // by stage train, not by fit()
  std::string sampling = "equal_classes";
  double missing_pairs = 0.0;
  nn::LossOptions loss;
  nn::OptimiserOptions optimiser;
};
// As the configuration says them.
[[nodiscard]] FitParameters fit_parameters(const PipelineConfig& config);
// The part of a configuration, {"train", "network"}, that shapes every training, whoever chooses
// model, learning_rate and epochs.
[[nodiscard]] Json training_configuration(const PipelineConfig& config);
[[nodiscard]] Json to_json(const FitParameters& parameters);

// A trained network with what training showed.
struct Fitted {
  std::unique_ptr<nn::Network> network;
  double threshold = 0.5;
  Json history;  // [{"epoch", "train_loss", "validation_loss", "validation_average_precision",
                 // "validation_auroc"}]
  bool stopped = false;  // by the watch
};

// The value of an epoch, larger is better, and who decides by it whether the training goes on.
struct Watch {
  // From the validation rows' logits; NaN says nothing good.
  std::function<double(const nn::ModelSpec& spec, std::span<const float> logits)> value;
  // True ends the training here. Called for every epoch in order, those before a continuation
  // included.
  std::function<bool(std::int64_t epoch, double value)> stops;
};

// What a training tells and where it can continue; each may be empty.
struct FitHooks {
  std::function<void(std::int64_t epochs_done)> on_start;  // more than 0 when it continues
  std::function<void(std::int64_t epoch, double train_loss)> on_epoch;
  std::optional<CheckpointPlace> checkpoints;
  std::optional<Watch> watch;  // the history then has "objective", too
};

// Trains on one side and watches another, whose rows the expansion makes features of; the same
// arguments give the same bytes, also when it continues from a checkpoint. One that cannot be used
// is told in a warning and counts as absent. A signal leaves a checkpoint of the last whole epoch.
[[nodiscard]] Fitted fit(const FitParameters& parameters, const data::Expansion& expansion,
                         const SideData& train, const SideData& validation, std::uint64_t seed,
                         const nn::Device& device, const FitHooks& hooks);

// Whether a network sees any epitope, or has a head for this one.
[[nodiscard]] bool has_head(const nn::ModelSpec& spec, const std::string& epitope);

// What of the training rows a network can learn: without heads all; with heads those of epitopes
// that have a binder among them. Says in a warning what is left out.
[[nodiscard]] SideData learnable_rows(SideData train, const nn::NetworkOptions& network);

// The rows of a side that a network has an answer for, and their logits: all but those of epitopes
// without a head.
struct Answered {
  std::vector<std::size_t> rows;  // their numbers
  std::vector<std::uint8_t> labels;
  std::vector<float> logits;
};
[[nodiscard]] Answered answered(const nn::ModelSpec& spec, const SideData& side,
                                std::span<const float> logits);

// False for a network that diverged.
[[nodiscard]] bool all_finite(std::span<const float> values);

// Logistic function of a logit.
[[nodiscard]] double probability_of(float logit);
// Of each.
[[nodiscard]] std::vector<double> probabilities(std::span<const float> logits);

}  // namespace tcrops::stages
