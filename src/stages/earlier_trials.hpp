#pragma once

#include <tcrops/store/store.hpp>
#include <tcrops/tune/storage.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// The longest published study that is the same search with another number of trials; none when
// there is none yet. What cannot be read is passed over.
struct EarlierStudy {
  store::Artifact artifact;
  std::vector<tune::TrialRecord> records;
};
[[nodiscard]] std::optional<EarlierStudy> earlier_study(const store::Store& store,
                                                        const std::string& study_id);

// Studies whose work is half done, by their databases: path and what it holds.
struct HalfDoneStudy {
  std::string url;
  tune::StudyEntry entry;
};
[[nodiscard]] std::vector<HalfDoneStudy> half_done_studies(const store::Store& store);

// The study id of a study artifact.
[[nodiscard]] std::string study_id_of(const store::Artifact& study);

}  // namespace tcrops::stages
