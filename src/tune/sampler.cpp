#include "tpe.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/tune/sampler.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tcrops::tune {
namespace {

Value draw_value(const Parameter& parameter, Rng& rng) {
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) {
    const auto count = static_cast<std::uint64_t>(range->high - range->low) + 1;
    return range->low + static_cast<std::int64_t>(rng.below(count));
  }
  if (const auto* choice = std::get_if<Choice>(&parameter.domain)) {
    return choice->options[static_cast<std::size_t>(rng.below(choice->options.size()))];
  }
  const Axis axis = axis_of(parameter);
  return value_at(parameter, axis.low + (axis.high - axis.low) * rng.uniform());
}

Point draw_point(const Space& space, Rng& rng) {
  Point point;
  for (const Parameter& parameter : space) point[parameter.name] = draw_value(parameter, rng);
  return point;
}

}  // namespace

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
  if (options.candidates < 1) {
    throw Error(
        ExitCode::kConfiguration,
        fmt::format("the TPE sampler needs at least 1 candidate, not {}", options.candidates));
  }
  Rng rng(seed, "tune.suggest", static_cast<std::uint64_t>(number));
  const auto finished = std::count_if(observations.begin(), observations.end(),
                                      [](const Observation& each) { return each.finished; });
  if (kind == SamplerKind::kRandom || finished < options.startup_trials) {
    return draw_point(space, rng);
  }
  return suggest_tpe(space, observations, options.candidates, rng);
}

}  // namespace tcrops::tune
