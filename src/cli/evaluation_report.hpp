#pragma once

#include <tcrops/core/json.hpp>

#include <string>

namespace tcrops::cli {

// Model and baselines on the test rows, each epitope, seen and unseen ones, kinds of negatives and
// slices, and what a reader must know, from the facts of an evaluation; at most 120 columns wide.
// Says in its first line whether it is a test score.
[[nodiscard]] std::string evaluation_text(const Json& facts);

}  // namespace tcrops::cli
