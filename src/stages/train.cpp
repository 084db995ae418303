// Stage train: the model that is evaluated, checked and served.
#include "model.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/eval/metrics.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>
#include <system_error>

#include <filesystem>
#include <optional>

namespace tcrops::stages {
namespace {

constexpr const char* kCheckpointFile = "epoch.safetensors";

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
  key.seed = context.config.seed;
  key.backend_class = nn::backend_class(nn::resolve_device(train.device));
}

// What to train: the parameters, and the seed that a study's trial had, so that what was chosen is
// what is kept, byte for byte.
struct Recipe {
  FitParameters parameters;
  std::uint64_t seed = 0;
};

Recipe recipe_of(const StageContext& context) {
  const TrainConfig& train = context.config.train;
  Recipe recipe{fit_parameters(context.config), static_cast<std::uint64_t>(context.config.seed)};
  if (train.from != "study") return recipe;
  const store::Artifact& study = context.input(Stage::kTune);
  try {
    const Json& best = study.manifest.facts.at("best").at(0);
    const Json& chosen = best.at("parameters");
    recipe.seed = best.at("seed").get<std::uint64_t>();
    recipe.parameters.model = chosen.at("model").get<std::string>();
    recipe.parameters.learning_rate = chosen.at("learning_rate").get<double>();
    recipe.parameters.epochs = chosen.at("epochs").get<std::int64_t>();
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact,
                fmt::format("study {}: no best trial in it: {}", study.short_id(), e.what()));
  }
  return recipe;
}

CheckpointPlace checkpoint_place(const store::WorkFolder& work, const store::ReuseKey& key) {
  const auto load = [work]() -> std::optional<std::string> {
    const auto path = work.directory() / kCheckpointFile;
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown)) return std::nullopt;
    return read_file(path, ExitCode::kArtifact);
  };
  const auto save = [work](std::string_view bytes) { work.write(kCheckpointFile, bytes); };
  return {kCheckpointFile, key.digest(), load, save};
}

Fitted fit_with_progress(const Recipe& recipe, const data::Expansion& expansion,
                         const SideData& train, const SideData& validation,
                         const nn::Device& device, CheckpointPlace checkpoints) {
  const auto epochs = static_cast<std::uint64_t>(recipe.parameters.epochs);
  std::optional<Progress> progress;
  FitHooks hooks;
  hooks.checkpoints = std::move(checkpoints);
  hooks.on_start = [&](std::int64_t done) {
    if (done > 0) log_info(fmt::format("train continues after epoch {} of {}", done, epochs));
    progress.emplace("train", epochs, "epochs", static_cast<std::uint64_t>(done));
  };
  hooks.on_epoch = [&](std::int64_t epoch, double loss) {
    progress->update(static_cast<std::uint64_t>(epoch), fmt::format("loss {:.4f}", loss));
  };
  return fit(recipe.parameters, expansion, train, validation, recipe.seed, device, hooks);
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& work, RunRecord& run) {
  const store::Artifact& source = context.input(Stage::kPreprocess);
  const Dataset dataset = read_dataset(context.store, source);
  const nn::Device device = nn::resolve_device(context.config.train.device);
  const Recipe recipe = recipe_of(context);
  const auto& [parameters, seed] = recipe;
  const SideData train = side_of(dataset, data::Side::kTrain);
  const SideData validation = side_of(dataset, data::Side::kValidation);
  const Fitted fitted = fit_with_progress(recipe, dataset.encoder->expansion(), train, validation,
                                          device, checkpoint_place(work, key));

  const auto logits = fitted.network->logits(validation.rows);
  if (!all_finite(logits)) {
    throw Error(
        ExitCode::kFailure,
        fmt::format("training diverged: with learning rate {} the network's output is not a "
                    "number; lower train.learning_rate or tune.learning_rate_max",
                    parameters.learning_rate));
  }
  store::Manifest manifest = manifest_for(store::Kind::kModel, key);
  manifest.facts = {{"parameters", to_json(parameters)},
                    {"trained_numbers", fitted.network->spec().parameters()},
                    {"epochs_run", fitted.history.size()},
                    {"metrics",
                     {{"validation", eval::binary_report(validation.labels, probabilities(logits),
                                                         fitted.threshold)}}}};
  store::Draft draft = context.store.begin_draft();
  write_model(fitted, parameters, dataset, context.store.read(source, "profile.json"), seed, draft);
  run.notes["libtorch"] = nn::core().describe();
  run.notes["device"] = device.name();
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition train_stage() {
  return {.stage = Stage::kTrain,
          .kind = store::Kind::kModel,
          .version = 2,
          .upstream = upstream,
          .complete_key = complete_key,
          .make = make,
          .configuration_of =
              [](const Json& c) {
                return c.contains("train") ? c : Json{{"train", c}};
              },
          .reusable = true};
}

}  // namespace tcrops::stages
