#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/tune/tpe_options.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace tcrops::tune {
namespace {

TpeOptions optuna_4_9() {
  TpeOptions options;
  options.coupling = Coupling::kPerParameter;
  options.running = RunningTrials::kIgnored;
  return options;
}

TpeOptions optuna_4_8() {
  TpeOptions options = optuna_4_9();
  options.width = KernelWidth::kNeighboursOrPrior;
  return options;
}

TpeOptions hyperopt() {
  TpeOptions options;
  options.startup_trials = 20;
  options.good_count = GoodCount::kSquareRoot;
  options.good_share = 0.25;
  options.coupling = Coupling::kPerParameter;
  options.running = RunningTrials::kBadAndCounted;
  options.width = KernelWidth::kNeighboursOrHalf;
  options.truncation = Truncation::kMixture;
  options.grid_ends = GridEnds::kAsGiven;
  options.categories = CategoryKernels::kCounts;
  return options;
}

TpeOptions paper() {
  TpeOptions options;
  options.good_share = 0.15;
  options.running = RunningTrials::kIgnored;
  options.weights = KernelWeights::kImprovement;
  options.width = KernelWidth::kNeighboursPriorEnds;
  options.most_kernels = 1e9;
  options.narrowing = 2.0;
  options.narrowest = 0.03;
  return options;
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ExitCode::kConfiguration, "the TPE sampler " + what);
}

}  // namespace

std::span<const std::string> tpe_presets() {
  static const std::array<std::string, 5> names = {"optuna-5.0", "optuna-4.9", "optuna-4.8",
                                                   "hyperopt", "paper"};
  return names;
}

TpeOptions tpe_options(std::string_view preset) {
  if (preset == "optuna-5.0") return {};
  if (preset == "optuna-4.9") return optuna_4_9();
  if (preset == "optuna-4.8") return optuna_4_8();
  if (preset == "hyperopt") return hyperopt();
  if (preset == "paper") return paper();
  const std::string name(preset);
  throw Error(ExitCode::kConfiguration,
              fmt::format("there is no TPE preset \"{}\"{}; choose one of: {}", name,
                          suggestion(name, tpe_presets()), fmt::join(tpe_presets(), ", ")));
}

void check_tpe_options(const TpeOptions& options) {
  if (options.candidates < 1) {
    refuse(fmt::format("needs at least 1 candidate, not {}", options.candidates));
  }
  if (!(options.good_share > 0.0 && options.good_share <= 1.0)) {
    refuse(fmt::format("needs a good_share in (0, 1], not {}", options.good_share));
  }
  if (options.most_good < 1) {
    refuse(fmt::format("needs most_good of at least 1, not {}", options.most_good));
  }
  if (!(options.prior_weight > 0.0 && std::isfinite(options.prior_weight))) {
    refuse(fmt::format("needs a prior_weight above 0, not {}", options.prior_weight));
  }
  if (!(options.narrowest >= 0.0 && options.narrowest <= 1.0 && options.narrowing >= 0.0 &&
        options.most_kernels >= 0.0)) {
    refuse("needs narrowest in [0, 1], and narrowing and most_kernels not below 0");
  }
  if (options.coupling == Coupling::kJoint && (options.truncation == Truncation::kMixture ||
                                               options.categories == CategoryKernels::kCounts)) {
    refuse(
        "cannot cut the whole mixture or count categories when parameters are joint; take each for "
        "itself");
  }
}

}  // namespace tcrops::tune
