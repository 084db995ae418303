#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tcrops::tune {

// The forms a tree-structured Parzen estimator has taken. Every published version is a choice of
// these; `tpe_options` fills them in.

// How many of N trials are "good": share * N, or share * sqrt(N), rounded up.
enum class GoodCount { kLinear, kSquareRoot };
// Kernel of one observation. Age: 1 for the newest 25 of a list, falling linearly to 1/n before.
// Improvement: the good ones by how far they beat the best of the bad ones, the bad ones equally.
enum class KernelWeights { kAge, kImprovement };
// Standard deviation of a kernel: the larger distance to its two neighbours on the axis,
// kNeighbours            among the observations; a single one reaches to the farther end;
// kNeighboursOrPrior     among the observations and the middle of the range;
// kNeighboursOrHalf      the same, but half the range for a single observation;
// kNeighboursOrEnds      among the observations and both ends of the range;
// kNeighboursPriorEnds   among the observations, the middle and both ends;
// kByCount               0.2 n^(-1/(d+4)) of the range for all, d parameters.
enum class KernelWidth {
  kNeighbours,
  kNeighboursOrPrior,
  kNeighboursOrHalf,
  kNeighboursOrEnds,
  kNeighboursPriorEnds,
  kByCount
};
// What trials without a value count as: nothing; bad; bad, and counted among N and the start-up.
enum class RunningTrials { kIgnored, kBad, kBadAndCounted };
// What is cut at the ends of a range: every kernel, each keeping its weight, or the whole mixture.
// The latter is for one parameter at a time only.
enum class Truncation { kEachKernel, kMixture };
// Whether the range of whole numbers and steps reaches half a step beyond its ends.
enum class GridEnds { kWidened, kAsGiven };
// One kernel per observation, or one vector of weighted counts (one parameter at a time only).
enum class CategoryKernels { kPerObservation, kCounts };
// All parameters in one mixture of products, or each for itself.
enum class Coupling { kJoint, kPerParameter };

// The default is Optuna 5.0's.
struct TpeOptions {
  std::int64_t startup_trials = 10;  // random until so many are finished
  std::int64_t candidates = 24;      // drawn from the good ones; per parameter unless joint

  GoodCount good_count = GoodCount::kLinear;
  double good_share = 0.1;
  std::int64_t most_good = 25;

  Coupling coupling = Coupling::kJoint;
  RunningTrials running = RunningTrials::kBad;
  KernelWeights weights = KernelWeights::kAge;
  double prior_weight = 1.0;  // beside kernels of weight 1; relative to their mean for kImprovement

  KernelWidth width = KernelWidth::kNeighbours;
  // The narrowest kernel, in ranges, with n observations:
  // max(narrowest, min(n + 2, most_kernels)^-narrowing). 0 kernels: no limit.
  double most_kernels = 100.0;
  double narrowing = 1.0;
  double narrowest = 0.0;

  Truncation truncation = Truncation::kEachKernel;
  GridEnds grid_ends = GridEnds::kWidened;
  CategoryKernels categories = CategoryKernels::kPerObservation;
};

// The names of the presets, the default first: optuna-5.0, optuna-4.9, optuna-4.8 (as 3.6 to 4.8),
// hyperopt, paper (Watanabe, arXiv 2304.11127). They match their namesakes in distribution, not in
// the stream of random numbers. Throws Error (kConfiguration) for another name.
[[nodiscard]] std::span<const std::string> tpe_presets();
[[nodiscard]] TpeOptions tpe_options(std::string_view preset);

// Throws Error (kConfiguration) for options that no estimator can be built from.
void check_tpe_options(const TpeOptions& options);

}  // namespace tcrops::tune
