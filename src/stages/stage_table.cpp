// The stages by name, and the one definition of each.
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/stages/pipeline.hpp>

#include <fmt/format.h>

#include <array>
#include <utility>

namespace tcrops::stages {
namespace {

constexpr std::array<std::pair<Stage, const char*>, 7> kNames = {{
    {Stage::kFetch, "fetch"},
    {Stage::kPreprocess, "preprocess"},
    {Stage::kTune, "tune"},
    {Stage::kTrain, "train"},
    {Stage::kEvaluate, "evaluate"},
    {Stage::kServeCheck, "serve-check"},
    {Stage::kPredict, "predict"},
}};

}  // namespace

StageDefinition definition_of(Stage stage) {
  switch (stage) {
    case Stage::kFetch:
      return fetch_stage();
    case Stage::kPreprocess:
      return preprocess_stage();
    case Stage::kTune:
      return tune_stage();
    case Stage::kTrain:
      return train_stage();
    case Stage::kEvaluate:
      return evaluate_stage();
    case Stage::kServeCheck:
      return serve_check_stage();
    case Stage::kPredict:
      return predict_stage();
  }
  throw Error(ExitCode::kFailure, "unknown stage");
}

const std::vector<Stage>& all_stages() {
  static const std::vector<Stage> kAll = [] {
    std::vector<Stage> stages;
    for (const auto& [stage, name] : kNames) stages.push_back(stage);
    return stages;
  }();
  return kAll;
}

std::string stage_name(Stage stage) {
  for (const auto& [value, name] : kNames) {
    if (value == stage) return name;
  }
  return "";
}

Stage stage_from_name(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [stage, text] : kNames) {
    if (name == text) return stage;
    names.emplace_back(text);
  }
  throw Error(ExitCode::kUsage,
              fmt::format("unknown stage \"{}\"{}", name, suggestion(name, names)));
}

std::vector<Stage> stages_between(const PipelineConfig& config, Stage first, Stage last) {
  if (first > last) {
    throw Error(ExitCode::kUsage,
                fmt::format("stage {} comes after {}, so there is nothing to run from the one "
                            "until the other",
                            stage_name(first), stage_name(last)));
  }
  std::vector<Stage> stages;
  for (const Stage stage : all_stages()) {
    if (stage < first || stage > last) continue;
    if (stage == Stage::kTune && config.train.from != "study") continue;
    stages.push_back(stage);
  }
  return stages;
}

store::ReuseKey key_of(const StageDefinition& definition, const KeyContext& context) {
  store::ReuseKey key;
  key.stage = stage_name(definition.stage);
  key.stage_version = definition.version;
  for (const auto& [stage, artifact] : context.inputs) {
    key.parents[store::kind_name(artifact.manifest.kind)] = artifact.id;
  }
  definition.complete_key(context, key);
  return key;
}

void restore_configuration(const StageDefinition& definition, const Json& configuration,
                           std::int64_t seed, const std::string& device, PipelineConfig& config) {
  Json document = definition.configuration_of(configuration);
  document["seed"] = seed;
  document["train"]["device"] = device;
  const Problems problems = config.fields().read_text(document.dump(), "its manifest");
  if (problems.empty()) return;
  throw Error(ExitCode::kArtifact,
              fmt::format("the configuration of {} is none of this program's: {}",
                          stage_name(definition.stage), problems.front().text()));
}

store::Manifest manifest_for(store::Kind kind, const store::ReuseKey& key) {
  store::Manifest manifest;
  manifest.kind = kind;
  manifest.stage = key.stage;
  manifest.stage_version = key.stage_version;
  manifest.configuration = key.configuration;
  manifest.seed = key.seed;
  manifest.backend_class = key.backend_class;
  manifest.parents = key.parents;
  return manifest;
}

}  // namespace tcrops::stages
