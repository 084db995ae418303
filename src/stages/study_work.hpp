#pragma once

#include "study_definition.hpp"
#include "study_files.hpp"
#include "trial_work.hpp"

#include <tcrops/tune/replay.hpp>
#include <tcrops/tune/worker.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::stages {

// Where a study's database is and how this process works on it.
struct StudyPlace {
  std::string url;  // of the database
  StudyFolder& folder;
};

// Waits for a database that is away as long as the configuration says, and says so.
[[nodiscard]] db::Database open_database(const std::string& url, const PipelineConfig& config);
// A connection to a study; makes it where it is absent.
[[nodiscard]] tune::StudyStorage connect_study(const StudyDefinition& study, const std::string& url,
                                               const PipelineConfig& config);

// Gives a study without trials those of a shorter one that the store has; makes it where it is
// absent.
void take_over_earlier(const StudyDefinition& study, const std::string& url,
                       const PipelineConfig& config, const store::Store& store);

// How many trials this process runs at once.
[[nodiscard]] std::int64_t jobs_of(const PipelineConfig& config, const nn::Device& device);

// Works on a study until all of its trials have ended, beside whoever else does. Returns how many
// this process has ended.
std::int64_t work_on(const StudyDefinition& study, const TrialBench& bench,
                     const StudyPlace& place);

// The objective of a study, for a repetition: trains each trial from its first epoch.
[[nodiscard]] tune::Objective objective_of(const TrialBench& bench);

}  // namespace tcrops::stages
