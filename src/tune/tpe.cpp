#include "tpe.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tcrops::tune {
namespace {

constexpr std::size_t kMostGood = 25;

[[noreturn]] void foreign_value(const Parameter& parameter) {
  throw Error(ExitCode::kArtifact,
              fmt::format("an earlier trial's value of parameter \"{}\" does not belong to this "
                          "search space",
                          parameter.name));
}

template <class Type>
const Type& held(const Parameter& parameter, const Value& value) {
  const Type* found = std::get_if<Type>(&value);
  if (found == nullptr) foreign_value(parameter);
  return *found;
}

bool may_win(const Observation& observation) {
  return observation.acceptable && std::isfinite(observation.value);
}

// The only value of a parameter that is not free.
Value only_value(const Parameter& parameter) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) return range->low;
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) return range->low;
  return std::get<Choice>(parameter.domain).options.front();
}

std::vector<Coordinates> coordinates_of(const std::vector<Parameter>& parameters,
                                        std::span<const Observation> observations,
                                        const std::vector<std::size_t>& chosen) {
  std::vector<Coordinates> result;
  for (const std::size_t i : chosen) {
    Coordinates place;
    for (const Parameter& parameter : parameters) {
      const auto found = observations[i].point.find(parameter.name);
      if (found == observations[i].point.end()) foreign_value(parameter);
      place.push_back(coordinate(parameter, found->second));
    }
    result.push_back(std::move(place));
  }
  return result;
}

Coordinates best_candidate(const ParzenEstimator& good, const ParzenEstimator& bad,
                           std::int64_t candidates, Rng& rng) {
  Coordinates best;
  double best_score = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < candidates; ++i) {
    Coordinates candidate = good.draw(rng);
    const double score = good.log_density(candidate) - bad.log_density(candidate);
    if (best.empty() || score > best_score) {
      best = std::move(candidate);
      best_score = score;
    }
  }
  return best;
}

}  // namespace

bool is_free(const Parameter& parameter) {
  if (const auto* choice = std::get_if<Choice>(&parameter.domain)) {
    return choice->options.size() > 1;
  }
  const Axis axis = axis_of(parameter);
  return axis.kind == Axis::Kind::kInteger ? axis.high - axis.low > 1.0 : axis.low < axis.high;
}

Axis axis_of(const Parameter& parameter) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) {
    return range->log
               ? Axis{Axis::Kind::kContinuous, std::log(range->low), std::log(range->high), 0}
               : Axis{Axis::Kind::kContinuous, range->low, range->high, 0};
  }
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) {
    return {Axis::Kind::kInteger, static_cast<double>(range->low) - 0.5,
            static_cast<double>(range->high) + 0.5, 0};
  }
  return {Axis::Kind::kCategory, 0.0, 1.0, std::get<Choice>(parameter.domain).options.size()};
}

double coordinate(const Parameter& parameter, const Value& value) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) {
    const double x = held<double>(parameter, value);
    if (!(x >= range->low && x <= range->high)) foreign_value(parameter);
    return range->log ? std::log(x) : x;
  }
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) {
    const std::int64_t x = held<std::int64_t>(parameter, value);
    if (x < range->low || x > range->high) foreign_value(parameter);
    return static_cast<double>(x);
  }
  const std::vector<std::string>& options = std::get<Choice>(parameter.domain).options;
  const auto found = std::find(options.begin(), options.end(), held<std::string>(parameter, value));
  if (found == options.end()) foreign_value(parameter);
  return static_cast<double>(found - options.begin());
}

Value value_at(const Parameter& parameter, double coordinate) {
  if (const auto* range = std::get_if<FloatRange>(&parameter.domain)) {
    return std::clamp(range->log ? std::exp(coordinate) : coordinate, range->low, range->high);
  }
  if (const auto* range = std::get_if<IntegerRange>(&parameter.domain)) {
    return std::clamp(static_cast<std::int64_t>(std::llround(coordinate)), range->low, range->high);
  }
  return std::get<Choice>(parameter.domain).options[static_cast<std::size_t>(coordinate)];
}

Split split_observations(std::span<const Observation> observations) {
  std::vector<std::size_t> finished;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (observations[i].finished) finished.push_back(i);
  }
  std::stable_sort(finished.begin(), finished.end(), [&](std::size_t a, std::size_t b) {
    const bool a_may = may_win(observations[a]);
    const bool b_may = may_win(observations[b]);
    if (!a_may || !b_may) return a_may && !b_may;
    return observations[a].value > observations[b].value;
  });
  finished.resize(std::min((finished.size() + 9) / 10, kMostGood));  // a tenth, rounded up
  // What may not win is no example to follow: with none that may, only the prior stays in "good".
  std::erase_if(finished, [&](std::size_t i) { return !may_win(observations[i]); });
  std::sort(finished.begin(), finished.end());
  Split split;
  split.good = finished;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (!std::binary_search(finished.begin(), finished.end(), i)) split.bad.push_back(i);
  }
  return split;
}

Point suggest_tpe(const Space& space, std::span<const Observation> observations,
                  std::int64_t candidates, Rng& rng) {
  Point point;
  std::vector<Parameter> parameters;
  std::vector<Axis> axes;
  for (const Parameter& parameter : space) {
    if (is_free(parameter)) {
      parameters.push_back(parameter);
      axes.push_back(axis_of(parameter));
    } else {
      point[parameter.name] = only_value(parameter);
    }
  }
  if (parameters.empty()) return point;
  const Split split = split_observations(observations);
  const ParzenEstimator good(axes, coordinates_of(parameters, observations, split.good));
  const ParzenEstimator bad(axes, coordinates_of(parameters, observations, split.bad));
  const Coordinates best = best_candidate(good, bad, candidates, rng);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    point[parameters[i].name] = value_at(parameters[i], best[i]);
  }
  return point;
}

}  // namespace tcrops::tune
