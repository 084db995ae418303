#include "knowledge.hpp"
#include "storage_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/tune/replay.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::tune {
namespace {

// NaN is equal to itself here.
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

class Replay {
 public:
  Replay(const Space& space, const StudyOptions& options, const std::vector<TrialRecord>& records,
         const ReplayHooks& hooks)
      : space_(space), options_(options), records_(records), hooks_(hooks) {}

  std::vector<ReplayProblem> run() {
    std::int64_t done = 0;
    for (const TrialRecord& record : records_) {
      check_interrupt();
      if (record.phase != Phase::kEnded) continue;
      repeat_point(record);
      if (options_.pruner) repeat_decisions(record);
      if (hooks_.objective && record.trial.state != TrialState::kFailed) repeat_training(record);
      if (hooks_.progress) hooks_.progress(++done);
    }
    return std::move(problems_);
  }

 private:
  void note(const TrialRecord& record, std::string problem) {
    problems_.push_back({record.trial.number, std::move(problem)});
  }

  void repeat_point(const TrialRecord& record) {
    const Proposal again = point_of(record.trial.number, space_, options_, records_, record.seen);
    if (again.point == record.trial.point) return;
    note(record, fmt::format("the point was {}, now {} is suggested",
                             to_json(record.trial.point).dump(), to_json(again.point).dump()));
  }

  void repeat_decisions(const TrialRecord& record) {
    const Trial& trial = record.trial;
    ReportedTrial own{trial.number, TrialState::kRunning, {}};
    for (std::size_t i = 0; i < trial.reports.size(); ++i) {
      own.reports.push_back(trial.reports[i]);
      const Json again =
          to_json(judge(*options_.pruner, options_.seed,
                        reported(records_, {trial.number, options_.window, record.told[i]}), own));
      const Json was = i < trial.decisions.size() ? to_json(trial.decisions[i]) : Json();
      if (again == was) continue;
      note(record, fmt::format("at step {} the pruner decided {}, now {}", trial.reports[i].step,
                               was.dump(), again.dump()));
      return;
    }
  }

  void repeat_training(const TrialRecord& record) {
    const Trial& was = record.trial;
    std::vector<Report> reports;
    std::optional<Decision> pruned;
    const Reporter report = [&](const Report& each) {
      if (!options_.pruner || pruned) return pruned.has_value();
      const std::size_t at = reports.size();
      reports.push_back(kept(each));
      if (at < was.decisions.size() && was.decisions[at].prune) pruned = was.decisions[at];
      return pruned.has_value();
    };
    // By itself, for it fills `reports` and `pruned`.
    Trial again = hooks_.objective(was.number, was.point, report);
    const Trial now = settled(std::move(again), was.number, was.point, reports, pruned);
    for (std::size_t i = 0; i < std::max(reports.size(), was.reports.size()); ++i) {
      if (i < reports.size() && i < was.reports.size() && reports[i].step == was.reports[i].step &&
          same(reports[i].value, was.reports[i].value)) {
        continue;
      }
      return note(record, fmt::format("report {} is another: {} reports then, {} now", i + 1,
                                      was.reports.size(), reports.size()));
    }
    if (outcome_json(now) != outcome_json(was)) {
      return note(record, fmt::format("the result was {}, now it is {}", outcome_json(was).dump(),
                                      outcome_json(now).dump()));
    }
    // As they are once stored: what is no number is null there.
    const Json details = parse_json(now.details.dump(), "details of a trial");
    if (details != was.details) {
      const auto differences = json_differences(was.details, details);
      note(record, fmt::format("{} of its details differ, the first at {}", differences.size(),
                               differences.empty() ? "?" : differences.front().path));
    }
  }

  const Space& space_;
  const StudyOptions& options_;
  const std::vector<TrialRecord>& records_;
  const ReplayHooks& hooks_;
  std::vector<ReplayProblem> problems_;
};

}  // namespace

std::vector<ReplayProblem> replay(const Space& space, const StudyOptions& options,
                                  const std::vector<TrialRecord>& records,
                                  const ReplayHooks& hooks) {
  check_space(space);
  check_options(options);
  return Replay(space, options, records, hooks).run();
}

}  // namespace tcrops::tune
