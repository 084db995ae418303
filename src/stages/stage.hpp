#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/pipeline.hpp>
#include <tcrops/store/store.hpp>

#include <map>
#include <string>
#include <vector>

namespace tcrops::stages {

// What identifies a stage's result comes from: the configuration and the artifacts it asked for.
struct KeyContext {
  const PipelineConfig& config;
  std::map<Stage, store::Artifact> inputs;

  [[nodiscard]] const store::Artifact& input(Stage stage) const { return inputs.at(stage); }
};

// What a stage may look at while it runs.
struct StageContext : KeyContext {
  const store::Store& store;
  // The artifact that is made again, to compare with it; null: it is made for itself.
  const store::Artifact* again = nullptr;
  bool from_nothing = false;  // what was done before is not used
};

// Times and places of one execution; becomes run.json. `notes` takes what a stage measures about
// itself (latencies, sources), which may differ between equal runs.
class RunRecord {
 public:
  RunRecord();
  Json notes = Json::object();
  // The finished record; call at the very end.
  [[nodiscard]] Json finish() const;
  [[nodiscard]] double seconds() const;

 private:
  std::string started_;
  double start_seconds_;
};

// One stage: what it needs, what identifies its result, and how it is made.
struct StageDefinition {
  Stage stage;
  store::Kind kind;
  std::int64_t version;  // raise it when the same inputs would give another result
  std::vector<Stage> (*upstream)(const PipelineConfig& config);
  // Fills configuration, seed and backend_class; stage, version and parents are set already.
  void (*complete_key)(const KeyContext& context, store::ReuseKey& key);
  // `work` keeps what is half done, if the stage can go on from it.
  store::Artifact (*make)(const StageContext& context, const store::ReuseKey& key,
                          const store::WorkFolder& work, RunRecord& run);
  // The pipeline file that would give this `configuration` of a key again; without the seed.
  Json (*configuration_of)(const Json& configuration);
  // False: always made, because it judges the files on disk and not only their ids.
  bool reusable;
  // Whose work folder it uses; null: the key's own.
  store::ReuseKey (*work_key)(const store::ReuseKey& key) = nullptr;
  // Whether a result of this key leaves the folder to nobody; null: always.
  bool (*work_is_over)(const store::WorkFolder& work, const store::ReuseKey& key) = nullptr;

  [[nodiscard]] std::filesystem::path folder_in(const std::filesystem::path& root,
                                                const store::ReuseKey& key) const {
    return root / "work" / (work_key == nullptr ? key : work_key(key)).digest();
  }
  [[nodiscard]] store::WorkFolder work_in(const store::Store& store,
                                          const store::ReuseKey& key) const {
    return store.work(work_key == nullptr ? key : work_key(key));
  }
};

[[nodiscard]] StageDefinition definition_of(Stage stage);

// The key of a stage with these inputs.
[[nodiscard]] store::ReuseKey key_of(const StageDefinition& definition, const KeyContext& context);

// Sets what a key or manifest says, in a fresh configuration. Throws Error (kArtifact) when it is
// none of this program's.
void restore_configuration(const StageDefinition& definition, const Json& configuration,
                           std::int64_t seed, const std::string& device, PipelineConfig& config);

// A manifest that repeats the key.
[[nodiscard]] store::Manifest manifest_for(store::Kind kind, const store::ReuseKey& key);

// One definition per stage, each in its own file.
[[nodiscard]] StageDefinition fetch_stage();
[[nodiscard]] StageDefinition preprocess_stage();
[[nodiscard]] StageDefinition tune_stage();
[[nodiscard]] StageDefinition train_stage();
[[nodiscard]] StageDefinition evaluate_stage();
[[nodiscard]] StageDefinition serve_check_stage();
[[nodiscard]] StageDefinition predict_stage();

}  // namespace tcrops::stages
