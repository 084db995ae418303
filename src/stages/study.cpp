#include "earlier_trials.hpp"
#include "stage.hpp"
#include "study_work.hpp"
#include "warm_start.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/study.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace tcrops::stages {
namespace {

constexpr const char* kInStore = "store";
constexpr const char* kHalfDone = "half done";
constexpr std::size_t kShortId = 12;

db::Database open_database(const std::string& url, double patience_seconds) {
  return db::Database::open(db::address(url), {.patience_seconds = patience_seconds});
}

StudySummary summary_of(const tune::StudyEntry& entry, std::string place) {
  return {entry.id,       entry.name,    std::move(place), entry.trials,
          entry.finished, entry.running, Json(nullptr)};
}

// SQLite would make a file that is not there.
void require_file(const std::string& url) {
  const db::Address address = db::address(url);
  if (address.is_postgresql()) return;
  const std::string path = url.substr(url.find(':') + 1);
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown))
    throw Error(ExitCode::kArtifact, fmt::format("{}: there is no such file", url));
}

// The pipeline whose study this is by its name; "" when it has none.
std::string pipeline_of(const std::map<std::string, std::string>& names, const std::string& id) {
  constexpr std::string_view kEnd = ".study";
  for (const auto& [name, artifact] : names) {
    if (artifact == id && name.ends_with(kEnd)) return name.substr(0, name.size() - kEnd.size());
  }
  return "";
}

struct InDatabase {
  std::string url;
  tune::StudyEntry entry;
};

std::vector<InDatabase> studies_in(const std::string& url) {
  db::Database database = open_database(url, 0.0);
  std::vector<InDatabase> found;
  for (tune::StudyEntry& entry : tune::list_studies(database))
    found.push_back({url, std::move(entry)});
  return found;
}

std::vector<InDatabase> half_done_in(const store::Store& store) {
  std::vector<InDatabase> found;
  for (HalfDoneStudy& half : half_done_studies(store))
    found.push_back({half.url, std::move(half.entry)});
  return found;
}

bool means(const std::string& reference, const tune::StudyEntry& entry) {
  constexpr std::size_t kLeastDigits = 6;
  if (reference.empty() || reference == entry.name) return true;
  return reference.size() >= kLeastDigits && entry.id.starts_with(reference);
}

// The one study that a reference means; none when there is no such.
std::optional<InDatabase> choose(const std::vector<InDatabase>& all, const std::string& reference,
                                 const std::string& where) {
  std::vector<InDatabase> meant;
  std::vector<std::string> names;
  for (const InDatabase& each : all) {
    names.push_back(fmt::format("{} ({})", each.entry.id.substr(0, kShortId), each.entry.name));
    if (means(reference, each.entry)) meant.push_back(each);
  }
  if (meant.empty()) return std::nullopt;
  if (meant.size() == 1) return meant.front();
  throw Error(ExitCode::kArtifact,
              fmt::format("{} has several studies{}; name one by its id: {}", where,
                          reference.empty() ? "" : fmt::format(" \"{}\"", reference),
                          fmt::join(names, ", ")));
}

StudyView view_of(const InDatabase& found, const std::string& place) {
  const Json& document = found.entry.definition;
  PipelineConfig config;
  StudyView view;
  try {
    view.configuration = document.at("configuration");
    view.seed = document.at("seed").get<std::int64_t>();
    view.stage_version = document.at("stage_version").get<std::int64_t>();
    view.backend_class = document.at("backend_class").get<std::string>();
    view.dataset = document.at("dataset").get<std::string>();
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact,
                fmt::format("study {}: its definition: {}", found.entry.id, e.what()));
  }
  view.space = space_of_study(found.entry, config);
  view.first = warm_start_of(document, view.space).first;
  view.id = found.entry.id;
  view.name = found.entry.name;
  view.place = place;
  view.url = found.url;
  view.trials = found.entry.trials;
  db::Database database = open_database(found.url, 0.0);
  view.records = tune::read_records(database, view.id, view.space);
  view.attempts = tune::read_attempts(database, view.id);
  view.late = tune::read_late_results(database, view.id);
  return view;
}

StudyView view_of(const store::Store& store, const store::Artifact& artifact) {
  StoredStudy stored = read_study(store, artifact);
  const store::Manifest& manifest = artifact.manifest;
  StudyView view;
  view.id = artifact.id;
  view.place = kInStore;
  view.configuration = manifest.configuration;
  view.seed = manifest.seed;
  view.stage_version = manifest.stage_version;
  view.backend_class = manifest.backend_class;
  const auto dataset = manifest.parents.find(store::kind_name(store::Kind::kDataset));
  if (dataset != manifest.parents.end()) view.dataset = dataset->second;
  view.trials = std::ssize(stored.records);
  view.space = std::move(stored.space);
  view.records = std::move(stored.records);
  view.kept = manifest.facts.value("best", Json());
  view.first = warm_start_of(manifest, view.space).first;
  view.name = pipeline_of(store.names(), artifact.id);
  return view;
}

store::Artifact bring_dataset(const PipelineConfig& config, const store::Store& store,
                              bool require_inputs) {
  PipelineOptions inputs;
  if (require_inputs) inputs.only_reuse = {Stage::kFetch, Stage::kPreprocess};
  Pipeline pipeline(config, store, inputs);
  return *pipeline.run(Stage::kPreprocess).back().artifact;
}

// What a worker does once it knows its study.
PeerResult work_together(const PipelineConfig& config, const StudyDefinition& study,
                         const store::Store& store, const std::string& url) {
  const Dataset dataset =
      read_dataset(store, store.at(study.document.at("dataset").get<std::string>()));
  const TrialBench bench = trial_bench(config, dataset, nn::resolve_device(config.train.device));
  // Opening LibTorch changes the environment, which no other thread may read meanwhile.
  static_cast<void>(nn::core());
  StudyFolder folder(store.work(study_key(study.document)),
                     static_cast<std::size_t>(config.tune.keep));
  PeerResult result;
  result.ended = work_on(study, bench, {url, folder});
  const std::string place = db::address(url).shown();
  for (const InDatabase& each : studies_in(url)) {
    if (each.entry.id == study.id) result.study = summary_of(each.entry, place);
  }
  return result;
}

}  // namespace

std::vector<StudySummary> list_studies(const std::optional<store::Store>& store,
                                       const std::string& url) {
  std::vector<StudySummary> list;
  if (!url.empty()) {
    const std::string place = db::address(url).shown();
    require_file(url);
    for (const InDatabase& each : studies_in(url)) list.push_back(summary_of(each.entry, place));
    return list;
  }
  if (!store) return list;
  const auto names = store->names();
  for (const store::CatalogEntry& entry : store->catalog()) {
    if (entry.kind != store::kind_name(store::Kind::kStudy)) continue;
    StudySummary summary{entry.id, "", kInStore, 0, 0, 0, nullptr};
    try {
      const Json facts = store->at(entry.id).manifest.facts;
      summary.trials = facts.value("trials", std::int64_t{0});
      summary.finished = summary.trials;
      if (!facts.at("best").empty()) summary.best = facts.at("best").at(0).at("value");
    } catch (const std::exception&) {
      summary.place = "store, damaged";
    }
    summary.name = pipeline_of(names, entry.id);
    list.push_back(std::move(summary));
  }
  for (const InDatabase& each : half_done_in(*store))
    list.push_back(summary_of(each.entry, kHalfDone));
  return list;
}

StudyView find_study(const std::optional<store::Store>& store, const std::string& url,
                     const std::string& reference) {
  if (!url.empty()) {
    const std::string place = db::address(url).shown();
    require_file(url);
    if (const auto found = choose(studies_in(url), reference, place)) return view_of(*found, place);
    throw Error(ExitCode::kArtifact,
                reference.empty()
                    ? fmt::format("{} has no study", place)
                    : fmt::format("{} has no study \"{}\"; `tcrops study list --study URL` shows "
                                  "those it has",
                                  place, reference));
  }
  if (!store) throw Error(ExitCode::kArtifact, "there is no store and no --study URL");
  const std::vector<InDatabase> half = half_done_in(*store);
  if (reference.empty()) {
    if (const auto found = choose(half, reference, "the store's half-done work"))
      return view_of(*found, kHalfDone);
    throw Error(ExitCode::kUsage,
                "name a study: an artifact, for example viral.study; nothing is half done");
  }
  try {
    return view_of(*store, store->get(reference));
  } catch (const Error&) {
    // A half-done one has the pipeline's name or an id of its own.
    if (const auto found = choose(half, reference, "the store's half-done work"))
      return view_of(*found, kHalfDone);
    throw;
  }
}

std::vector<tune::ReplayProblem> replay_study(const std::optional<store::Store>& store,
                                              const StudyView& study,
                                              const ReplayOptions& options) {
  if (study.stage_version != tune_stage().version) {
    throw Error(
        ExitCode::kArtifact,
        fmt::format("study {} was made by version {} of stage tune; this program has "
                    "version {}, so it cannot repeat it",
                    study.id.substr(0, kShortId), study.stage_version, tune_stage().version));
  }
  PipelineConfig config;
  restore_configuration(tune_stage(), study.configuration, study.seed, options.device, config);
  const tune::StudyOptions search = study_options(config, study.first);
  if (!options.train)
    return tune::replay(study.space, search, study.records, {{}, options.progress});
  if (!store) throw Error(ExitCode::kArtifact, "there is no store that has the study's dataset");
  const Dataset dataset = read_dataset(*store, store->at(study.dataset));
  const TrialBench bench = trial_bench(config, dataset, nn::resolve_device(config.train.device));
  require_backend_class(study.id, study.backend_class, bench.device);
  static_cast<void>(nn::core());
  return tune::replay(study.space, search, study.records, {objective_of(bench), options.progress});
}

PeerResult work_as_peer(const store::Store& store, const PeerOptions& options) {
  const std::string place = db::address(options.url).shown();
  require_file(options.url);
  std::vector<InDatabase> all;
  {
    db::Database database = open_database(options.url, options.patience_seconds);
    for (tune::StudyEntry& entry : tune::list_studies(database))
      all.push_back({options.url, std::move(entry)});
  }
  const auto found = choose(all, options.study, place);
  if (!found) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{} has no study{}; begin one with `tcrops tune --config FILE --study "
                            "URL`, or give this worker the same --config",
                            place, options.study.empty() ? "" : " \"" + options.study + "\""));
  }
  PipelineConfig config;
  const StudyDefinition study = restore_study(found->entry, options.device, config);
  config.tune.jobs = options.jobs;
  config.tune.lease_seconds = options.lease_seconds;
  config.tune.patience_seconds = options.patience_seconds;
  return work_together(config, study, store, options.url);
}

PeerResult work_as_peer(const PipelineConfig& config, const store::Store& store,
                        bool require_inputs) {
  const std::string& url = config.tune.storage;
  const StageContext context{
      {config, {{Stage::kPreprocess, bring_dataset(config, store, require_inputs)}}}, store};
  const store::ReuseKey key = key_of(tune_stage(), context);
  const StudyDefinition study = define_study(config, key, warm_start_for(context, key, url));
  take_over_earlier(study, url, config, store);
  return work_together(config, study, store, url);
}

std::int64_t trials_so_far(const PipelineConfig& config, const store::Store& store,
                           bool require_inputs) {
  const store::Artifact dataset = bring_dataset(config, store, require_inputs);
  const store::ReuseKey key =
      study_key(key_of(tune_stage(), KeyContext{config, {{Stage::kPreprocess, dataset}}}));
  const auto earlier = earlier_study(store, key.digest());
  std::int64_t trials = earlier ? std::ssize(earlier->records) : 0;
  const StudyFolder folder(store.work(key), 1);
  std::string url = config.tune.storage;
  if (url.empty() && folder.has_database()) url = folder.database_url();
  if (url.empty()) return trials;
  for (const InDatabase& each : studies_in(url)) {
    if (each.entry.id == key.digest()) trials = std::max(trials, each.entry.trials);
  }
  return trials;
}

}  // namespace tcrops::stages
