#include "warm_start.hpp"

#include "earlier_trials.hpp"
#include "search_space.hpp"
#include "study_files.hpp"
#include "study_work.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/data/fingerprint.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::stages {
namespace {

struct Candidate {
  store::Artifact study;
  double distance = 0.0;
};

std::optional<data::Fingerprint> fingerprint_of(const store::Store& store,
                                                const store::Artifact& dataset) {
  try {
    return data::fingerprint_of_profile(
        parse_json(store.read(dataset, "profile.json"), "profile.json"));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<double> distance_between(const store::Store& store, const store::Artifact& study,
                                       const store::Artifact& dataset) {
  const auto parent = study.manifest.parents.find(store::kind_name(store::Kind::kDataset));
  if (parent == study.manifest.parents.end()) return std::nullopt;
  if (parent->second == dataset.id) return 0.0;
  try {
    const auto ours = fingerprint_of(store, dataset);
    const auto theirs = fingerprint_of(store, store.at(parent->second));
    if (!ours || !theirs) return std::nullopt;
    return data::distance(*ours, *theirs).mean;
  } catch (const Error&) {
    return std::nullopt;  // the dataset is gone
  }
}

// Studies on datasets that look alike, nearest first, then newest.
std::vector<Candidate> near_studies(const store::Store& store, const store::Artifact& dataset,
                                    double most, const std::string& own_id) {
  std::vector<Candidate> found;
  std::vector<store::CatalogEntry> entries = store.catalog();
  std::reverse(entries.begin(), entries.end());
  for (const store::CatalogEntry& entry : entries) {
    if (entry.kind != store::kind_name(store::Kind::kStudy)) continue;
    try {
      store::Artifact study = store.at(entry.id);
      if (study_id_of(study) == own_id) continue;
      const auto distance = distance_between(store, study, dataset);
      if (distance && *distance <= most) found.push_back({std::move(study), *distance});
    } catch (const Error& e) {
      log_debug(fmt::format("warm start: {}", e.what()));
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; });
  return found;
}

// Adds what this study's best trials say, up to `most` points in all.
void add_best(const store::Store& store, const Candidate& from, const tune::Space& space,
              std::size_t most, WarmStart& warm) {
  const std::vector<tune::Trial> trials = trials_of(read_study(store, from.study).records);
  std::size_t added = 0;
  for (const std::int64_t number : tune::best_trials(trials, trials.size())) {
    if (warm.first.size() >= most) break;
    try {
      const Json point = tune::to_json(trials.at(static_cast<std::size_t>(number)).point);
      tune::Proposal proposal{tune::point_from_json(point, space),
                              fmt::format("trial {} of study {}", number, from.study.short_id())};
      const bool known = std::any_of(warm.first.begin(), warm.first.end(), [&](const auto& each) {
        return each.point == proposal.point;
      });
      if (known) continue;
      warm.first.push_back(std::move(proposal));
      ++added;
    } catch (const Error&) {
      continue;  // a point of another space
    }
  }
  if (added == 0) return;
  warm.studies.push_back(from.study.id);
  log_info(fmt::format("tune begins with {} points from study {} (distance of the datasets {:.3f})",
                       added, from.study.short_id(), from.distance));
}

}  // namespace

WarmStart find_warm_start(const PipelineConfig& config, const store::Store& store,
                          const store::Artifact& dataset, const tune::Space& space,
                          const std::string& own_id) {
  WarmStart warm;
  const TuneConfig& tune = config.tune;
  if (tune.warm_start == "none") return warm;
  std::vector<Candidate> candidates;
  if (tune.warm_start == "auto") {
    candidates = near_studies(store, dataset, tune.warm_start_distance, own_id);
  } else {
    store::Artifact study = store.get(tune.warm_start);
    const auto distance = distance_between(store, study, dataset);
    candidates.push_back({std::move(study), distance.value_or(1.0)});
  }
  for (const Candidate& candidate : candidates) {
    try {
      add_best(store, candidate, space, static_cast<std::size_t>(tune.warm_start_trials), warm);
    } catch (const Error&) {
      if (tune.warm_start != "auto") throw;
    }
  }
  if (warm.first.empty()) {
    log_info(fmt::format("tune begins cold: tune.warm_start {} gives no point of this space",
                         tune.warm_start));
  }
  return warm;
}

WarmStart warm_start_for(const StageContext& context, const store::ReuseKey& key,
                         const std::string& url) {
  if (context.config.tune.warm_start == "none") return {};
  const tune::Space space = search_space(context.config);
  if (context.again != nullptr) return warm_start_of(context.again->manifest, space);
  const std::string id = study_key(key).digest();
  db::Database database = open_database(url, context.config);
  for (const tune::StudyEntry& entry : tune::list_studies(database)) {
    if (entry.id == id) return warm_start_of(entry.definition, space);
  }
  if (!context.from_nothing) {
    if (const auto earlier = earlier_study(context.store, id))
      return warm_start_of(earlier->artifact.manifest, space);
  }
  return find_warm_start(context.config, context.store, context.input(Stage::kPreprocess), space,
                         id);
}

}  // namespace tcrops::stages
