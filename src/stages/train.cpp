// Stage train: the model that is evaluated, checked and served.
#include "model.hpp"
#include "search_space.hpp"
#include "stage.hpp"
#include "train_networks.hpp"
#include "variants.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/eval/metrics.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

namespace tcrops::stages {
namespace {

std::vector<Stage> upstream(const PipelineConfig& config) {
  if (config.train.from == "study") return {Stage::kPreprocess, Stage::kTune};
  return {Stage::kPreprocess};
}

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  const TrainConfig& train = context.config.train;
  key.configuration = training_configuration(context.config);
  key.configuration["train"]["from"] = train.from;
  if (train.from != "study") {  // which brings these
    key.configuration["train"]["model"] = train.model;
    key.configuration["train"]["learning_rate"] = train.learning_rate;
    key.configuration["train"]["epochs"] = train.epochs;
  }
  for (const char* name : {"ensemble", "calibration", "background"}) {
    key.configuration[name] = context.config.fields().resolved(name, true);
  }
  if (context.config.ensemble.from == "none") key.configuration["ensemble"].erase("members");
  if (context.config.calibration.method == "none") {
    key.configuration["calibration"].erase("minimum_positives");
  }
  if (context.config.background.from == "none") key.configuration["background"].erase("tcrs");
  key.seed = context.config.seed;
  key.backend_class = nn::backend_class(nn::resolve_device(train.device));
}

Recipe recipe_of(const StageContext& context) {
  const TrainConfig& train = context.config.train;
  Recipe recipe{
      fit_parameters(context.config), static_cast<std::uint64_t>(context.config.seed), {}};
  if (context.config.ensemble.from == "variants") recipe.variants = variants_of(context.config);
  if (train.from != "study") return recipe;
  const store::Artifact& study = context.input(Stage::kTune);
  try {
    const Json& best = study.manifest.facts.at("best").at(0);
    recipe.seed = best.at("seed").get<std::uint64_t>();
    recipe.parameters = best_parameters(best, context.config);
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact,
                fmt::format("study {}: no best trial in it: {}", study.short_id(), e.what()));
  }
  return recipe;
}

TrainedNetworks train(const StageContext& context, const Recipe& recipe, const Dataset& dataset,
                      const nn::Device& device, const TrainPlace& place) {
  const EnsembleConfig& ensemble = context.config.ensemble;
  if (ensemble.from == "none") return train_one(recipe, dataset, device, place);
  if (ensemble.from == "study") {
    return ensemble_of_study(ensemble, recipe, context.store, context.input(Stage::kTune), dataset,
                             device);
  }
  return train_ensemble(ensemble, recipe, dataset, device, place);
}

// Judged rows that have a score: all, but for those of epitopes without a head.
JudgedRows scored_rows(const JudgedRows& judged) {
  JudgedRows scored{judged.origin, {}, {}, {}};
  for (std::size_t i = 0; i < judged.logits.size(); ++i) {
    if (std::isnan(judged.logits[i])) continue;
    scored.labels.push_back(judged.labels[i]);
    scored.epitopes.push_back(judged.epitopes[i]);
    scored.logits.push_back(judged.logits[i]);
  }
  if (!scored.logits.empty()) return scored;
  throw Error(ExitCode::kInputData,
              "no validation row has an epitope that the network has a head for, so nothing can be "
              "said of it: give validation rows of other epitopes, or set network.head \"pan\"");
}

std::vector<data::Record> records_of(const Dataset& dataset, bool train, bool validation) {
  std::vector<data::Record> records;
  for (std::size_t row = 0; row < dataset.sides.size(); ++row) {
    const data::Side side = dataset.sides[row];
    const bool wanted =
        side == data::Side::kTrain ? train : (side == data::Side::kValidation ? validation : false);
    if (wanted) records.push_back(dataset.records[row]);
  }
  return records;
}

// All that is kept, but for the networks.
ModelContents contents_of(const StageContext& context, const Dataset& dataset) {
  const PipelineConfig& config = context.config;
  const auto& features = dataset.encoder->features();
  const bool all = config.ensemble.from == "folds" || config.train.refit;
  const std::vector<data::Record> trained_on = records_of(dataset, true, all);
  ModelContents contents;
  contents.background_from = config.background.from;
  contents.background =
      choose_background(config.background, trained_on, static_cast<std::uint64_t>(config.seed));
  contents.trained_on = reference_tcrs(trained_on, features);
  contents.nearest = describe_reference(contents.trained_on,
                                        reference_tcrs(records_of(dataset, true, false), features),
                                        reference_tcrs(records_of(dataset, false, true), features));
  return contents;
}

void add_facts(const ModelContents& contents, Json& facts) {
  if (!contents.ensemble.is_null()) {
    facts["ensemble"] = {{"from", contents.ensemble.at("from")},
                         {"members", contents.networks.size()}};
  }
  if (contents.calibration) facts["calibration"] = summary(*contents.calibration);
  if (!contents.background.empty()) {
    facts["background"] = {{"from", contents.background_from},
                           {"tcrs", contents.background.size()}};
  }
  facts["nearest"] = contents.nearest;
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& work, RunRecord& run) {
  const store::Artifact& source = context.input(Stage::kPreprocess);
  const Dataset dataset = read_dataset(context.store, source);
  const nn::Device device = nn::resolve_device(context.config.train.device);
  const Recipe recipe = recipe_of(context);
  ModelContents contents = contents_of(context, dataset);
  TrainedNetworks trained = train(context, recipe, dataset, device, {work, key.digest()});
  const JudgedRows judged = scored_rows(trained.judged);
  contents.networks = std::move(trained.networks);
  contents.parameters = recipe.parameters;
  contents.seed = recipe.seed;
  contents.threshold = trained.threshold;
  contents.history = std::move(trained.history);
  contents.ensemble = std::move(trained.ensemble);
  contents.calibration = fit_calibration(context.config.calibration, judged);
  if (!contents.calibration && context.config.calibration.method != "none") {
    log_warning(
        "no calibration: the rows to fit it on lack a class, or their share of binders does not "
        "rise with the score; predictions have no probability");
  }

  store::Manifest manifest = manifest_for(store::Kind::kModel, key);
  manifest.facts = {
      {"parameters", to_json(recipe.parameters)},
      {"trained_numbers", contents.networks.parameters()},
      {"epochs_run", trained.epochs_run},
      {"metrics",
       {{judged.origin,
         eval::binary_report(judged.labels, probabilities(judged.logits), contents.threshold)}}}};
  add_facts(contents, manifest.facts);
  store::Draft draft = context.store.begin_draft();
  write_model(contents, dataset, context.store.read(source, "profile.json"), draft);
  run.notes["libtorch"] = nn::core().describe();
  run.notes["device"] = device.name();
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

// The train section stands alone, as it did before there were others.
Json configuration_of(const Json& configuration) {
  // Version 1 had nothing but what is now under "train".
  return configuration.contains("train") ? configuration : Json{{"train", configuration}};
}

}  // namespace

StageDefinition train_stage() {
  return {.stage = Stage::kTrain,
          .kind = store::Kind::kModel,
          .version = 3,
          .upstream = upstream,
          .complete_key = complete_key,
          .make = make,
          .configuration_of = configuration_of,
          .reusable = true};
}

}  // namespace tcrops::stages
