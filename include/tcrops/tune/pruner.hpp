#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace tcrops::tune {

// Whether to stop a trial early, from what trials have reported. Pure functions: the same reports
// give the same decision in any process, and a stored decision can be checked again.

struct Report {
  std::int64_t step = 0;
  double value = 0.0;  // larger is better; NaN where the trial diverged
};

enum class TrialState { kRunning, kComplete, kPruned, kFailed };
// running, complete, pruned, failed; the way back throws Error (kArtifact).
[[nodiscard]] std::string state_name(TrialState state);
[[nodiscard]] TrialState state_from_name(const std::string& name);

struct ReportedTrial {
  std::int64_t number = 0;
  TrialState state = TrialState::kRunning;
  std::vector<Report> reports;  // by step, no step twice
};

// Stops a trial whose best value so far is below a percentile of what the completed trials had at
// the same step: the best `percentile` of 100 go on; 50 is the median rule.
struct PercentilePruner {
  double percentile = 50.0;
  std::int64_t startup_trials = 5;  // completed before anything is stopped
  std::int64_t warmup_steps = 0;    // steps below are not judged
  std::int64_t interval_steps = 1;  // only the first report of each interval is judged
  std::int64_t least_trials = 1;    // completed with a value at the step
};

// Asynchronous successive halving (Li et al., 2020), as Optuna does it: rung k is at step
// min_resource * reduction_factor^(early_stopping_rate + k); of n values that have reached it the
// best n / reduction_factor, at least one, go on.
struct AshaPruner {
  // 0: a hundredth of the longest completed trial, at least 1; nothing stops before there is one.
  std::int64_t min_resource = 0;
  std::int64_t reduction_factor = 4;
  std::int64_t early_stopping_rate = 0;
};

// Hyperband (Li et al., 2018): every trial is in one of several successive halvings, which differ
// in how early they stop. The bracket is a function of the study's seed and the trial's number.
struct HyperbandPruner {
  std::int64_t min_resource = 1;
  // 0: one more than the last step of the longest completed trial; nothing stops before there is
  // one.
  std::int64_t max_resource = 0;
  std::int64_t reduction_factor = 3;
};

using Pruner = std::variant<PercentilePruner, AshaPruner, HyperbandPruner>;

// What was decided and on what evidence.
struct Decision {
  bool prune = false;
  std::string rule;                  // median, percentile, asha, hyperband
  std::string reason;                // one line
  std::optional<std::int64_t> step;  // that was judged
  std::optional<double> own;         // what counted of this trial: best so far, or at the rung
  std::optional<double> threshold;   // that `own` had to reach
  std::int64_t compared = 0;         // values behind the threshold; at a rung the own one included
  std::optional<std::int64_t> rung;
  std::optional<std::int64_t> bracket;
};
[[nodiscard]] Json to_json(const Decision& decision);
// The way back; NaN comes back as none. Throws Error (kArtifact).
[[nodiscard]] Decision decision_from_json(const Json& json);

// Judges the last report of `trial`. To be asked after every report; `others` are the study's other
// trials as they are known, in any order (the trial itself among them is left out). Of a pruned
// trial whose last report passed several rungs the lowest of these counts. Throws Error
// (kConfiguration) for a wrong option.
[[nodiscard]] Decision judge(const Pruner& pruner, std::uint64_t study_seed,
                             std::span<const ReportedTrial> others, const ReportedTrial& trial);

// How many brackets there are with a maximal resource, exact for powers of the factor, and the one
// of a trial: bracket b gets a share in proportion to ceil(B factor^s / (s + 1)), s = B - 1 - b.
[[nodiscard]] std::int64_t hyperband_brackets(const HyperbandPruner& pruner,
                                              std::int64_t max_resource);
[[nodiscard]] std::int64_t hyperband_bracket(const HyperbandPruner& pruner,
                                             std::int64_t max_resource, std::uint64_t study_seed,
                                             std::int64_t trial);

}  // namespace tcrops::tune
