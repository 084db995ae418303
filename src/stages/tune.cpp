// Stage tune: a study over the paper's space; keeps every trial's record and the best models.
#include "foundation.hpp"
#include "model.hpp"
#include "stage.hpp"
#include "trial_store.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/eval/objective.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/tune/study.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace tcrops::stages {
namespace {

// Everything the trials share; read-only while they run.
struct Bench {
  const PipelineConfig& config;
  nn::Device device;
  const data::Expansion& expansion;  // of all three sides
  SideData train;
  SideData validation;
  SideData judge;  // the rows that choose: validation, or test for the paper's protocol
};

tune::Space space_of(const TuneConfig& c) {
  tune::Space space = {
      {"model", tune::Choice{c.models}},
      {"learning_rate", tune::FloatRange{c.learning_rate_min, c.learning_rate_max, false}},
      {"epochs", tune::IntegerRange{c.epochs_min, c.epochs_max}}};
  tune::check_space(space);
  return space;
}

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  const PipelineConfig& config = context.config;
  key.configuration = training_configuration(config);
  key.configuration["tune"] = config.fields().resolved("tune", true);
  key.seed = config.seed;
  key.backend_class = nn::backend_class(nn::resolve_device(config.train.device));
}

FitParameters parameters_of(const tune::Point& point, const PipelineConfig& config) {
  FitParameters parameters = fit_parameters(config);
  parameters.model = std::get<std::string>(point.at("model"));
  parameters.learning_rate = std::get<double>(point.at("learning_rate"));
  parameters.epochs = std::get<std::int64_t>(point.at("epochs"));
  parameters.refit = false;  // stage train does that
  return parameters;
}

std::uint64_t trial_seed(std::int64_t study_seed, std::int64_t number) {
  // Half the range: seeds are written to JSON as signed numbers.
  return Rng(static_cast<std::uint64_t>(study_seed), "tune.trial",
             static_cast<std::uint64_t>(number))
             .next64() >>
         1U;
}

tune::Trial run_trial(const Bench& bench, const TrialStore& trials, std::int64_t number,
                      const tune::Point& point) {
  const TuneConfig& config = bench.config.tune;
  const std::uint64_t seed = trial_seed(bench.config.seed, number);
  const FitParameters parameters = parameters_of(point, bench.config);
  const Fitted fitted =
      fit(parameters, bench.expansion, bench.train, bench.validation, seed, bench.device, {});

  tune::Trial trial;
  trial.number = number;
  trial.point = point;
  trial.weights = fitted.network->trained_numbers();
  trial.details = {
      {"parameters", to_json(parameters)}, {"seed", seed}, {"history", fitted.history}};
  const auto [labels, logits] =
      answered(fitted.network->spec(), bench.judge, fitted.network->logits(bench.judge.rows));
  if (!all_finite(logits)) {
    trial.acceptable = false;
    trial.reason = "training diverged: the network's output is not a number";
    trial.value = std::nan("");
    return trial;
  }
  const auto scores = probabilities(logits);
  const auto judged =
      eval::objective(config.objective, labels, scores, fitted.threshold,
                      {config.minimum_positive_share, config.maximum_positive_share});
  trial.value = judged.value;
  trial.acceptable = judged.acceptable;
  trial.reason = judged.reason;
  Json metrics = eval::binary_report(labels, scores, fitted.threshold);
  metrics["paper_loss"] = eval::paper_loss(eval::confusion(labels, scores, fitted.threshold));
  trial.details["metrics"] = {{config.select_on, metrics}};
  trial.details["threshold"] = fitted.threshold;
  trials.keep_weights(number, fitted.network->weights());
  return trial;
}

std::int64_t jobs_of(const TuneConfig& config, const nn::Device& device) {
  if (device.cuda) return 1;
  const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  return std::min(config.window, config.jobs == 0 ? cores : config.jobs);
}

void warn_if_jobs_idle(const TuneConfig& config) {
  if (config.jobs <= config.window) return;
  log_warning(
      fmt::format("{} jobs are asked for, but only tune.window = {} trials may run at once; "
                  "raise the window too (it changes which trials are chosen)",
                  config.jobs, config.window));
}

std::vector<tune::Trial> run(const Bench& bench, const TrialStore& trials,
                             const tune::Space& space) {
  const TuneConfig& config = bench.config.tune;
  Progress progress("tune", static_cast<std::uint64_t>(config.trials), "trials");
  double best = -std::numeric_limits<double>::infinity();
  tune::StudyHooks hooks;
  hooks.run = [&](std::int64_t number, const tune::Point& point) {
    return run_trial(bench, trials, number, point);
  };
  hooks.recall = [&](std::int64_t number, const tune::Point& point, tune::Trial& trial) {
    return trials.recall(number, point, trial);
  };
  hooks.keep = [&](const tune::Trial& trial) { trials.keep(trial); };
  hooks.progress = [&](const tune::Trial& trial, std::int64_t done) {
    if (trial.acceptable) best = std::max(best, trial.value);
    progress.update(static_cast<std::uint64_t>(done),
                    fmt::format("best {} {:.4f}", config.objective, best));
  };
  return tune::run_study(space,
                         {.sampler = tune::sampler_from_name(config.sampler),
                          .tpe = {.startup_trials = config.startup_trials},
                          .trials = config.trials,
                          .seed = static_cast<std::uint64_t>(bench.config.seed),
                          .window = config.window,
                          .jobs = jobs_of(config, bench.device)},
                         hooks);
}

store::Artifact publish_model(const StageContext& context, const store::ReuseKey& study_key,
                              const Dataset& dataset, const Bench& bench, const TrialStore& trials,
                              const tune::Trial& trial) {
  const FitParameters parameters = parameters_of(trial.point, context.config);
  const auto seed = trial.details.at("seed").get<std::uint64_t>();
  nn::NetworkOptions network = parameters.network;
  network.architecture = parameters.model;
  const nn::ModelSpec spec = blueprint(network, bench.expansion, bench.train, seed).spec;
  Fitted fitted;
  fitted.network =
      nn::core().load(spec, bench.expansion, trials.weights(trial.number), bench.device);
  fitted.threshold = trial.details.at("threshold").get<double>();
  fitted.history = trial.details.at("history");

  store::ReuseKey key = study_key;
  key.configuration["trial"] = trial.number;
  store::Manifest manifest = manifest_for(store::Kind::kModel, key);
  manifest.facts = {{"trial", trial.number},
                    {"parameters", to_json(parameters)},
                    {"value", trial.value},
                    {"metrics", trial.details.at("metrics")}};
  const store::Artifact& source = context.input(Stage::kPreprocess);
  store::Draft draft = context.store.begin_draft();
  write_model(fitted, parameters, dataset, context.store.read(source, "profile.json"), seed, draft);
  RunRecord run;
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

Json study_facts(const TuneConfig& config, const std::vector<tune::Trial>& trials,
                 const std::vector<std::int64_t>& best) {
  Json facts = {
      {"trials", trials.size()},
      {"objective", config.objective},
      {"select_on", config.select_on},
      {"not_acceptable", std::count_if(trials.begin(), trials.end(),
                                       [](const tune::Trial& t) { return !t.acceptable; })},
      {"best", Json::array()}};
  for (const std::int64_t number : best) {
    const tune::Trial& trial = trials.at(static_cast<std::size_t>(number));
    facts["best"].push_back({{"trial", number},
                             {"value", trial.value},
                             {"seed", trial.details.at("seed")},
                             {"parameters", trial.details.at("parameters")},
                             {"trained_numbers", trial.weights},
                             {"metrics", trial.details.at("metrics")}});
  }
  return facts;
}

void require_a_winner(const std::vector<tune::Trial>& trials,
                      const std::vector<std::int64_t>& best) {
  if (!best.empty()) return;
  throw Error(
      ExitCode::kFailure,
      fmt::format("none of the {} trials is acceptable; the last one: {}; widen the search (more "
                  "tune.trials, lower tune.learning_rate_max) or relax tune.minimum_positive_share "
                  "and maximum_positive_share",
                  trials.size(), trials.back().reason));
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& work, RunRecord& run_record) {
  const PipelineConfig& config = context.config;
  const store::Artifact& source = context.input(Stage::kPreprocess);
  const Dataset dataset = read_dataset(context.store, source);
  const auto judge_side =
      config.tune.select_on == "test" ? data::Side::kTest : data::Side::kValidation;
  const Bench bench{
      config,
      nn::resolve_device(config.train.device),
      dataset.encoder->expansion(),
      learnable_rows(training_rows(dataset, row_numbers(dataset, {data::Side::kTrain})),
                     config.network),
      side_of(dataset, data::Side::kValidation),
      side_of(dataset, judge_side)};
  warn_if_jobs_idle(config.tune);
  // Opening LibTorch changes the environment, which no other thread may read meanwhile.
  static_cast<void>(nn::core());
  const tune::Space space = space_of(config.tune);
  const TrialStore trial_store(work, space);
  const std::vector<tune::Trial> trials = run(bench, trial_store, space);
  const auto best = tune::best_trials(trials, static_cast<std::size_t>(config.tune.keep));
  require_a_winner(trials, best);

  store::Manifest manifest = manifest_for(store::Kind::kStudy, key);
  for (std::size_t rank = 0; rank < best.size(); ++rank) {
    const tune::Trial& trial = trials.at(static_cast<std::size_t>(best[rank]));
    manifest.parents[fmt::format("model-{}", rank + 1)] =
        publish_model(context, key, dataset, bench, trial_store, trial).id;
  }
  manifest.facts = study_facts(config.tune, trials, best);
  Json records = Json::array();
  for (const tune::Trial& trial : trials) records.push_back(trial_to_json(trial));
  store::Draft draft = context.store.begin_draft();
  draft.add("space.json", canonical_json(tune::to_json(space)));
  draft.add("trials.json", canonical_json(records));
  run_record.notes["libtorch"] = nn::core().describe();
  run_record.notes["device"] = bench.device.name();
  run_record.notes["jobs"] = jobs_of(config.tune, bench.device);
  return context.store.publish(std::move(draft), std::move(manifest), run_record.finish(), key);
}

}  // namespace

StageDefinition tune_stage() {
  return {.stage = Stage::kTune,
          .kind = store::Kind::kStudy,
          .version = 2,
          .upstream = [](const PipelineConfig&) { return std::vector<Stage>{Stage::kPreprocess}; },
          .complete_key = complete_key,
          .make = make,
          .configuration_of =
              [](const Json& c) {
                // Before networks could be chosen in detail, three of "train" stood alone.
                if (c.contains("train")) {
                  return Json{{"tune", c.at("tune")},
                              {"train", c.at("train")},
                              {"network", c.at("network")}};
                }
                Json train = Json::object();
                for (const char* name : {"batch_size", "early_stopping_patience", "threshold"}) {
                  train[name] = c.at(name);
                }
                return Json{{"tune", c.at("tune")}, {"train", train}};
              },
          .reusable = true};
}

}  // namespace tcrops::stages
