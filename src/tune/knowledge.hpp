#pragma once

#include <tcrops/tune/storage.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace tcrops::tune {

// What one trial of a study may know of the others. With a window that is a matter of numbers, else
// of events: what had happened before `event`.
struct Viewpoint {
  std::int64_t number = 0;  // the trial that looks
  std::int64_t window = 0;
  std::int64_t event = 0;
};

// A report as it is kept: a database has no infinite numbers, so one counts as none.
[[nodiscard]] Report kept(Report report);
// For its suggestion; of the trials with lower numbers.
[[nodiscard]] std::vector<Observation> observations(std::span<const TrialRecord> records,
                                                    const Viewpoint& from);
// For the judgement of its reports; of all others.
[[nodiscard]] std::vector<ReportedTrial> reported(std::span<const TrialRecord> records,
                                                  const Viewpoint& from);

// The point of trial `number`: a proposal while there is one, else a suggestion.
[[nodiscard]] Proposal point_of(std::int64_t number, const Space& space,
                                const StudyOptions& options, std::span<const TrialRecord> records,
                                std::int64_t event);

}  // namespace tcrops::tune
