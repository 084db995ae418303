#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/tune/pruner.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tcrops::tune {
namespace {

void at_least(const char* name, std::int64_t value, std::int64_t least) {
  if (value >= least) return;
  throw Error(ExitCode::kConfiguration,
              fmt::format("pruner: {} must be at least {}, not {}", name, least, value));
}

void check(const PercentilePruner& pruner) {
  if (!(pruner.percentile >= 0.0 && pruner.percentile <= 100.0)) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("pruner: percentile must be in [0, 100], not {}", pruner.percentile));
  }
  at_least("startup_trials", pruner.startup_trials, 0);
  at_least("warmup_steps", pruner.warmup_steps, 0);
  at_least("interval_steps", pruner.interval_steps, 1);
  at_least("least_trials", pruner.least_trials, 1);
}

void check(const AshaPruner& pruner) {
  at_least("min_resource", pruner.min_resource, 0);
  at_least("reduction_factor", pruner.reduction_factor, 2);
  at_least("early_stopping_rate", pruner.early_stopping_rate, 0);
}

void check(const HyperbandPruner& pruner) {
  at_least("min_resource", pruner.min_resource, 1);
  at_least("reduction_factor", pruner.reduction_factor, 2);
  if (pruner.max_resource != 0) {
    at_least("max_resource", pruner.max_resource, pruner.min_resource);
  }
}

Decision go_on(Decision decision, std::string reason) {
  decision.reason = std::move(reason);
  return decision;
}

Decision stop(Decision decision, std::string reason) {
  decision.prune = true;
  decision.reason = std::move(reason);
  return decision;
}

// NaN when all are NaN.
double best_value(const std::vector<Report>& reports) {
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const Report& report : reports) {
    if (!(best >= report.value) && !std::isnan(report.value)) best = report.value;
  }
  return best;
}

// Linear between the order statistics, as numpy's percentile; of at least one value.
double percentile_of(std::vector<double> values, double percentile) {
  std::sort(values.begin(), values.end());
  const double place = percentile / 100.0 * static_cast<double>(values.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), values.size() - 1);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double share = place - static_cast<double>(below);
  const double gap = values[above] - values[below];
  if (share == 0.0 || gap == 0.0) return values[below];
  return share < 0.5 ? values[below] + gap * share : values[above] - gap * (1.0 - share);
}

// Whether the last report is the first one in its interval.
bool is_first_in_interval(const std::vector<Report>& reports, const PercentilePruner& pruner) {
  const std::int64_t step = reports.back().step;
  const std::int64_t start =
      (step - pruner.warmup_steps) / pruner.interval_steps * pruner.interval_steps +
      pruner.warmup_steps;
  return reports.size() == 1 || reports[reports.size() - 2].step < start;
}

// The step of the longest completed trial, if one has reported.
std::optional<std::int64_t> last_completed_step(std::span<const ReportedTrial> others) {
  std::optional<std::int64_t> last;
  for (const ReportedTrial& each : others) {
    if (each.state != TrialState::kComplete || each.reports.empty()) continue;
    last = std::max(last.value_or(0), each.reports.back().step);
  }
  return last;
}

// A successive halving with its resource settled.
class Halving {
 public:
  Halving(std::int64_t min_resource, std::int64_t reduction_factor, std::int64_t rate)
      : factor_(reduction_factor), first_(min_resource) {
    for (std::int64_t i = 0; i < rate; ++i) first_ = times_factor(first_);
  }

  // How many rungs lie at or below a step.
  [[nodiscard]] std::int64_t rungs_within(std::int64_t step) const {
    std::int64_t count = 0;
    for (std::int64_t at = first_; at <= step; at = times_factor(at)) {
      ++count;
      if (at == kFar) break;
    }
    return count;
  }

  // The value with which a trial reached a rung, if it did.
  [[nodiscard]] std::optional<double> value_at(const ReportedTrial& trial,
                                               std::int64_t rung) const {
    std::int64_t passed = 0;
    for (std::size_t i = 0; i < trial.reports.size(); ++i) {
      const Report& report = trial.reports[i];
      const std::int64_t now = rungs_within(report.step);
      const bool ended_here = trial.state == TrialState::kPruned && i + 1 == trial.reports.size();
      if (rung < now && (rung == passed || (rung > passed && !ended_here))) {
        if (std::isnan(report.value)) return std::nullopt;
        return report.value;
      }
      passed = now;
    }
    return std::nullopt;
  }

  [[nodiscard]] Decision judge(std::span<const ReportedTrial> others, const ReportedTrial& trial,
                               Decision decision) const {
    const Report& last = trial.reports.back();
    const std::int64_t before =
        trial.reports.size() > 1 ? rungs_within(trial.reports[trial.reports.size() - 2].step) : 0;
    const std::int64_t now = rungs_within(last.step);
    decision.step = last.step;
    if (now == before) return go_on(std::move(decision), "no rung reached");
    for (std::int64_t rung = before; rung < now; ++rung) {
      decision.rung = rung;
      if (std::isnan(last.value)) return stop(std::move(decision), "the value is not a number");
      decision.own = last.value;
      std::vector<double> values = {last.value};
      for (const ReportedTrial& each : others) {
        if (each.number == trial.number) continue;
        if (const auto value = value_at(each, rung)) values.push_back(*value);
      }
      const auto count = static_cast<std::int64_t>(values.size());
      std::sort(values.begin(), values.end(), std::greater<>());
      const std::int64_t kept = std::max<std::int64_t>(count / factor_, 1);
      decision.compared = count;
      decision.threshold = values[static_cast<std::size_t>(kept - 1)];
      if (last.value < *decision.threshold) {
        return stop(std::move(decision),
                    fmt::format("not among the best {} of {} at rung {}", kept, count, rung));
      }
    }
    return go_on(std::move(decision), fmt::format("among the best at rung {}", now - 1));
  }

 private:
  static constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] std::int64_t times_factor(std::int64_t value) const {
    return value > kFar / factor_ ? kFar : value * factor_;
  }

  std::int64_t factor_;
  std::int64_t first_;  // the step of rung 0
};

Decision judge_by(const PercentilePruner& pruner, std::uint64_t,
                  std::span<const ReportedTrial> others, const ReportedTrial& trial) {
  Decision decision;
  decision.rule = fmt::format("{}", pruner.percentile == 50.0 ? "median" : "percentile");
  std::int64_t completed = 0;
  for (const ReportedTrial& each : others) {
    completed += each.state == TrialState::kComplete && each.number != trial.number ? 1 : 0;
  }
  if (trial.reports.empty()) return go_on(std::move(decision), "nothing reported");
  const std::int64_t step = trial.reports.back().step;
  decision.step = step;
  if (completed == 0 || completed < pruner.startup_trials) {
    return go_on(std::move(decision),
                 fmt::format("{} completed trials, {} needed", completed, pruner.startup_trials));
  }
  if (step < pruner.warmup_steps) return go_on(std::move(decision), "in the warm-up");
  if (!is_first_in_interval(trial.reports, pruner)) {
    return go_on(std::move(decision), "not the first report of its interval");
  }
  const double own = best_value(trial.reports);
  if (std::isnan(own)) return stop(std::move(decision), "no value is a number");
  decision.own = own;
  std::int64_t at_step = 0;
  std::vector<double> values;
  for (const ReportedTrial& each : others) {
    if (each.state != TrialState::kComplete || each.number == trial.number) continue;
    for (const Report& report : each.reports) {
      if (report.step != step) continue;
      ++at_step;
      if (!std::isnan(report.value)) values.push_back(report.value);
    }
  }
  decision.compared = std::ssize(values);
  if (at_step < pruner.least_trials || values.empty()) {
    return go_on(std::move(decision),
                 fmt::format("{} completed trials have a value at step {}", values.size(), step));
  }
  const double threshold = percentile_of(std::move(values), 100.0 - pruner.percentile);
  decision.threshold = threshold;
  if (own >= threshold) return go_on(std::move(decision), "the best so far is good enough");
  return stop(std::move(decision), "the best so far is below the completed trials' percentile");
}

Decision judge_by(const AshaPruner& pruner, std::uint64_t, std::span<const ReportedTrial> others,
                  const ReportedTrial& trial) {
  Decision decision;
  decision.rule.append("asha");
  if (trial.reports.empty()) return go_on(std::move(decision), "nothing reported");
  std::int64_t resource = pruner.min_resource;
  if (resource == 0) {
    const auto last = last_completed_step(others);
    if (!last) return go_on(std::move(decision), "no completed trial to take the first rung from");
    resource = std::max<std::int64_t>(*last / 100, 1);
  }
  const Halving halving(resource, pruner.reduction_factor, pruner.early_stopping_rate);
  return halving.judge(others, trial, std::move(decision));
}

Decision judge_by(const HyperbandPruner& pruner, std::uint64_t study_seed,
                  std::span<const ReportedTrial> others, const ReportedTrial& trial) {
  Decision decision;
  decision.rule.append("hyperband");
  if (trial.reports.empty()) return go_on(std::move(decision), "nothing reported");
  std::int64_t resource = pruner.max_resource;
  if (resource == 0) {
    const auto last = last_completed_step(others);
    if (!last) return go_on(std::move(decision), "no completed trial to take the brackets from");
    resource = std::max(*last + 1, pruner.min_resource);
  }
  const auto bracket_of = [&](std::int64_t number) {
    return hyperband_bracket(pruner, resource, study_seed, number);
  };
  const std::int64_t bracket = bracket_of(trial.number);
  decision.bracket = bracket;
  std::vector<ReportedTrial> peers;
  for (const ReportedTrial& each : others) {
    if (bracket_of(each.number) == bracket) peers.push_back(each);
  }
  const Halving halving(pruner.min_resource, pruner.reduction_factor, bracket);
  return halving.judge(peers, trial, std::move(decision));
}

}  // namespace

std::string state_name(TrialState state) {
  switch (state) {
    case TrialState::kRunning:
      return "running";
    case TrialState::kComplete:
      return "complete";
    case TrialState::kPruned:
      return "pruned";
    case TrialState::kFailed:
      return "failed";
  }
  return "";
}

TrialState state_from_name(const std::string& name) {
  for (const TrialState state :
       {TrialState::kRunning, TrialState::kComplete, TrialState::kPruned, TrialState::kFailed}) {
    if (state_name(state) == name) return state;
  }
  throw Error(ExitCode::kArtifact, fmt::format("stored trial: there is no state \"{}\"", name));
}

Json to_json(const Decision& decision) {
  const auto number = [](const auto& value) { return value ? Json(*value) : Json(); };
  const auto real = [](const std::optional<double>& value) {
    return value ? number_or_null(*value) : Json();
  };
  return {{"prune", decision.prune},
          {"rule", decision.rule},
          {"reason", decision.reason},
          {"step", number(decision.step)},
          {"own", real(decision.own)},
          {"threshold", real(decision.threshold)},
          {"compared", decision.compared},
          {"rung", number(decision.rung)},
          {"bracket", number(decision.bracket)}};
}

Decision decision_from_json(const Json& json) {
  try {
    const auto number = [&](const char* key) -> std::optional<std::int64_t> {
      if (json.at(key).is_null()) return std::nullopt;
      return json.at(key).get<std::int64_t>();
    };
    const auto real = [&](const char* key) -> std::optional<double> {
      if (json.at(key).is_null()) return std::nullopt;
      return json.at(key).get<double>();
    };
    return {json.at("prune").get<bool>(),
            json.at("rule").get<std::string>(),
            json.at("reason").get<std::string>(),
            number("step"),
            real("own"),
            real("threshold"),
            json.at("compared").get<std::int64_t>(),
            number("rung"),
            number("bracket")};
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("stored decision of a pruner: {}", e.what()));
  }
}

Decision judge(const Pruner& pruner, std::uint64_t study_seed,
               std::span<const ReportedTrial> others, const ReportedTrial& trial) {
  return std::visit(
      [&](const auto& each) {
        check(each);
        return judge_by(each, study_seed, others, trial);
      },
      pruner);
}

std::int64_t hyperband_brackets(const HyperbandPruner& pruner, std::int64_t max_resource) {
  std::int64_t count = 1;
  for (std::int64_t most = max_resource / pruner.min_resource; most >= pruner.reduction_factor;
       most /= pruner.reduction_factor) {
    ++count;
  }
  return count;
}

std::int64_t hyperband_bracket(const HyperbandPruner& pruner, std::int64_t max_resource,
                               std::uint64_t study_seed, std::int64_t trial) {
  const std::int64_t count = hyperband_brackets(pruner, max_resource);
  std::vector<std::uint64_t> budgets;
  std::uint64_t total = 0;
  for (std::int64_t s = count - 1; s >= 0; --s) {
    double power = static_cast<double>(count);
    for (std::int64_t i = 0; i < s; ++i) power *= static_cast<double>(pruner.reduction_factor);
    budgets.push_back(static_cast<std::uint64_t>(std::ceil(power / static_cast<double>(s + 1))));
    total += budgets.back();
  }
  Rng rng(study_seed, "tune.bracket", static_cast<std::uint64_t>(trial));
  std::uint64_t place = rng.below(total);
  std::int64_t bracket = 0;
  while (place >= budgets[static_cast<std::size_t>(bracket)]) {
    place -= budgets[static_cast<std::size_t>(bracket)];
    ++bracket;
  }
  return bracket;
}

}  // namespace tcrops::tune
