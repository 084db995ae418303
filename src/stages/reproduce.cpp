#include "stage.hpp"
#include "study_definition.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/stages/quantise.hpp>
#include <tcrops/stages/reproduce.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <set>

namespace tcrops::stages {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 1U << 20U;
constexpr const char* kProduct = "model-";  // role of what a study has made, not of an input

Stage stage_of_kind(store::Kind kind) {
  for (const Stage stage : all_stages()) {
    if (definition_of(stage).kind == kind) return stage;
  }
  throw Error(ExitCode::kArtifact, "no stage makes artifacts of this kind");
}

bool is_kept_by_study(const store::Manifest& manifest) {
  return manifest.kind == store::Kind::kModel && manifest.stage == stage_name(Stage::kTune);
}

// Files from outside cannot be made.
bool is_from_outside(const store::Manifest& manifest) {
  return manifest.kind == store::Kind::kRaw &&
         manifest.configuration.value("source", "") != "synthetic";
}

// Where two files differ first; none when they are equal.
std::optional<std::uint64_t> first_difference(const fs::path& a, const fs::path& b) {
  std::ifstream left(a, std::ios::binary);
  std::ifstream right(b, std::ios::binary);
  std::string left_block(kBlockBytes, '\0');
  std::string right_block(kBlockBytes, '\0');
  for (std::uint64_t at = 0;; at += kBlockBytes) {
    check_interrupt();
    left.read(left_block.data(), kBlockBytes);
    right.read(right_block.data(), kBlockBytes);
    const auto both = std::min(left.gcount(), right.gcount());
    const auto end = left_block.begin() + both;
    const auto differs = std::mismatch(left_block.begin(), end, right_block.begin()).first;
    if (differs != end || left.gcount() != right.gcount())
      return at + static_cast<std::uint64_t>(differs - left_block.begin());
    if (left.gcount() == 0) return std::nullopt;
  }
}

ReproducedFile compare_file(const std::string& name, const store::Artifact& original,
                            const store::Artifact& made) {
  ReproducedFile result{.name = name, .difference = ""};
  if (!fs::exists(made.file(name))) {
    result.difference = "missing";
  } else if (!fs::exists(original.file(name))) {
    result.difference = "not there before";
  } else if (const auto at = first_difference(original.file(name), made.file(name))) {
    result.difference = fmt::format("first at byte {}", *at);
  } else {
    result.same = true;
  }
  if (fs::exists(original.file(name))) result.bytes = fs::file_size(original.file(name));
  return result;
}

// The original must be what was published, or a difference would mean nothing.
void require_whole(const store::Artifact& artifact) {
  for (const auto& [name, file] : artifact.manifest.files.items()) {
    if (sha256_file(artifact.file(name)) == file.at("sha256").get<std::string>()) continue;
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: the bytes are not those that were published (SHA-256 differs), so "
                            "there is nothing to compare with",
                            artifact.file(name).string()));
  }
}

std::vector<ReproducedFile> compare(const store::Artifact& original, const store::Artifact& made) {
  std::set<std::string> names = {"manifest.json"};
  for (const auto& [name, file] : original.manifest.files.items()) names.insert(name);
  for (const auto& [name, file] : made.manifest.files.items()) names.insert(name);
  std::vector<ReproducedFile> files;
  for (const std::string& name : names) files.push_back(compare_file(name, original, made));
  return files;
}

void require_same_version(const StageDefinition& definition, const store::Artifact& artifact) {
  if (definition.version == artifact.manifest.stage_version) return;
  throw Error(ExitCode::kArtifact,
              fmt::format("{} was made by version {} of stage {}; this program has version {}, so "
                          "it cannot make it again",
                          artifact.short_id(), artifact.manifest.stage_version,
                          artifact.manifest.stage, definition.version));
}

class Reproduction {
 public:
  Reproduction(const store::Store& store, const store::Store& scratch,
               const ReproduceOptions& options)
      : store_(store), scratch_(scratch), options_(options) {}

  std::vector<Reproduced> run(const store::Artifact& target) {
    bring(target, /*is_target=*/true);
    return std::move(results_);
  }

 private:
  store::Artifact bring(const store::Artifact& original, bool is_target) {
    if (const auto at = made_.find(original.id); at != made_.end()) return at->second;
    std::map<Stage, store::Artifact> inputs;
    for (const auto& [role, id] : original.manifest.parents) {
      if (role.starts_with(kProduct) || role.starts_with(kWarmStartRole)) continue;
      const store::Artifact parent = store_.at(id);
      inputs.emplace(stage_of_kind(parent.manifest.kind), bring(parent, false));
    }
    require_whole(original);
    if (options_.on_start) options_.on_start(original);
    const bool copied = is_from_outside(original.manifest) || (options_.only && !is_target);
    store::Artifact result = copied ? copy(original) : make(original, inputs);
    results_.push_back({original, result.id, copied, compare(original, result)});
    made_.emplace(original.id, result);
    return result;
  }

  // With the models that a study has kept, for they are among its parents.
  store::Artifact copy(const store::Artifact& original) const {
    for (const auto& [role, id] : original.manifest.parents) {
      if (role.starts_with(kProduct)) static_cast<void>(copy(store_.at(id)));
    }
    store::Draft draft = scratch_.begin_draft();
    for (const auto& entry : fs::directory_iterator(original.directory)) {
      std::error_code status;
      fs::copy_file(entry.path(), draft.directory() / entry.path().filename(), status);
      if (status) throw system_error("cannot copy", entry.path(), status.value());
    }
    return scratch_.adopt(std::move(draft), original.id, {});
  }

  store::Artifact make(const store::Artifact& original,
                       const std::map<Stage, store::Artifact>& inputs) const {
    if (original.manifest.stage == kQuantiseStage)
      return quantise_model(scratch_, inputs.at(Stage::kTrain)).artifact;
    const bool kept = is_kept_by_study(original.manifest);
    const StageDefinition definition = definition_of(stage_from_name(original.manifest.stage));
    require_same_version(definition, original);
    PipelineConfig config;
    restore_configuration(definition, original.manifest.configuration, original.manifest.seed,
                          options_.device, config);
    const std::optional<store::Artifact> study = kept ? study_that_kept(original) : std::nullopt;
    if (kept && !study) require_repeatable(original, config.tune);
    const store::Artifact* const again = !kept ? &original : study ? &*study : nullptr;
    const StageContext context{{config, inputs}, scratch_, again};
    const store::ReuseKey key = key_of(definition, context);
    RunRecord record;
    const store::Artifact made = definition.make(context, key, scratch_.private_work(), record);
    return kept ? model_of_trial(made, original.manifest.configuration.at("trial")) : made;
  }

  [[nodiscard]] std::optional<store::Artifact> study_that_kept(const store::Artifact& model) const {
    for (const store::CatalogEntry& entry : store_.catalog()) {
      for (const auto& [role, id] : entry.parents) {
        if (role.starts_with(kProduct) && id == model.id) return store_.at(entry.id);
      }
    }
    return std::nullopt;
  }

  // What a study began with, and without a window what each trial had seen, stands in it alone.
  static void require_repeatable(const store::Artifact& model, const TuneConfig& tune) {
    if (tune.window > 0 && tune.warm_start == "none") return;
    throw Error(ExitCode::kArtifact,
                fmt::format("{} was kept by a study that the store no longer has, and only the "
                            "study says {}",
                            model.short_id(),
                            tune.window > 0 ? "which points it began with"
                                            : "what each trial knew of the others"));
  }

  // The study makes its models again with it.
  [[nodiscard]] store::Artifact model_of_trial(const store::Artifact& study,
                                               const Json& trial) const {
    for (const auto& [role, id] : study.manifest.parents) {
      if (!role.starts_with(kProduct)) continue;
      store::Artifact model = scratch_.at(id);
      if (model.manifest.configuration.value("trial", Json()) == trial) return model;
    }
    throw Error(ExitCode::kCheckFailed,
                fmt::format("the study, made again, no longer keeps trial {}", trial.dump()));
  }

  const store::Store& store_;
  const store::Store& scratch_;
  const ReproduceOptions& options_;
  std::map<std::string, store::Artifact> made_;  // by the original's id
  std::vector<Reproduced> results_;
};

}  // namespace

bool Reproduced::same() const {
  return id == original.id && std::all_of(files.begin(), files.end(),
                                          [](const ReproducedFile& file) { return file.same; });
}

std::vector<Reproduced> reproduce(const store::Store& store, const store::Artifact& artifact,
                                  const store::Store& scratch, const ReproduceOptions& options) {
  return Reproduction(store, scratch, options).run(artifact);
}

}  // namespace tcrops::stages
