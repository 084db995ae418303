#include "earlier_trials.hpp"

#include "study_definition.hpp"
#include "study_files.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>

namespace tcrops::stages {
namespace fs = std::filesystem;

std::string study_id_of(const store::Artifact& study) {
  const store::Manifest& m = study.manifest;
  const std::string dataset = store::kind_name(store::Kind::kDataset);
  std::map<std::string, std::string> inputs;
  if (const auto at = m.parents.find(dataset); at != m.parents.end()) inputs.insert(*at);
  return study_key(store::ReuseKey{m.stage, m.stage_version, m.configuration, inputs, m.seed,
                                   m.backend_class})
      .digest();
}

std::vector<HalfDoneStudy> half_done_studies(const store::Store& store) {
  std::vector<HalfDoneStudy> found;
  std::error_code ignored;
  for (const auto& folder : fs::directory_iterator(store.root() / "work", ignored)) {
    const fs::path path = folder.path() / StudyFolder::database_name();
    if (!fs::exists(path, ignored)) continue;
    try {
      const std::string url = "sqlite:" + path.string();
      db::Database database = db::Database::open(db::address(url));
      for (tune::StudyEntry& entry : tune::list_studies(database))
        found.push_back({url, std::move(entry)});
    } catch (const Error& e) {
      log_debug(fmt::format("{}: {}", path.string(), e.what()));
    }
  }
  return found;
}

std::optional<EarlierStudy> earlier_study(const store::Store& store, const std::string& id) {
  std::optional<EarlierStudy> longest;
  for (const store::CatalogEntry& entry : store.catalog()) {
    if (entry.kind != store::kind_name(store::Kind::kStudy)) continue;
    try {
      store::Artifact study = store.at(entry.id);
      if (study_id_of(study) != id) continue;
      std::vector<tune::TrialRecord> records = read_study(store, study).records;
      if (!longest || records.size() > longest->records.size())
        longest = {std::move(study), std::move(records)};
    } catch (const Error& e) {
      log_debug(fmt::format("earlier trials: {}", e.what()));
    }
  }
  return longest;
}

}  // namespace tcrops::stages
