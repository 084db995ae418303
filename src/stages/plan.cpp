// What a run would do, and why: each stage's key beside the last result of the same pipeline.
#include "stage.hpp"
#include "study_definition.hpp"
#include "study_files.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/stages/pipeline.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

namespace tcrops::stages {
namespace {

using Action = PlannedStage::Action;

// A manifest repeats the key of what it describes.
Json key_parts(const store::Manifest& manifest) {
  return store::ReuseKey{manifest.stage,   manifest.stage_version, manifest.configuration,
                         manifest.parents, manifest.seed,          manifest.backend_class}
      .to_json();
}

// "configuration.trials" of a key by its path in a pipeline file, "tune.trials".
std::string field_of(const std::string& path, const std::map<std::string, Json>& fields) {
  constexpr std::string_view kPrefix = "configuration.";
  if (!path.starts_with(kPrefix)) return path;
  const std::string name = path.substr(kPrefix.size());
  for (const auto& [field, value] : fields) {
    if (field == name || field.ends_with("." + name)) return field;
  }
  return path;
}

// How the last result's key differs from the one wanted now. Inputs that are not settled yet say
// nothing, nor do the models that a study has made and the studies it began with.
std::vector<JsonDifference> changes_between(const StageDefinition& definition,
                                            const store::Manifest& last,
                                            const store::ReuseKey& wanted,
                                            const std::set<std::string>& unsettled) {
  Json either = last.configuration;
  either.update(wanted.configuration);
  const auto fields = flatten_json(definition.configuration_of(either));
  std::vector<JsonDifference> changes;
  for (JsonDifference& difference : json_differences(key_parts(last), wanted.to_json())) {
    const std::string& path = difference.path;
    const bool found_by_it = path.starts_with("parents.model-") ||
                             path.starts_with(fmt::format("parents.{}", kWarmStartRole));
    const bool open = path.starts_with("parents.") && unsettled.contains(path.substr(8));
    if (found_by_it || open) continue;
    difference.path = field_of(path, fields);
    changes.push_back(std::move(difference));
  }
  return changes;
}

std::int64_t ended_trials(const std::filesystem::path& study) {
  try {
    db::Database database = db::Database::open(db::address("sqlite:" + study.string()));
    std::int64_t ended = 0;
    for (const tune::StudyEntry& entry : tune::list_studies(database)) ended += entry.finished;
    return ended;
  } catch (const Error&) {
    return 0;  // a hint is no reason to fail
  }
}

// What a stage's half-done work holds, for people.
std::vector<std::string> half_done(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == StudyFolder::database_name()) {
      const std::int64_t trials = ended_trials(entry.path());
      if (trials > 0) found.push_back(fmt::format("{} trials", trials));
    } else if (!name.starts_with('.') && !StudyFolder::has_file(name)) {
      found.push_back(name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<double> seconds_of(const store::Artifact& artifact) {
  try {
    const auto path = artifact.file("run.json");
    return parse_json(read_file(path, ExitCode::kArtifact), path.string())
        .at("seconds")
        .get<double>();
  } catch (const std::exception&) {
    return std::nullopt;  // an estimate is no reason to fail
  }
}

// As much of an artifact that cannot be read as a key needs.
store::Artifact stand_in(const std::string& id, store::Kind kind,
                         const std::string& backend_class) {
  store::Artifact artifact;
  artifact.id = id;
  artifact.manifest.kind = kind;
  artifact.manifest.backend_class = backend_class;
  return artifact;
}

class Planner {
 public:
  Planner(const PipelineConfig& config, const std::optional<store::Store>& store,
          const PipelineOptions& options)
      : config_(config), store_(store), options_(options) {
    if (store_) names_ = store_->names();
  }

  // Plans what it needs first; one plan per stage.
  const PlannedStage& at(Stage stage) {
    if (const auto known = planned_.find(stage); known != planned_.end()) return known->second;
    PlannedStage planned = make(stage);
    return planned_.emplace(stage, std::move(planned)).first->second;
  }

 private:
  PlannedStage make(Stage stage) {
    const StageDefinition definition = definition_of(stage);
    PlannedStage planned{.stage = stage, .forced = options_.force.contains(stage)};
    KeyContext context{config_, {}};
    planned.previous = last_id(definition);
    const auto last = get(planned.previous);
    if (last) planned.seconds = seconds_of(*last);
    std::set<std::string> unsettled;  // kinds of inputs that may change
    bool whole = true;                // every input is there, or its last result stands in for it
    for (const Stage needed : definition.upstream(config_)) {
      const PlannedStage& input = at(needed);
      const bool stays = input.action == Action::kReuse;
      if (!stays) {
        planned.waits_for.push_back(needed);
        unsettled.insert(store::kind_name(definition_of(needed).kind));
      }
      const std::string& id = stays ? input.artifact : input.previous;
      auto artifact = get(id);
      if (!artifact && !id.empty() && last) {
        // Damaged or removed. Made again it may well be the same, and then nothing follows.
        artifact = stand_in(id, definition_of(needed).kind, last->manifest.backend_class);
      }
      whole = whole && artifact.has_value();
      if (artifact) context.inputs.emplace(needed, *std::move(artifact));
    }
    if (whole) {
      const store::ReuseKey key = key_of(definition, context);
      if (last) planned.changes = changes_between(definition, last->manifest, key, unsettled);
      if (unsettled.empty()) look_up(definition, key, planned);
    }
    const bool unchanged = whole && last && planned.changes.empty();
    planned.action = action_of(definition, planned, unchanged);
    return planned;
  }

  void look_up(const StageDefinition& definition, const store::ReuseKey& key,
               PlannedStage& planned) const {
    if (!store_ || planned.forced) return;
    if (definition.reusable) {
      if (const auto found = store_->find(key)) planned.artifact = found->id;
    }
    if (planned.artifact.empty())
      planned.resumes = half_done(definition.folder_in(store_->root(), key));
  }

  [[nodiscard]] Action action_of(const StageDefinition& definition, const PlannedStage& planned,
                                 bool unchanged) const {
    if (!planned.artifact.empty()) return Action::kReuse;
    if (options_.only_reuse.contains(planned.stage)) return Action::kMissing;
    if (!definition.reusable) return Action::kAlwaysMake;
    if (!planned.forced && !planned.waits_for.empty() && unchanged) return Action::kFollow;
    return Action::kMake;
  }

  [[nodiscard]] std::optional<store::Artifact> get(const std::string& id) const {
    if (!store_ || id.empty()) return std::nullopt;
    try {
      return store_->get(id);
    } catch (const Error&) {
      return std::nullopt;  // damaged: it will be made again
    }
  }

  [[nodiscard]] std::string last_id(const StageDefinition& definition) const {
    const auto at =
        names_.find(fmt::format("{}.{}", config_.name, store::kind_name(definition.kind)));
    return at == names_.end() ? "" : at->second;
  }

  const PipelineConfig& config_;
  const std::optional<store::Store>& store_;
  const PipelineOptions& options_;
  std::map<std::string, std::string> names_;
  std::map<Stage, PlannedStage> planned_;
};

}  // namespace

std::vector<PlannedStage> plan(const PipelineConfig& config,
                               const std::optional<store::Store>& store,
                               const PipelineOptions& options, const std::vector<Stage>& stages) {
  Planner planner(config, store, options);
  std::set<Stage> shown(stages.begin(), stages.end());
  // Stages before the first one wanted that have no result are shown too, for they stop the run.
  const std::function<void(Stage)> add_before = [&](Stage stage) {
    for (const Stage needed : planner.at(stage).waits_for) {
      shown.insert(needed);
      add_before(needed);
    }
  };
  for (const Stage stage : stages) add_before(stage);
  std::vector<PlannedStage> planned;
  for (const Stage stage : shown) planned.push_back(planner.at(stage));
  return planned;
}

}  // namespace tcrops::stages
