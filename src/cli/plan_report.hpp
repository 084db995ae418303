#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/pipeline.hpp>

#include <string>
#include <vector>

namespace tcrops::cli {

// What `run --dry-run` says.
[[nodiscard]] std::string plan_text(const std::vector<stages::PlannedStage>& planned);
[[nodiscard]] Json plan_json(const std::string& name,
                             const std::vector<stages::PlannedStage>& planned);

}  // namespace tcrops::cli
