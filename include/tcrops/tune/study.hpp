#pragma once

#include <tcrops/tune/sampler.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tcrops::tune {

// One finished trial. `details` is whatever the objective wants kept (metrics, curves).
struct Trial {
  std::int64_t number = 0;
  Point point;
  double value = 0.0;
  bool acceptable = true;
  std::string reason;        // why not acceptable
  std::int64_t weights = 0;  // trained numbers of the model, for ties
  Json details;
};

struct StudyOptions {
  SamplerKind sampler = SamplerKind::kTpe;
  TpeOptions tpe;
  std::int64_t trials = 20;
  std::uint64_t seed = 0;
  // Trial n is suggested from the results of trials 0 .. n - window only; the newer ones count as
  // running. So the study is the same whatever the number of jobs, and up to `window` trials can
  // run at once.
  std::int64_t window = 2;
  std::int64_t jobs = 1;  // threads; never changes a result
};

// How a study meets the outside. All are called with trial numbers; `run` from several threads at
// once when jobs > 1, the others one at a time.
struct StudyHooks {
  // Trains and judges one point. Must be a pure function of its arguments.
  std::function<Trial(std::int64_t number, const Point& point)> run;
  // A finished trial from an earlier, interrupted process, if there is one for exactly this point.
  std::function<bool(std::int64_t number, const Point& point, Trial& trial)> recall;
  // Keeps a finished trial so that `recall` finds it.
  std::function<void(const Trial& trial)> keep;
  // Called after each trial, for progress. Optional.
  std::function<void(const Trial& trial, std::int64_t done)> progress;
};

// Runs the study and returns its trials by number. An exception of `run` ends the study after the
// running trials have been kept, and is rethrown (of several, that of the lowest trial); so does an
// interrupt. A value that is not finite makes its trial not acceptable, with a reason, and becomes
// 0 so that it can be written. Throws Error (kConfiguration) for a wrong space or option.
[[nodiscard]] std::vector<Trial> run_study(const Space& space, const StudyOptions& options,
                                           const StudyHooks& hooks);

// Numbers of the best acceptable trials, best first: by value, then fewer model parameters, then
// trial number. At most `count`, never two with the same point.
[[nodiscard]] std::vector<std::int64_t> best_trials(const std::vector<Trial>& trials,
                                                    std::size_t count);

}  // namespace tcrops::tune
