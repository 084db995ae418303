#pragma once

#include <tcrops/tune/pruner.hpp>
#include <tcrops/tune/sampler.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::tune {

// One trial. `details` is whatever the objective wants kept (metrics, curves).
struct Trial {
  std::int64_t number = 0;
  Point point;
  double value = 0.0;  // of a pruned one the last it reported
  bool acceptable = true;
  std::string reason;        // why not acceptable
  std::int64_t weights = 0;  // trained numbers of the model, for ties
  Json details;
  TrialState state = TrialState::kComplete;
  std::vector<Report> reports;       // by step
  std::vector<Decision> decisions;   // on its reports, by step
  std::optional<Decision> decision;  // that pruned it
  std::string origin;                // where its point comes from when it was not suggested
};

// A point that is tried before anything is suggested.
struct Proposal {
  Point point;
  std::string origin;
};

// How a study is searched. Trial n takes the n-th proposal while there is one; later ones are
// suggested from what is known by then.
struct StudyOptions {
  SamplerKind sampler = SamplerKind::kTpe;
  TpeOptions tpe;
  std::optional<Pruner> pruner;
  std::int64_t trials = 20;
  std::uint64_t seed = 0;
  // Above 0: trial n knows the results and reports of trials 0 .. n - window only; the newer ones
  // count as running. So the study is the same whatever the number of workers, and up to `window`
  // trials can run at once. 0: it knows all there is when it begins, which is recorded.
  std::int64_t window = 2;
  std::vector<Proposal> first;
};
// Throws Error (kConfiguration) for a wrong option.
void check_options(const StudyOptions& options);

// Tells the value after a step; true when the trial is to end here, pruned.
using Reporter = std::function<bool(const Report& report)>;
// Trains and judges one point; a pure function of number and point. What it says of number, point
// and reports is not looked at. A value that is not finite makes a trial not acceptable.
using Objective =
    std::function<Trial(std::int64_t number, const Point& point, const Reporter& report)>;

// The whole study in memory, one trial after the other. Workers that share a storage (worker.hpp)
// give the same trials where the window is above 0. Throws Error (kConfiguration) for a wrong space
// or option, and what the objective throws.
[[nodiscard]] std::vector<Trial> run_study(const Space& space, const StudyOptions& options,
                                           const Objective& objective);

// What an objective gave, made to fit the trial it is for: a value that is not finite becomes 0 and
// not acceptable, with a reason; one that was pruned has the last value it reported.
[[nodiscard]] Trial settled(Trial trial, std::int64_t number, const Point& point,
                            std::vector<Report> reports, std::optional<Decision> pruned);

// Numbers of the best acceptable trials that went to the end, best first: by value, then fewer
// model parameters, then trial number. At most `count`, never two with the same point.
[[nodiscard]] std::vector<std::int64_t> best_trials(const std::vector<Trial>& trials,
                                                    std::size_t count);

}  // namespace tcrops::tune
