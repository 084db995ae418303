#pragma once

#include <tcrops/tune/space.hpp>
#include <tcrops/tune/tpe_options.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcrops::tune {

// What a sampler may know of an earlier trial.
struct Observation {
  std::int64_t number = 0;
  Point point;
  bool finished = false;        // false: still running, no value yet
  bool acceptable = true;       // false: finished, but may not win (failed a guard, or diverged)
  double value = 0.0;           // larger is better; of a pruned one the last it reported, or NaN
  bool pruned = false;          // finished early: ranks after all that went to the end
  std::int64_t last_step = -1;  // of a pruned one, -1 where it reported nothing
};

enum class SamplerKind { kRandom, kTpe };
[[nodiscard]] SamplerKind sampler_from_name(const std::string& name);

// The point of trial `number`: a pure function of (space, seed, number, observations), whatever the
// process or thread. Observations must be sorted by number; a finished one whose value is not
// finite is not acceptable. Throws Error: kConfiguration for a wrong space or option, kArtifact for
// an observation from another space.
[[nodiscard]] Point suggest(SamplerKind kind, const Space& space, std::uint64_t seed,
                            std::int64_t number, std::span<const Observation> observations,
                            const TpeOptions& options = {});

}  // namespace tcrops::tune
