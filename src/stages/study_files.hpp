#pragma once

#include "checkpoint.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/nn/tensor_file.hpp>
#include <tcrops/store/store.hpp>
#include <tcrops/tune/storage.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// Trials as a study artifact keeps them, in trials.json. Events are part of a study that was
// searched without a window, and of no other: there they depend on the clock.
[[nodiscard]] Json records_json(const std::vector<tune::TrialRecord>& records, bool with_events);
// The way back. Throws Error (kArtifact).
[[nodiscard]] std::vector<tune::TrialRecord> records_from_json(const Json& json,
                                                               const tune::Space& space);
[[nodiscard]] std::vector<tune::Trial> trials_of(const std::vector<tune::TrialRecord>& records);

// What a study of some artifact searched, and its trials.
struct StoredStudy {
  tune::Space space;
  std::vector<tune::TrialRecord> records;
};
[[nodiscard]] StoredStudy read_study(const store::Store& store, const store::Artifact& artifact);

// The files of a study that is not published yet, in its work folder: its database, checkpoints of
// running trials, and the weights of the best. Thread-safe.
class StudyFolder {
 public:
  StudyFolder(store::WorkFolder work, std::size_t keep) : work_(std::move(work)), keep_(keep) {}

  [[nodiscard]] static const char* database_name() { return "study.db"; }
  // Whether a file of this name is one of those that such a folder holds.
  [[nodiscard]] static bool has_file(const std::string& name);
  [[nodiscard]] std::string database_url() const;
  [[nodiscard]] bool has_database() const;

  // Of the network number `part` of a trial. `owner` as CheckpointPlace has it.
  [[nodiscard]] CheckpointPlace checkpoint(std::int64_t number, std::size_t part,
                                           const std::string& owner) const;
  void drop_checkpoints(std::int64_t number) const;

  // Keeps the weights of a trial that may be among the best of those known, and drops those of
  // trials that no longer are.
  void keep_weights(const tune::Trial& trial, const std::vector<tune::TrialRecord>& known,
                    const std::vector<nn::Tensor>& weights);
  // None when they are not there: another machine has them, or nobody.
  [[nodiscard]] std::optional<std::vector<nn::Tensor>> weights(const tune::Trial& trial) const;

  // The value of a trial's n-th training with another seed, for the next process; null: it was not
  // acceptable.
  void keep_value(const tune::Trial& trial, std::size_t repetition, const Json& value) const;
  [[nodiscard]] std::optional<Json> value(const tune::Trial& trial, std::size_t repetition) const;

 private:
  store::WorkFolder work_;
  std::size_t keep_;
  std::mutex mutex_;
  std::map<std::int64_t, std::string> kept_;  // file by trial; guarded by mutex_
};

}  // namespace tcrops::stages
