#pragma once

#include <tcrops/core/rng.hpp>
#include <tcrops/tune/sampler.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace tcrops::tune {

// Indices into the observations, each list by trial number. By default the best tenth of the
// finished ones (25 at most) are good; the rest and those still running are bad. First come the
// completed by value, then the pruned (by last step, then last value), then those that may not win,
// which are never good.
struct Split {
  std::vector<std::size_t> good;
  std::vector<std::size_t> bad;
};
[[nodiscard]] Split split_observations(std::span<const Observation> observations,
                                       const TpeOptions& options = {});

// The candidate, drawn from the estimator of the good ones, that maximises good over bad density.
// With conditions, parameters that have always occurred together are drawn jointly (Optuna's
// group=True), and one that no finished trial has is drawn at random.
[[nodiscard]] Point suggest_tpe(const Space& space, std::span<const Observation> observations,
                                const TpeOptions& options, Rng& rng);

// Every value equally likely, on a log range its logarithm.
[[nodiscard]] Value draw_value(const Parameter& parameter, Rng& rng);
// The same for all that are active.
[[nodiscard]] Point draw_point(const Space& space, Rng& rng);

}  // namespace tcrops::tune
