#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/registry.hpp>
#include <tcrops/store/store.hpp>

namespace tcrops::serve {

// All that the store knows of one version of a registered model: when it was trained, its
// parameters, its learning curve, how it was judged with curves and intervals, the study it comes
// from, what it was made from, and its moves. What is not there, or damaged, is null.
[[nodiscard]] Json model_details(const store::Store& store, const store::RegisteredModel& model,
                                 const store::ModelVersion& version);

}  // namespace tcrops::serve
