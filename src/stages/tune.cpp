// Stage tune: a study; keeps every trial's record and the best models.
#include "kept_models.hpp"
#include "model.hpp"
#include "search_space.hpp"
#include "stage.hpp"
#include "study_work.hpp"
#include "tune_configuration.hpp"
#include "warm_start.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::stages {
namespace {

// What all trials have of model, learning rate and epochs: a space may leave them out, or have them
// in some trials only.
Json not_searched(const PipelineConfig& config) {
  Json fixed = Json::object();
  const tune::Space space = search_space(config);
  const Json train = config.fields().resolved("train", true);
  for (const char* name : {"model", "learning_rate", "epochs"}) {
    const auto is_it = [&](const tune::Parameter& parameter) {
      return !parameter.when &&
             (parameter.name == name || parameter.name == fmt::format("train.{}", name));
    };
    if (std::none_of(space.begin(), space.end(), is_it)) fixed[name] = train.at(name);
  }
  return fixed;
}

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  const PipelineConfig& config = context.config;
  key.configuration = training_configuration(config);
  key.configuration["train"].update(not_searched(config));
  key.configuration["tune"] = tune_configuration(config);
  key.seed = config.seed;
  key.backend_class = nn::backend_class(nn::resolve_device(config.train.device));
}

void warn_if_jobs_idle(const TuneConfig& config) {
  if (config.window == 0 || config.jobs <= config.window) return;
  log_warning(
      fmt::format("{} jobs are asked for, but only tune.window = {} trials may run at once; "
                  "raise the window too (it changes which trials are chosen), or set it to 0",
                  config.jobs, config.window));
}

// A study without a window depends on when its workers asked, so to make it again is to repeat what
// is recorded.
std::vector<tune::TrialRecord> repeat(const StageContext& context, const StudyDefinition& study,
                                      const TrialBench& bench) {
  const StoredStudy stored = read_study(context.store, *context.again);
  const auto problems = tune::replay(study.space, study.options, stored.records,
                                     {.objective = objective_of(bench), .progress = {}});
  if (problems.empty()) return stored.records;
  throw Error(ExitCode::kCheckFailed,
              fmt::format("trial {} is another when it is repeated: {}", problems.front().number,
                          problems.front().problem));
}

std::vector<tune::TrialRecord> search(const StageContext& context, const StudyDefinition& study,
                                      const TrialBench& bench, const StudyPlace& place) {
  if (!context.from_nothing) take_over_earlier(study, place.url, context.config, context.store);
  work_on(study, bench, place);
  db::Database database = open_database(place.url, context.config);
  auto records = tune::read_records(database, study.id, study.space);
  // Another command may have asked for more. Without a window, a pruner may have judged the first
  // ones by those.
  const TuneConfig& tune = context.config.tune;
  const auto wanted = static_cast<std::size_t>(tune.trials);
  if (records.size() > wanted && (tune.window > 0 || tune.pruner == "none")) records.resize(wanted);
  return records;
}

Json study_facts(const PipelineConfig& config, const std::vector<tune::Trial>& trials,
                 const std::vector<KeptModel>& kept, const std::vector<tune::Proposal>& first) {
  const auto count = [&](auto&& wanted) {
    return std::count_if(trials.begin(), trials.end(), wanted);
  };
  Json facts = {
      {"trials", trials.size()},
      {"objective", config.tune.objective},
      {"select_on", judged_rows_name(config.tune)},
      {"not_acceptable", count([](const tune::Trial& t) {
         return t.state == tune::TrialState::kComplete && !t.acceptable;
       })},
      {"pruned", count([](const tune::Trial& t) { return t.state == tune::TrialState::kPruned; })},
      {"failed", count([](const tune::Trial& t) { return t.state == tune::TrialState::kFailed; })},
      {"best", Json::array()}};
  for (const KeptModel& each : kept) facts["best"].push_back(each.facts);
  if (!first.empty()) facts["warm_start"] = proposals_json(first);
  return facts;
}

void require_a_winner(const std::vector<tune::Trial>& trials,
                      const std::vector<std::int64_t>& best) {
  if (!best.empty()) return;
  std::string last;
  for (const tune::Trial& trial : trials) {
    if (!trial.acceptable) last = trial.reason;
  }
  throw Error(
      ExitCode::kFailure,
      fmt::format(
          "none of the {} trials is acceptable, the last one for this: {}; widen the search (more "
          "tune.trials, lower learning rates) or relax tune.minimum_positive_share and "
          "maximum_positive_share",
          trials.size(), last));
}

store::Artifact publish_model(const StageContext& context, const store::ReuseKey& study_key,
                              const TrialBench& bench, const tune::Trial& trial,
                              const KeptModel& kept, StudyFolder& folder) {
  const Fitted fitted = network_of(bench, trial, folder);
  store::ReuseKey key = study_key;
  key.configuration["trial"] = trial.number;
  store::Manifest manifest = manifest_for(store::Kind::kModel, key);
  manifest.facts = kept.facts;
  const store::Artifact& source = context.input(Stage::kPreprocess);
  store::Draft draft = context.store.begin_draft();
  write_model(fitted, trial_parameters(trial.point, context.config), bench.dataset,
              context.store.read(source, "profile.json"),
              trial.details.at("seed").get<std::uint64_t>(), draft);
  RunRecord run;
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& work, RunRecord& run) {
  const PipelineConfig& config = context.config;
  const Dataset dataset = read_dataset(context.store, context.input(Stage::kPreprocess));
  const TrialBench bench = trial_bench(config, dataset, nn::resolve_device(config.train.device));
  warn_if_jobs_idle(config.tune);
  // Opening LibTorch changes the environment, which no other thread may read meanwhile.
  static_cast<void>(nn::core());
  StudyFolder folder(work, static_cast<std::size_t>(config.tune.keep));
  const std::string url = config.tune.storage.empty() ? folder.database_url() : config.tune.storage;
  const WarmStart warm_start = warm_start_for(context, key, url);
  const StudyDefinition study = define_study(config, key, warm_start);
  const bool repeated = context.again != nullptr && config.tune.window == 0;
  const std::vector<tune::TrialRecord> records =
      repeated ? repeat(context, study, bench) : search(context, study, bench, {url, folder});
  const std::vector<tune::Trial> trials = trials_of(records);
  const auto best = tune::best_trials(trials, static_cast<std::size_t>(config.tune.keep));
  require_a_winner(trials, best);
  const auto kept = describe_kept(bench, trials, best, folder, jobs_of(config, bench.device));

  store::Manifest manifest = manifest_for(store::Kind::kStudy, key);
  for (std::size_t rank = 0; rank < kept.size(); ++rank) {
    const tune::Trial& trial = trials.at(static_cast<std::size_t>(kept[rank].trial));
    manifest.parents[fmt::format("model-{}", rank + 1)] =
        publish_model(context, key, bench, trial, kept[rank], folder).id;
  }
  for (std::size_t i = 0; i < warm_start.studies.size(); ++i)
    manifest.parents[fmt::format("{}{}", kWarmStartRole, i + 1)] = warm_start.studies[i];
  manifest.facts = study_facts(config, trials, kept, warm_start.first);
  store::Draft draft = context.store.begin_draft();
  draft.add("space.json", canonical_json(tune::to_json(study.space)));
  draft.add("trials.json", canonical_json(records_json(records, config.tune.window == 0)));
  run.notes["libtorch"] = nn::core().describe();
  run.notes["device"] = bench.device.name();
  run.notes["jobs"] = jobs_of(config, bench.device);
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

Json configuration_of(const Json& c) {
  // Before networks could be chosen in detail, three of "train" stood alone.
  if (c.contains("train")) {
    return {{"tune", c.at("tune")}, {"train", c.at("train")}, {"network", c.at("network")}};
  }
  Json train = Json::object();
  for (const char* name : {"batch_size", "early_stopping_patience", "threshold"}) {
    train[name] = c.at(name);
  }
  return {{"tune", c.at("tune")}, {"train", train}};
}

// Nobody works on the study any more who wants more trials of it.
bool is_over(const store::WorkFolder& work, const store::ReuseKey& key) {
  try {
    const StudyFolder folder(work, 1);
    if (!folder.has_database()) return true;
    db::Database database = db::Database::open(db::address(folder.database_url()));
    const auto studies = tune::list_studies(database);
    const auto wanted = key.configuration.at("tune").at("trials").get<std::int64_t>();
    return std::all_of(studies.begin(), studies.end(),
                       [&](const tune::StudyEntry& study) { return study.trials <= wanted; });
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

StageDefinition tune_stage() {
  return {.stage = Stage::kTune,
          .kind = store::Kind::kStudy,
          .version = 3,
          .upstream = [](const PipelineConfig&) { return std::vector<Stage>{Stage::kPreprocess}; },
          .complete_key = complete_key,
          .make = make,
          .configuration_of = configuration_of,
          .reusable = true,
          .work_key = [](const store::ReuseKey& key) { return study_key(key); },
          .work_is_over = is_over};
}

}  // namespace tcrops::stages
