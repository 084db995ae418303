#pragma once

#include <tcrops/stages/study.hpp>

#include <string>
#include <vector>

namespace tcrops::cli {

[[nodiscard]] Json study_list_json(const std::vector<stages::StudySummary>& studies);
[[nodiscard]] std::string study_list_text(const std::vector<stages::StudySummary>& studies);

// All that is known of a study, tcrops.study/1.
[[nodiscard]] Json study_json(const stages::StudyView& study);
// The same for people, with the `best` best trials.
[[nodiscard]] std::string study_text(const Json& study, std::size_t best);

}  // namespace tcrops::cli
