#include "tpe.hpp"

#include "axis.hpp"
#include "groups.hpp"
#include "history.hpp"
#include "kernel_rules.hpp"
#include "parzen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace tcrops::tune {
namespace {

bool may_win(const Observation& observation) {
  return observation.acceptable && (observation.pruned || std::isfinite(observation.value));
}

// A NaN is worse than any number.
double or_worst(double value) {
  return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
}

bool better(const Observation& a, const Observation& b) {
  const auto rank = [](const Observation& each) {
    if (!may_win(each)) return 2;
    return each.pruned ? 1 : 0;
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (rank(a) == 0) return a.value > b.value;
  if (rank(a) == 2) return false;
  if (a.last_step != b.last_step) return a.last_step > b.last_step;
  return or_worst(a.value) > or_worst(b.value);
}

std::size_t good_count(std::size_t trials, const TpeOptions& options) {
  const auto n = static_cast<double>(trials);
  const double base = options.good_count == GoodCount::kLinear ? n : std::sqrt(n);
  // 0.1 * 30 may come out as a bit more than 3.
  const auto count = static_cast<std::size_t>(std::ceil(options.good_share * base - 1e-9));
  return std::min(count, static_cast<std::size_t>(options.most_good));
}

// One suggestion; lives as long as its arguments.
class Suggestion {
 public:
  Suggestion(const Space& space, std::span<const Observation> observations,
             const TpeOptions& options, Rng& rng)
      : space_(space),
        observations_(observations),
        options_(options),
        rng_(rng),
        history_(space, observations),
        split_(split_observations(observations, options)) {
    if (options.weights == KernelWeights::kImprovement) find_best_bad();
  }

  Point joint() {
    std::vector<std::optional<Value>> drawn(space_.size());
    for (const std::vector<std::size_t>& group : groups()) {
      const Coordinates best = best_candidate(group);
      for (std::size_t i = 0; i < group.size(); ++i) {
        drawn[group[i]] = value_at(space_[group[i]], best[i]);
      }
    }
    return filled([&](std::size_t p) {
      return drawn[p] ? std::move(*drawn[p]) : draw_value(space_[p], rng_);
    });
  }

  Point per_parameter() {
    return filled([&](std::size_t p) { return value_at(space_[p], best_candidate({p}).front()); });
  }

 private:
  // The active parameters in order; the free ones by `choose`.
  template <class Choose>
  Point filled(const Choose& choose) {
    Point point;
    for (std::size_t p = 0; p < space_.size(); ++p) {
      if (!is_active(space_[p], point)) continue;
      point[space_[p].name] = history_.is_free(p) ? choose(p) : only_value(space_[p]);
    }
    return point;
  }

  [[nodiscard]] std::vector<std::vector<std::size_t>> groups() const {
    if (history_.has_conditions()) return groups_of(history_.finished());
    if (history_.free().empty()) return {};
    return {history_.free()};
  }

  void find_best_bad() {
    for (const std::size_t i : split_.bad) {
      const Observation& each = observations_[i];
      if (!each.finished || each.pruned || !may_win(each)) continue;
      if (!(best_bad_ >= each.value)) best_bad_ = each.value;  // it may be NaN
    }
  }

  [[nodiscard]] std::vector<double> good_weights(const std::vector<std::size_t>& rows) const {
    std::vector<double> values;
    values.reserve(rows.size());
    for (const std::size_t i : rows) {
      values.push_back(observations_[i].pruned ? std::nan("") : observations_[i].value);
    }
    std::vector<double> weights = improvement_weights(values, best_bad_);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const double mean = rows.empty() ? 1.0 : sum / static_cast<double>(rows.size());
    weights.push_back(options_.prior_weight * mean);
    return weights;
  }

  enum class List { kGood, kBad };

  // The estimator of those trials of a list that have all the parameters.
  [[nodiscard]] ParzenEstimator estimator(const std::vector<std::size_t>& parameters,
                                          List list) const {
    const std::vector<std::size_t> rows =
        history_.with_all(list == List::kGood ? split_.good : split_.bad, parameters);
    std::vector<Axis> axes;
    Columns columns;
    for (const std::size_t p : parameters) {
      axes.push_back(axis_of(space_[p], options_.grid_ends));
      columns.push_back(history_.column(p, rows));
    }
    std::vector<double> weights;
    if (options_.weights == KernelWeights::kAge) {
      weights = age_weights(rows.size());
      weights.push_back(options_.prior_weight);
    } else if (list == List::kBad) {
      weights.assign(rows.size(), 1.0);
      weights.push_back(options_.prior_weight);
    } else {
      weights = good_weights(rows);
    }
    return {std::move(axes), columns, std::move(weights), options_};
  }

  Coordinates best_candidate(const std::vector<std::size_t>& parameters) {
    const ParzenEstimator good = estimator(parameters, List::kGood);
    const ParzenEstimator bad = estimator(parameters, List::kBad);
    std::vector<Coordinates> candidates;
    for (std::int64_t i = 0; i < options_.candidates; ++i) candidates.push_back(good.draw(rng_));
    const std::vector<double> likely = good.log_densities(candidates);
    const std::vector<double> unlikely = bad.log_densities(candidates);
    std::size_t best = 0;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      if (likely[i] - unlikely[i] > likely[best] - unlikely[best]) best = i;
    }
    return std::move(candidates[best]);
  }

  const Space& space_;
  std::span<const Observation> observations_;
  const TpeOptions& options_;
  Rng& rng_;
  History history_;
  Split split_;
  double best_bad_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace

Split split_observations(std::span<const Observation> observations, const TpeOptions& options) {
  std::vector<std::size_t> finished;
  Split split;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (observations[i].finished) finished.push_back(i);
  }
  const bool all = options.running == RunningTrials::kBadAndCounted;
  const std::size_t count = good_count(all ? observations.size() : finished.size(), options);
  std::stable_sort(finished.begin(), finished.end(), [&](std::size_t a, std::size_t b) {
    return better(observations[a], observations[b]);
  });
  finished.resize(std::min(finished.size(), count));
  // What may not win is no example to follow: with none that may, only the prior stays in "good".
  std::erase_if(finished, [&](std::size_t i) { return !may_win(observations[i]); });
  std::sort(finished.begin(), finished.end());
  split.good = finished;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (options.running == RunningTrials::kIgnored && !observations[i].finished) continue;
    if (!std::binary_search(finished.begin(), finished.end(), i)) split.bad.push_back(i);
  }
  return split;
}

Value draw_value(const Parameter& parameter, Rng& rng) {
  const auto* range = std::get_if<IntegerRange>(&parameter.domain);
  if (range != nullptr && !range->log) {
    const auto steps = static_cast<std::uint64_t>((range->high - range->low) / range->step);
    return range->low + range->step * static_cast<std::int64_t>(rng.below(steps + 1));
  }
  if (const auto* choice = std::get_if<Choice>(&parameter.domain)) {
    return choice->options[static_cast<std::size_t>(rng.below(choice->options.size()))];
  }
  const Axis axis = axis_of(parameter);
  if (axis.kind == Axis::Kind::kGrid && !axis.log) {
    const auto index = static_cast<double>(rng.below(axis.options));
    return value_at(parameter, axis.first + axis.step * index);
  }
  return value_at(parameter, axis.low + (axis.high - axis.low) * rng.uniform());
}

Point draw_point(const Space& space, Rng& rng) {
  Point point;
  for (const Parameter& parameter : space) {
    if (is_active(parameter, point)) point[parameter.name] = draw_value(parameter, rng);
  }
  return point;
}

Point suggest_tpe(const Space& space, std::span<const Observation> observations,
                  const TpeOptions& options, Rng& rng) {
  Suggestion suggestion(space, observations, options, rng);
  return options.coupling == Coupling::kJoint ? suggestion.joint() : suggestion.per_parameter();
}

}  // namespace tcrops::tune
