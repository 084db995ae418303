#pragma once

#include "fitting.hpp"

#include <tcrops/nn/device.hpp>
#include <tcrops/tune/study.hpp>
#include <tcrops/tune/worker.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// The rows on which a trial's networks learn, are watched and are judged.
struct TrialFold {
  SideData train;
  std::optional<SideData> for_heads;  // those that a network with heads can learn; if one is tried
  SideData watched;
};

[[nodiscard]] const SideData& rows_for(const TrialFold& fold, const FitParameters& parameters);

// Everything the trials of a study share; read-only while they run.
struct TrialBench {
  const PipelineConfig& config;
  nn::Device device;
  const Dataset& dataset;
  TrialFold sides;               // training rows, validation rows
  SideData judge;                // the rows that choose, where there are no inner folds
  std::vector<TrialFold> folds;  // the inner folds
};
[[nodiscard]] TrialBench trial_bench(const PipelineConfig& config, const Dataset& dataset,
                                     const nn::Device& device);

// What stands around a trial while it runs. Each may be empty.
struct TrialSurroundings {
  // Where the network number `part` of the trial keeps its checkpoint.
  std::function<CheckpointPlace(std::size_t part)> checkpoints;
  // Before each network, with the epochs that its checkpoint has done.
  std::function<void(std::int64_t epoch)> on_start;
  // After each epoch of each network; may throw to end the trial.
  std::function<void(std::int64_t epoch)> on_epoch;
  // Tells the value after an epoch of the one network that a trial with a pruner has; true ends it.
  tune::Reporter report;
  // After the last report: the epoch at which the trial was pruned, if it was.
  std::function<std::optional<std::int64_t>()> settle;
};

struct TriedOut {
  tune::Trial trial;
  // The network of the trial's own seed on the training rows; none where it was not trained so.
  std::optional<Fitted> fitted;
};

// What the rows that judge a trial are called: validation, test or inner_folds.
[[nodiscard]] std::string judged_rows_name(const TuneConfig& config);

// The seed of a trial, and the seed of its n-th repetition (0: its own).
[[nodiscard]] std::uint64_t trial_seed(std::int64_t study_seed, std::int64_t number);
[[nodiscard]] std::uint64_t repeated_seed(std::uint64_t seed, std::size_t repetition);

// Trains and judges one point: a pure function of bench, seed and point, whatever it continues
// from. Settings that do not fit together make a failed trial, with the reason.
[[nodiscard]] TriedOut try_out(const TrialBench& bench, std::uint64_t seed,
                               const tune::Point& point, const TrialSurroundings& around);

// A network on the training rows, watched on the validation rows.
[[nodiscard]] Fitted fit_on_sides(const TrialBench& bench, const FitParameters& parameters,
                                  std::uint64_t seed);

}  // namespace tcrops::stages
