#pragma once

#include "study_definition.hpp"

#include <tcrops/store/store.hpp>

#include <string>

namespace tcrops::stages {

// The best trials of other studies in the store, for a study of `dataset` to try first: of the one
// that tune.warm_start names, or of those whose datasets look alike (data/fingerprint.hpp), nearest
// first and then newest. Points that are none of the space are left out, and so is the study
// `own_id` itself. Says on the log what it found. Throws Error (kArtifact) when the named study is
// none.
[[nodiscard]] WarmStart find_warm_start(const PipelineConfig& config, const store::Store& store,
                                        const store::Artifact& dataset, const tune::Space& space,
                                        const std::string& own_id);

// What the study of a key begins with: what it began with, if it is made again, its database at
// `url` has it already or a shorter one is published; else what the store offers now.
[[nodiscard]] WarmStart warm_start_for(const StageContext& context, const store::ReuseKey& key,
                                       const std::string& url);

}  // namespace tcrops::stages
