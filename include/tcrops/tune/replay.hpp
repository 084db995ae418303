#pragma once

#include <tcrops/tune/storage.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tcrops::tune {

// What a repetition found different, in words.
struct ReplayProblem {
  std::int64_t number = 0;
  std::string problem;
};

struct ReplayHooks {
  // Trains a trial again; `report` gives the recorded decisions. Empty: only points and decisions
  // are repeated.
  Objective objective;
  // After each trial. Optional.
  std::function<void(std::int64_t done)> progress;
};

// Repeats a study one trial after the other from what each had seen: every suggestion, every
// decision of the pruner and, with an objective, every report and result, down to the last bit.
// Trials that have not ended are left out; a failed one is not trained again.
[[nodiscard]] std::vector<ReplayProblem> replay(const Space& space, const StudyOptions& options,
                                                const std::vector<TrialRecord>& records,
                                                const ReplayHooks& hooks);

}  // namespace tcrops::tune
