#pragma once

#include <tcrops/stages/configuration.hpp>
#include <tcrops/store/store.hpp>
#include <tcrops/tune/replay.hpp>
#include <tcrops/tune/storage.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// Studies, wherever they are: published in the store, half done in it, or in a database that
// workers share.

// What one line about a study needs.
struct StudySummary {
  std::string id;     // of the artifact, or of the study in its database
  std::string name;   // of the pipeline
  std::string place;  // "store", "half done", or the database
  std::int64_t trials = 0;
  std::int64_t finished = 0;
  std::int64_t running = 0;
  Json best = nullptr;  // value, where the place says it cheaply
};
// Of the store, if there is one, or of the database at `url`.
[[nodiscard]] std::vector<StudySummary> list_studies(const std::optional<store::Store>& store,
                                                     const std::string& url);

// One study with all its trials.
struct StudyView {
  std::string id;
  std::string name;
  std::string place;
  std::string url;     // of its database; "" for an artifact
  Json configuration;  // "tune", "train" and "network", what shapes the trials
  std::int64_t seed = 0;
  std::int64_t stage_version = 0;
  std::string backend_class;
  std::string dataset;      // id
  std::int64_t trials = 0;  // that it is to have
  tune::Space space;
  std::vector<tune::TrialRecord> records;
  std::vector<tune::Attempt> attempts;  // of a database
  std::vector<tune::LateResult> late;   // of a database
  Json kept = nullptr;                  // of an artifact: the best models, with spread
  std::vector<tune::Proposal> first;
};
// `reference`: an artifact, or with `url` (or for what is half done in the store) the beginning of
// a study's id, or its name; empty where there is only one. Throws Error (kArtifact) with what
// there is.
[[nodiscard]] StudyView find_study(const std::optional<store::Store>& store, const std::string& url,
                                   const std::string& reference);

struct ReplayOptions {
  bool train = true;  // false: only suggestions and the pruner's decisions; needs no store
  std::string device = "auto";
  std::function<void(std::int64_t done)> progress;
};
// Repeats a study (tune/replay.hpp), to train with the rows of its dataset, which the store must
// have. Throws Error (kArtifact) when another version of the stage made it.
[[nodiscard]] std::vector<tune::ReplayProblem> replay_study(
    const std::optional<store::Store>& store, const StudyView& study, const ReplayOptions& options);

struct PeerOptions {
  std::string url;
  std::string study;  // as find_study
  std::int64_t jobs = 0;
  std::string device = "auto";
  double lease_seconds = 60.0;
  double patience_seconds = 600.0;
};
// Works on a study that is in a database until its trials have ended; the store must have its
// dataset. Returns how many trials this process has ended, and the study as it is then.
struct PeerResult {
  std::int64_t ended = 0;
  StudySummary study;
};
[[nodiscard]] PeerResult work_as_peer(const store::Store& store, const PeerOptions& options);
// The same on the study of a configuration, which is begun where the database has none; makes the
// dataset where the store has none.
[[nodiscard]] PeerResult work_as_peer(const PipelineConfig& config, const store::Store& store,
                                      bool require_inputs);

// How many trials the study of this configuration has so far: the longest published one, or what
// its database is to have. Makes the dataset where the store has none.
[[nodiscard]] std::int64_t trials_so_far(const PipelineConfig& config, const store::Store& store,
                                         bool require_inputs);

}  // namespace tcrops::stages
