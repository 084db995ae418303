#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/stages/pipeline.hpp>

#include <fmt/format.h>

#include <algorithm>
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

// Whether rows may be refused does not shape a dataset, so one that is reused is judged here too.
void require_no_refusals(const store::Artifact& artifact) {
  if (artifact.manifest.kind != store::Kind::kDataset) return;
  const auto refused = artifact.manifest.facts.at("refused").get<std::int64_t>();
  if (refused == 0) return;
  throw Error(ExitCode::kInputData,
              fmt::format("{} rows were refused and preprocess.strict is set; {} has the lines and "
                          "reasons",
                          refused, artifact.file("refused.csv").string()));
}

// A check artifact that says no ends the run, but only after it has been stored.
void require_passed(const store::Artifact& artifact) {
  if (artifact.manifest.kind != store::Kind::kCheck) return;
  if (artifact.manifest.facts.at("passed").get<bool>()) return;
  std::string failures;
  for (const Json& check : artifact.manifest.facts.at("checks")) {
    if (check.at("passed").get<bool>()) continue;
    failures += fmt::format("\n  {}: {}", check.at("name").get<std::string>(),
                            check.at("problem").get<std::string>());
  }
  throw Error(ExitCode::kCheckFailed,
              fmt::format("serve-check says no; do not serve this model (report {}):{}",
                          artifact.short_id(), failures));
}

}  // namespace

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

struct Pipeline::State {
  const PipelineConfig& config;
  store::Store store;
  PipelineOptions options;
  std::map<Stage, store::Artifact> done;
  std::vector<StageOutcome> outcomes;
};

Pipeline::Pipeline(const PipelineConfig& config, store::Store store, PipelineOptions options)
    : state_(std::make_unique<State>(State{config, std::move(store), options, {}, {}})) {}

Pipeline::~Pipeline() = default;

namespace {

// serve-check judges what is there: a damaged model must fail it, not be mended on the way.
std::optional<store::Artifact> find_result(const store::Store& store, const store::ReuseKey& key,
                                           Stage wanted) {
  if (wanted != Stage::kServeCheck) return store.find(key);
  try {
    return store.find(key, store::Store::Damage::kThrow);
  } catch (const Error& e) {
    throw Error(ExitCode::kCheckFailed,
                fmt::format("serve-check says no; do not serve this model: {}", e.what()));
  }
}

store::ReuseKey make_key(const StageDefinition& definition, const StageContext& context) {
  store::ReuseKey key;
  key.stage = stage_name(definition.stage);
  key.stage_version = definition.version;
  for (const auto& [stage, artifact] : context.inputs) {
    key.parents[store::kind_name(artifact.manifest.kind)] = artifact.id;
  }
  definition.complete_key(context, key);
  return key;
}

Error missing_input(Stage stage) {
  return {ExitCode::kArtifact,
          fmt::format("the store has no result of stage {} for this configuration; run `tcrops {}` "
                      "with the same configuration and store first, or leave out --require-inputs",
                      stage_name(stage), stage_name(stage))};
}

// A twin process that is done first drops the work folder that both were using. What fails here for
// that reason, or after it, need not be made any more.
store::Artifact make_or_take_over(const StageDefinition& definition, const StageContext& context,
                                  const store::ReuseKey& key, RunRecord& record) {
  try {
    return definition.make(context, key, record);
  } catch (const Error& e) {
    if (!definition.reusable || interrupted()) throw;
    std::optional<store::Artifact> theirs = context.store.find(key);
    if (!theirs) throw;
    log_debug(fmt::format("{}: another process was faster; here: {}", key.stage, e.what()));
    return *theirs;
  }
}

}  // namespace

std::vector<StageOutcome> Pipeline::run(Stage wanted) {
  state_->outcomes.clear();
  bring(wanted, wanted);
  return state_->outcomes;
}

// The artifact of a stage, from this run, from the store, or made now after all it needs.
store::Artifact Pipeline::bring(Stage stage, Stage wanted) {
  if (const auto at = state_->done.find(stage); at != state_->done.end()) return at->second;
  const StageDefinition definition = definition_of(stage);
  StageContext context{state_->config, state_->store, {}};
  for (const Stage needed : definition.upstream(state_->config)) {
    context.inputs.emplace(needed, bring(needed, wanted));
  }
  check_interrupt();
  const store::ReuseKey key = make_key(definition, context);
  const bool forced = state_->options.force && stage == wanted;
  std::optional<store::Artifact> found;
  if (definition.reusable && !forced) found = find_result(state_->store, key, wanted);
  const bool must_be_there =
      state_->options.only_reuse || (state_->options.require_inputs && stage != wanted);
  if (!found && must_be_there) throw missing_input(stage);
  StageOutcome outcome{stage, {}, found.has_value(), 0.0};
  if (found) {
    outcome.artifact = *found;
  } else {
    if (on_start) on_start(stage);
    RunRecord record;
    outcome.artifact = forced ? definition.make(context, key, record)
                              : make_or_take_over(definition, context, key, record);
    outcome.seconds = record.seconds();
  }
  // Also when reused: the process that made it may have been killed before it came to this.
  state_->store.drop_work(key);
  settle(outcome);
  return outcome.artifact;
}

// Names and notes the result, and ends the run when it is one that may not be built on.
void Pipeline::settle(const StageOutcome& outcome) {
  const store::Artifact& artifact = outcome.artifact;
  const std::string name =
      fmt::format("{}.{}", state_->config.name, store::kind_name(artifact.manifest.kind));
  const auto names = state_->store.names();
  if (const auto at = names.find(name); at != names.end() && at->second != artifact.id &&
                                        artifact.manifest.kind == store::Kind::kModel) {
    log_info(fmt::format("{} now means {} (it was {})", name, artifact.short_id(),
                         at->second.substr(0, 12)));
  }
  state_->store.set_name(name, artifact.id);
  state_->done.emplace(outcome.stage, artifact);
  state_->outcomes.push_back(outcome);
  require_passed(artifact);
  if (state_->config.preprocess.strict) require_no_refusals(artifact);
}

std::vector<StageOutcome> Pipeline::run_all() {
  std::vector<StageOutcome> all;
  for (const Stage stage : all_stages()) {
    if (stage == Stage::kTune && state_->config.train.from != "study") continue;
    for (StageOutcome& outcome : run(stage)) all.push_back(std::move(outcome));
  }
  return all;
}

}  // namespace tcrops::stages
