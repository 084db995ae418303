#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/store.hpp>

namespace tcrops::stages {

inline constexpr const char* kQuantiseStage = "quantise";  // of the manifests it makes

// The same model with the weights of its linear layers in one byte each, as nn::quantise() makes
// them: an artifact of its own, whose parents are the model and what the model was made from. Its
// fact "quantised" has the rows it was measured on (`rows` of `side`, test or, where that lacks a
// class, validation), `auroc` and `average_precision` as [before, after], `largest_change` and
// `mean_change` of a logit and `bytes` of the weights as [before, after]; its run.json
// `rows_per_second` as [before, after] on one core, and `kernel`, the instructions used.
struct QuantisedModel {
  store::Artifact artifact;
  Json facts;  // as above
  Json speed;  // measured now; null when the store had it already
};
// Throws Error (kUsage) for a model that is quantised, (kArtifact) for one without its dataset.
[[nodiscard]] QuantisedModel quantise_model(const store::Store& store,
                                            const store::Artifact& model);

}  // namespace tcrops::stages
