#include "knowledge.hpp"

#include <cmath>
#include <limits>

namespace tcrops::tune {
namespace {

bool has_ended(const TrialRecord& record, const Viewpoint& from) {
  if (from.window > 0) return record.trial.number <= from.number - from.window;
  return record.ended != 0 && record.ended < from.event;
}

Observation observation_of(const TrialRecord& record, bool ended) {
  const Trial& trial = record.trial;
  Observation observation{trial.number, trial.point, ended, true, 0.0};
  if (!ended) return observation;
  observation.acceptable = trial.acceptable;
  observation.value = trial.value;
  observation.pruned = trial.state == TrialState::kPruned;
  if (observation.pruned && !trial.reports.empty()) {
    observation.last_step = trial.reports.back().step;
  }
  return observation;
}

}  // namespace

Report kept(Report report) {
  if (!std::isfinite(report.value)) report.value = std::numeric_limits<double>::quiet_NaN();
  return report;
}

std::vector<Observation> observations(std::span<const TrialRecord> records, const Viewpoint& from) {
  std::vector<Observation> result;
  for (const TrialRecord& record : records) {
    if (record.trial.number >= from.number) break;
    result.push_back(observation_of(record, has_ended(record, from)));
  }
  return result;
}

std::vector<ReportedTrial> reported(std::span<const TrialRecord> records, const Viewpoint& from) {
  std::vector<ReportedTrial> result;
  for (const TrialRecord& record : records) {
    const Trial& trial = record.trial;
    if (trial.number == from.number) continue;
    const bool ended = has_ended(record, from);
    if (from.window > 0) {
      if (ended) result.push_back({trial.number, trial.state, trial.reports});
      continue;
    }
    ReportedTrial known{trial.number, ended ? trial.state : TrialState::kRunning, {}};
    for (std::size_t i = 0; i < trial.reports.size() && record.told[i] < from.event; ++i) {
      known.reports.push_back(trial.reports[i]);
    }
    if (ended || !known.reports.empty()) result.push_back(std::move(known));
  }
  return result;
}

Proposal point_of(std::int64_t number, const Space& space, const StudyOptions& options,
                  std::span<const TrialRecord> records, std::int64_t event) {
  const auto place = static_cast<std::size_t>(number);
  if (place < options.first.size()) return options.first[place];
  return {suggest(options.sampler, space, options.seed, number,
                  observations(records, {number, options.window, event}), options.tpe),
          ""};
}

}  // namespace tcrops::tune
