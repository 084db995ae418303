#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/pipeline.hpp>

#include <string>
#include <vector>

namespace tcrops::cli {

// Results as text for people and as JSON for programs.

[[nodiscard]] std::string stage_table(const std::vector<stages::StageOutcome>& outcomes);
// What one stage found out, from its artifact's manifest; ends with a newline.
[[nodiscard]] std::string stage_text(const stages::StageOutcome& outcome);
// How a model is used, line by line, from its facts: members, calibration, background, what is far
// from training. Empty for a network and no more.
[[nodiscard]] std::string model_use_text(const Json& facts);
[[nodiscard]] std::string checks_text(const Json& checks);

[[nodiscard]] Json outcome_json(const stages::StageOutcome& outcome);

}  // namespace tcrops::cli
