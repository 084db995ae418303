#pragma once

#include <tcrops/core/error.hpp>
#include <tcrops/stages/configuration.hpp>
#include <tcrops/store/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tcrops::stages {

// The stages in the order in which they run.
enum class Stage { kFetch, kPreprocess, kTune, kTrain, kEvaluate, kServeCheck, kPredict };
[[nodiscard]] const std::vector<Stage>& all_stages();
[[nodiscard]] std::string stage_name(Stage stage);
// Throws Error (kUsage) with the nearest name.
[[nodiscard]] Stage stage_from_name(const std::string& name);
// The stages that a configuration has, from `first` to `last`. Throws Error (kUsage) when `first`
// comes after `last`.
[[nodiscard]] std::vector<Stage> stages_between(const PipelineConfig& config, Stage first,
                                                Stage last);

struct PipelineOptions {
  // Made again although their results are in the store, from nothing: half-done work is not used.
  std::set<Stage> force;
  // Never made: a result that is not in the store is an error (kArtifact).
  std::set<Stage> only_reuse;
  // run_all: go on with the stages that do not need the one that failed.
  bool keep_going = false;
};

// What became of one stage.
struct StageOutcome {
  Stage stage = Stage::kFetch;
  std::optional<store::Artifact> artifact{};  // none when it failed or was not begun
  bool reused = false;
  double seconds = 0.0;
  std::optional<Error> failure{};
  std::optional<Stage> blocked_by{};  // the stage whose failure kept this one from running
};

// What a run would do with one stage, as far as can be said without running those before it.
struct PlannedStage {
  enum class Action {
    kReuse,       // the result is in the store
    kMake,        // it is not
    kFollow,      // made again if a stage before it, that will be made, gives something new
    kAlwaysMake,  // serve-check, which looks at files and not at ids
    kMissing,     // it may not be made (only_reuse), but its result is not there
  };
  Stage stage = Stage::kFetch;
  Action action = Action::kMake;
  bool forced = false;
  std::string artifact{};  // id of the result, when known
  std::string previous{};  // id of the last result under this pipeline's name, or ""
  // Why: parts of its reuse key ("tune.trials", "seed", "parents.dataset") that differ from those
  // of `previous`. Empty when there is none.
  std::vector<JsonDifference> changes{};
  std::vector<Stage> waits_for{};      // inputs that will be made first
  std::optional<double> seconds{};     // what it took last time
  std::vector<std::string> resumes{};  // half-done work that it would go on from
};

// Runs stages of one configuration against one store. A stage whose key (see store::ReuseKey) is
// known is not run again. An interrupted stage continues where it stopped when run again. A result
// gets the name <pipeline>.<kind>; trained models become versions of the registered model
// <pipeline>.
class Pipeline {
 public:
  Pipeline(const PipelineConfig& config, store::Store store, PipelineOptions options);
  ~Pipeline();

  // Brings about the artifact of `stage`, with everything it needs. Outcomes are in running order,
  // `stage` last. Throws Error; kCheckFailed when serve-check finds a fault (its artifact is
  // stored).
  std::vector<StageOutcome> run(Stage stage);
  // These stages, in order. With keep_going, failures are outcomes; without, the first is thrown.
  std::vector<StageOutcome> run_all(const std::vector<Stage>& stages);

  // Called when a stage begins to be made; for progress. Optional.
  std::function<void(Stage)> on_start;

 private:
  struct State;
  store::Artifact bring(Stage stage);
  void settle(const StageOutcome& outcome);
  std::unique_ptr<State> state_;
};

// What Pipeline::run_all would do, without writing anything. `store` may be none: then nothing has
// been made yet. Throws Error (kInputData) when a source file cannot be read.
[[nodiscard]] std::vector<PlannedStage> plan(const PipelineConfig& config,
                                             const std::optional<store::Store>& store,
                                             const PipelineOptions& options,
                                             const std::vector<Stage>& stages);

}  // namespace tcrops::stages
