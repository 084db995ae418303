#include "tpe.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/tune/sampler.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tcrops::tune {

SamplerKind sampler_from_name(const std::string& name) {
  if (name == "random") return SamplerKind::kRandom;
  if (name == "tpe") return SamplerKind::kTpe;
  static const std::array<std::string, 2> names = {"random", "tpe"};
  throw Error(ExitCode::kConfiguration,
              fmt::format("there is no sampler \"{}\"{}; choose one of: random, tpe", name,
                          suggestion(name, names)));
}

Point suggest(SamplerKind kind, const Space& space, std::uint64_t seed, std::int64_t number,
              std::span<const Observation> observations, const TpeOptions& options) {
  check_space(space);
  check_tpe_options(options);
  Rng rng(seed, "tune.suggest", static_cast<std::uint64_t>(number));
  const auto finished = std::count_if(observations.begin(), observations.end(),
                                      [](const Observation& each) { return each.finished; });
  const auto known =
      options.running == RunningTrials::kBadAndCounted ? std::ssize(observations) : finished;
  if (kind == SamplerKind::kRandom || known < options.startup_trials) {
    return draw_point(space, rng);
  }
  return suggest_tpe(space, observations, options, rng);
}

}  // namespace tcrops::tune
