#include "knowledge.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/tune/study.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::tune {

void check_options(const StudyOptions& options) {
  const auto at_least = [](const char* name, std::int64_t value, std::int64_t least) {
    if (value >= least) return;
    throw Error(ExitCode::kConfiguration,
                fmt::format("study: {} must be at least {}, not {}", name, least, value));
  };
  at_least("trials", options.trials, 0);
  at_least("window", options.window, 0);
  check_tpe_options(options.tpe);
}

Trial settled(Trial trial, std::int64_t number, const Point& point, std::vector<Report> reports,
              std::optional<Decision> pruned) {
  trial.number = number;
  trial.point = point;
  trial.reports = std::move(reports);
  if (pruned) {
    trial.state = TrialState::kPruned;
    trial.decision = std::move(pruned);
    trial.value = trial.reports.back().value;
  }
  if (trial.state == TrialState::kFailed) trial.acceptable = false;
  // JSON holds no NaN, so a value that is not finite is set to 0; it can no longer win anyway.
  if (!std::isfinite(trial.value)) {
    trial.acceptable = false;
    if (trial.reason.empty()) {
      trial.reason = fmt::format("the value is {}, not a finite number", trial.value);
    }
    trial.value = 0.0;
  }
  return trial;
}

std::vector<Trial> run_study(const Space& space, const StudyOptions& options,
                             const Objective& objective) {
  check_space(space);
  check_options(options);
  std::vector<TrialRecord> records;
  std::int64_t event = 0;
  for (std::int64_t number = 0; number < options.trials; ++number) {
    check_interrupt();
    const Proposal proposal = point_of(number, space, options, records, ++event);
    TrialRecord record;
    Trial& own = record.trial;
    own.number = number;
    std::optional<Decision> pruned;
    const Reporter report = [&](const Report& each) {
      if (!options.pruner || pruned) return pruned.has_value();
      own.reports.push_back(kept(each));
      record.told.push_back(++event);
      const auto others = reported(records, {number, options.window, event});
      own.decisions.push_back(judge(*options.pruner, options.seed, others,
                                    {number, TrialState::kRunning, own.reports}));
      if (own.decisions.back().prune) pruned = own.decisions.back();
      return pruned.has_value();
    };
    Trial trial = objective(number, proposal.point, report);
    trial.decisions = own.decisions;
    record.trial = settled(std::move(trial), number, proposal.point, own.reports, pruned);
    record.trial.origin = proposal.origin;
    record.phase = Phase::kEnded;
    record.ended = ++event;
    records.push_back(std::move(record));
  }
  std::vector<Trial> trials;
  for (TrialRecord& record : records) trials.push_back(std::move(record.trial));
  return trials;
}

std::vector<std::int64_t> best_trials(const std::vector<Trial>& trials, std::size_t count) {
  std::vector<const Trial*> ranked;
  for (const Trial& trial : trials) {
    if (trial.state != TrialState::kComplete || !trial.acceptable) continue;
    if (std::isfinite(trial.value)) ranked.push_back(&trial);
  }
  std::sort(ranked.begin(), ranked.end(), [](const Trial* a, const Trial* b) {
    if (a->value != b->value) return a->value > b->value;
    if (a->weights != b->weights) return a->weights < b->weights;
    return a->number < b->number;
  });
  std::vector<const Trial*> chosen;
  for (const Trial* trial : ranked) {
    if (chosen.size() == count) break;
    const bool seen = std::any_of(chosen.begin(), chosen.end(),
                                  [&](const Trial* each) { return each->point == trial->point; });
    if (!seen) chosen.push_back(trial);
  }
  std::vector<std::int64_t> numbers;
  numbers.reserve(chosen.size());
  for (const Trial* trial : chosen) numbers.push_back(trial->number);
  return numbers;
}

}  // namespace tcrops::tune
