#pragma once

#include <tcrops/core/json.hpp>

namespace tcrops::stages {

// What of metrics.json (tcrops.evaluation/2) stands in the manifest, where `artifacts show`, the
// tables and the gates find it: no rows, and of each report the figures of all epitopes together as
// "macro_<figure>" and "pooled_<figure>", with their "intervals".
[[nodiscard]] Json evaluation_facts(const Json& metrics);

}  // namespace tcrops::stages
