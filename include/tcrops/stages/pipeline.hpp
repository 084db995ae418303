#pragma once

#include <tcrops/stages/configuration.hpp>
#include <tcrops/store/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// The stages in the order in which they run.
enum class Stage { kFetch, kPreprocess, kTune, kTrain, kEvaluate, kServeCheck, kPredict };
[[nodiscard]] const std::vector<Stage>& all_stages();
[[nodiscard]] std::string stage_name(Stage stage);
// Throws Error (kUsage) with the nearest name.
[[nodiscard]] Stage stage_from_name(const std::string& name);

struct PipelineOptions {
  // An upstream artifact that is missing is an error (kArtifact) instead of being made first.
  bool require_inputs = false;
  // Nothing is made at all: what is missing is an error, the last stage included.
  bool only_reuse = false;
  // Make the last stage again although its result is in the store.
  bool force = false;
};

// What became of one stage.
struct StageOutcome {
  Stage stage = Stage::kFetch;
  store::Artifact artifact;
  bool reused = false;
  double seconds = 0.0;
};

// Runs stages of one configuration against one store. A stage whose key (see store::ReuseKey) is
// known is not run again. An interrupted stage continues where it stopped when run again.
class Pipeline {
 public:
  Pipeline(const PipelineConfig& config, store::Store store, PipelineOptions options);
  ~Pipeline();

  // Brings about the artifact of `stage`, with everything it needs. Outcomes are in running order,
  // `stage` last. Throws Error; kCheckFailed when serve-check finds a fault (its artifact is
  // stored).
  std::vector<StageOutcome> run(Stage stage);
  // All stages.
  std::vector<StageOutcome> run_all();

  // Called when a stage begins to be made; for progress. Optional.
  std::function<void(Stage)> on_start;

 private:
  struct State;
  store::Artifact bring(Stage stage, Stage wanted);
  void settle(const StageOutcome& outcome);
  std::unique_ptr<State> state_;
};

}  // namespace tcrops::stages
