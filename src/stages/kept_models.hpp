#pragma once

#include "study_files.hpp"
#include "trial_work.hpp"

#include <tcrops/store/store.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::stages {

// The best models of a study, each trained again with further seeds to say how much it varies.

// One of them as manifests describe it: {"trial", "value", "seed", "parameters", "point",
// "trained_numbers", "metrics", "spread": {"seeds", "values", "mean", "sd"}}; sd is that of the
// sample, null for one seed. A seed whose training is not acceptable has a null value.
struct KeptModel {
  std::int64_t trial = 0;
  Json facts;
};

// Trains what is missing, `jobs` at a time; what is done stays in the folder, so that a process
// that is killed goes on from there. Throws Error (kFailure) when a trial, trained again, has
// another value than it had.
[[nodiscard]] std::vector<KeptModel> describe_kept(const TrialBench& bench,
                                                   const std::vector<tune::Trial>& trials,
                                                   const std::vector<std::int64_t>& best,
                                                   StudyFolder& folder, std::int64_t jobs);

// The network of a trial, from the folder or trained again.
[[nodiscard]] Fitted network_of(const TrialBench& bench, const tune::Trial& trial,
                                StudyFolder& folder);

}  // namespace tcrops::stages
