#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/eval/paired_bootstrap.hpp>
#include <tcrops/stages/configuration.hpp>
#include <tcrops/stages/pipeline.hpp>
#include <tcrops/store/registry.hpp>
#include <tcrops/store/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// The dataset that a model was trained on. Throws Error (kArtifact) when it is not in the store.
[[nodiscard]] store::Artifact dataset_of(const store::Store& store, const store::Artifact& model);

// The evaluation of a model on the test rows of a dataset, from the store or made now. Stage
// evaluate with any model; kArtifact when model or dataset is something else.
[[nodiscard]] StageOutcome evaluate_model(const store::Store& store, const PipelineConfig& config,
                                          const store::Artifact& model,
                                          const store::Artifact& dataset);

// The report of serve-check on a model, made now and stored.
[[nodiscard]] store::Artifact check_model(const store::Store& store, const PipelineConfig& config,
                                          const store::Artifact& model);

struct ComparedModel {
  store::Artifact model;
  store::Artifact evaluation;
  std::vector<std::string> caveats;
  bool fair = false;  // the rows are a fair test of it
};

// Two models on the same test rows.
struct Comparison {
  ComparedModel a;
  ComparedModel b;
  store::Artifact dataset;
  std::int64_t rows = 0;
  std::int64_t positives = 0;
  std::int64_t resamples = 0;
  std::vector<eval::PairedMetric> metrics;
};
// `resamples` and the seed come from the section gates and the pipeline's seed.
[[nodiscard]] Comparison compare_models(const store::Store& store, const PipelineConfig& config,
                                        const store::Artifact& a, const store::Artifact& b,
                                        const store::Artifact& dataset);
[[nodiscard]] Json to_json(const eval::PairedMetric& metric);

// One demand of the section gates on a model that wants to be champion.
struct GateResult {
  std::string name;
  bool passed = false;
  std::string found;   // what the model shows
  std::string wanted;  // what the configuration asks for
};

struct Judgement {
  std::vector<GateResult> gates;
  Json evidence;  // ids of what was looked at, values, and the gates; goes into the model's log

  [[nodiscard]] bool passed() const;
};

// Judges a version of a model by the section gates: on the test rows of its own dataset, against
// the champion on the same rows and on those of the champion's dataset (only where they are a fair
// test of both), and by serve-check. Makes what is missing.
[[nodiscard]] Judgement judge(const store::Store& store, const PipelineConfig& config,
                              const store::RegisteredModel& model,
                              const store::ModelVersion& version);

}  // namespace tcrops::stages
