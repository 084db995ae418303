#pragma once

#include "stage.hpp"

#include <tcrops/nn/device.hpp>
#include <tcrops/tune/storage.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// Everything that a worker needs to know of a study. `document` is what databases keep:
//   {"schema": "tcrops.study_definition/1", "stage_version", "configuration", "seed",
//    "backend_class", "dataset": id, "first": [{"point", "origin"}], "warm_start": [study ids]}
struct StudyDefinition {
  std::string id;
  std::string name;
  Json document;
  tune::Space space;
  tune::StudyOptions options;
};

// The part of a key that shapes single trials: not how many there are, nor what becomes of the
// best. Its digest is the id of the study, and its work folder is the study's.
[[nodiscard]] store::ReuseKey study_key(const store::ReuseKey& key);
[[nodiscard]] store::ReuseKey study_key(const Json& document);

// The proposals that a study begins with, and the studies they are from.
struct WarmStart {
  std::vector<tune::Proposal> first;
  std::vector<std::string> studies;  // ids of artifacts
};

[[nodiscard]] StudyDefinition define_study(const PipelineConfig& config, const store::ReuseKey& key,
                                           const WarmStart& warm_start);
// What a configuration says of the search.
[[nodiscard]] tune::StudyOptions study_options(const PipelineConfig& config,
                                               std::vector<tune::Proposal> first);
// The space of a study in a database; fills a fresh configuration. Throws Error (kArtifact) when
// the study is none of this program's, or its definition is not the one that gave it its id.
[[nodiscard]] tune::Space space_of_study(const tune::StudyEntry& entry, PipelineConfig& config);
// Throws Error (kConfiguration) unless this device computes as the study's trials were.
void require_backend_class(const std::string& study, const std::string& theirs,
                           const nn::Device& device);
// From what a database keeps. The configuration is filled from it; it must be fresh. Throws as
// space_of_study, and Error (kConfiguration) when this machine computes otherwise than those that
// made it.
[[nodiscard]] StudyDefinition restore_study(const tune::StudyEntry& entry,
                                            const std::string& device, PipelineConfig& config);
// The warm start that a definition says, or a study artifact of this space.
[[nodiscard]] WarmStart warm_start_of(const Json& document, const tune::Space& space);
[[nodiscard]] WarmStart warm_start_of(const store::Manifest& study, const tune::Space& space);
// What study artifacts keep of it in `facts`.
[[nodiscard]] Json proposals_json(const std::vector<tune::Proposal>& first);
// Role, among a study's parents, of the n-th study that it began with.
inline constexpr const char* kWarmStartRole = "warm-start-";

}  // namespace tcrops::stages
