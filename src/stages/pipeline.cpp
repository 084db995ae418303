#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/stages/pipeline.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace tcrops::stages {
namespace {

// Whether rows may be refused does not shape a dataset, so one that is reused is judged here too.
void require_no_refusals(const store::Artifact& artifact) {
  if (artifact.manifest.kind != store::Kind::kDataset) return;
  const Json& facts = artifact.manifest.facts;
  const auto refused = facts.at("refused").get<std::int64_t>();
  const auto changed = facts.value("changed", std::int64_t{0});
  if (refused + changed == 0) return;
  throw Error(ExitCode::kInputData,
              fmt::format("{} rows were refused, {} values changed, and preprocess.strict is set; "
                          "{} has the lines and reasons",
                          refused, changed, artifact.file("cleaning.csv").string()));
}

// So is its leak check, which is stored whatever it says.
void require_leak_free(const store::Artifact& artifact) {
  if (artifact.manifest.kind != store::Kind::kDataset) return;
  const Json& facts = artifact.manifest.facts;
  if (facts.value("leak_free", false)) return;
  std::string failures;
  for (const Json& failure : facts.value("leaks", Json::array())) {
    failures += "\n  " + failure.get<std::string>();
  }
  throw Error(ExitCode::kCheckFailed,
              fmt::format("the leak check of dataset {} fails; a score on it would flatter a "
                          "model ({}):{}",
                          artifact.short_id(), artifact.file("leaks.json").string(), failures));
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

// serve-check judges what is there: a damaged model must fail it, not be mended on the way.
std::optional<store::Artifact> find_result(const store::Store& store, const store::ReuseKey& key,
                                           Stage wanted) {
  if (wanted != Stage::kServeCheck) return store.find(key);
  try {
    return store.find(key, store::Store::Damage::kThrow);
  } catch (const Error& e) {
    if (e.code() != ExitCode::kArtifact) throw;
    throw Error(ExitCode::kCheckFailed,
                fmt::format("serve-check says no; do not serve this model: {}", e.what()));
  }
}

Error missing_input(Stage stage) {
  return {ExitCode::kArtifact,
          fmt::format("the store has no result of stage {} for this configuration; run `tcrops {}` "
                      "with the same configuration and store first, or let this command make it "
                      "(without --require-inputs or --from)",
                      stage_name(stage), stage_name(stage))};
}

// What a twin process has published, which may take a moment to be seen from another host.
std::optional<store::Artifact> find_patiently(const store::Store& store,
                                              const store::ReuseKey& key) {
  constexpr int kLooks = 20;
  constexpr auto kPause = std::chrono::milliseconds(100);
  std::optional<store::Artifact> found = store.find(key);
  for (int look = 1; !found && look < kLooks && !interrupted(); ++look) {
    std::this_thread::sleep_for(kPause);
    found = store.find(key);
  }
  return found;
}

// A twin process that is done first drops the work folder that both were using. What fails here for
// that reason, or after it, need not be made any more.
store::Artifact make_or_take_over(const StageDefinition& definition, const StageContext& context,
                                  const store::ReuseKey& key, RunRecord& record) {
  try {
    return definition.make(context, key, definition.work_in(context.store, key), record);
  } catch (const Error& e) {
    if (!definition.reusable || interrupted()) throw;
    // Only what could not be read any more may have been dropped by a twin.
    std::optional<store::Artifact> theirs = e.code() == ExitCode::kArtifact
                                                ? find_patiently(context.store, key)
                                                : context.store.find(key);
    if (!theirs) throw;
    log_debug(fmt::format("{}: another process was faster; here: {}", key.stage, e.what()));
    return *theirs;
  }
}

void drop_work(const StageDefinition& definition, const store::Store& store,
               const store::ReuseKey& key) {
  const store::WorkFolder work = definition.work_in(store, key);
  if (definition.work_is_over == nullptr || definition.work_is_over(work, key)) work.drop();
}

// The models that a study kept and the one that was trained become versions; the trained one is
// what should be promoted next.
void register_models(const store::Store& store, const std::string& name,
                     const store::Artifact& artifact) {
  const store::Registry registry(store);
  if (artifact.manifest.kind == store::Kind::kModel) {
    registry.add(name, artifact.id, "trained", store::Registry::Candidate::kIfNew, {});
  }
  if (artifact.manifest.kind != store::Kind::kStudy) return;
  for (std::size_t rank = 1;; ++rank) {
    const auto model = artifact.manifest.parents.find(fmt::format("model-{}", rank));
    if (model == artifact.manifest.parents.end()) return;
    registry.add(name, model->second, fmt::format("study {}, rank {}", artifact.short_id(), rank),
                 store::Registry::Candidate::kNo, {});
  }
}

}  // namespace

struct Pipeline::State {
  const PipelineConfig& config;
  store::Store store;
  PipelineOptions options;
  Stage wanted = Stage::kFetch;
  std::map<Stage, store::Artifact> done;
  std::vector<StageOutcome> outcomes;
};

Pipeline::Pipeline(const PipelineConfig& config, store::Store store, PipelineOptions options)
    : state_(std::make_unique<State>(
          State{config, std::move(store), std::move(options), Stage::kFetch, {}, {}})) {}

Pipeline::~Pipeline() = default;

std::vector<StageOutcome> Pipeline::run(Stage wanted) {
  state_->outcomes.clear();
  state_->wanted = wanted;
  bring(wanted);
  return state_->outcomes;
}

// The artifact of a stage, from this run, from the store, or made now after all it needs.
store::Artifact Pipeline::bring(Stage stage) {
  if (const auto at = state_->done.find(stage); at != state_->done.end()) return at->second;
  const StageDefinition definition = definition_of(stage);
  StageContext context{{state_->config, {}}, state_->store};
  context.from_nothing = state_->options.force.contains(stage);
  for (const Stage needed : definition.upstream(state_->config)) {
    context.inputs.emplace(needed, bring(needed));
  }
  check_interrupt();
  const store::ReuseKey key = key_of(definition, context);
  const bool forced = state_->options.force.contains(stage);
  std::optional<store::Artifact> found;
  if (definition.reusable && !forced) found = find_result(state_->store, key, state_->wanted);
  if (!found && state_->options.only_reuse.contains(stage)) throw missing_input(stage);
  StageOutcome outcome{.stage = stage, .artifact = found, .reused = found.has_value()};
  if (!found) {
    if (on_start) on_start(stage);
    RunRecord record;
    outcome.artifact = forced ? definition.make(context, key, state_->store.private_work(), record)
                              : make_or_take_over(definition, context, key, record);
    outcome.seconds = record.seconds();
  }
  // Also when reused: the process that made it may have been killed before it came to this.
  if (!forced) drop_work(definition, state_->store, key);
  settle(outcome);
  return *outcome.artifact;
}

// Names and notes the result, and ends the run when it is one that may not be built on.
void Pipeline::settle(const StageOutcome& outcome) {
  const store::Artifact& artifact = *outcome.artifact;
  const std::string name =
      fmt::format("{}.{}", state_->config.name, store::kind_name(artifact.manifest.kind));
  const auto names = state_->store.names();
  if (const auto at = names.find(name); at != names.end() && at->second != artifact.id &&
                                        artifact.manifest.kind == store::Kind::kModel) {
    log_info(fmt::format("{} now means {} (it was {})", name, artifact.short_id(),
                         at->second.substr(0, 12)));
  }
  state_->store.set_name(name, artifact.id);
  register_models(state_->store, state_->config.name, artifact);
  state_->done.emplace(outcome.stage, artifact);
  state_->outcomes.push_back(outcome);
  require_passed(artifact);
  if (state_->config.preprocess.strict) require_no_refusals(artifact);
  if (state_->config.preprocess.require_leak_free) require_leak_free(artifact);
}

namespace {

// Of the stages that one needs, directly or not, the first that failed.
std::optional<Stage> failed_before(Stage stage, const PipelineConfig& config,
                                   const std::set<Stage>& failed) {
  for (const Stage needed : definition_of(stage).upstream(config)) {
    if (failed.contains(needed)) return needed;
    if (const auto earlier = failed_before(needed, config, failed)) return earlier;
  }
  return std::nullopt;
}

}  // namespace

std::vector<StageOutcome> Pipeline::run_all(const std::vector<Stage>& stages) {
  std::vector<StageOutcome> all;
  std::set<Stage> failed;
  const auto take = [&] {
    all.insert(all.end(), state_->outcomes.begin(), state_->outcomes.end());
  };
  for (const Stage stage : stages) {
    if (const auto before = failed_before(stage, state_->config, failed)) {
      all.push_back({.stage = stage, .blocked_by = before});
      continue;
    }
    try {
      run(stage);
      take();
    } catch (const Error& e) {
      if (!state_->options.keep_going || interrupted()) throw;
      failed.insert(stage);
      take();
      // A check that said no has been settled: it keeps its artifact and gets its failure.
      if (all.empty() || all.back().stage != stage) all.push_back({.stage = stage});
      all.back().failure = e;
    }
  }
  return all;
}

}  // namespace tcrops::stages
