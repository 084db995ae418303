#pragma once

#include "parzen.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/tune/sampler.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace tcrops::tune {

// False when a parameter can take one value only; such a one is no axis of an estimator.
[[nodiscard]] bool is_free(const Parameter& parameter);

// The axis of a free parameter (a log range in natural logarithms), the place of a value on it, and
// the way back. `coordinate` throws Error (kArtifact) for a value that does not belong to it.
[[nodiscard]] Axis axis_of(const Parameter& parameter);
[[nodiscard]] double coordinate(const Parameter& parameter, const Value& value);
[[nodiscard]] Value value_at(const Parameter& parameter, double coordinate);

// Indices into the observations, each list by trial number. The best tenth of the finished ones (25
// at most) are good; the rest and those still running are bad. Those that may not win rank after
// all others.
struct Split {
  std::vector<std::size_t> good;
  std::vector<std::size_t> bad;
};
[[nodiscard]] Split split_observations(std::span<const Observation> observations);

// The candidate, drawn from the estimator of the good ones, that maximises good over bad density.
[[nodiscard]] Point suggest_tpe(const Space& space, std::span<const Observation> observations,
                                std::int64_t candidates, Rng& rng);

}  // namespace tcrops::tune
