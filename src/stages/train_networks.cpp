#include "train_networks.hpp"

#include "model.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/eval/metrics.hpp>

#include <fmt/format.h>
#include <system_error>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

namespace tcrops::stages {
namespace {

std::optional<std::string> read_if_there(const store::WorkFolder& work, const std::string& name) {
  const auto path = work.directory() / name;
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) return std::nullopt;
  return read_file(path, ExitCode::kArtifact);
}

CheckpointPlace checkpoint_place(const TrainPlace& place, const std::string& file) {
  const auto load = [work = place.work, file] { return read_if_there(work, file); };
  const auto save = [work = place.work, file](std::string_view bytes) { work.write(file, bytes); };
  return {file, place.owner, load, save};
}

// Trains and says how far it is; `who` is empty or " 2/5".
Fitted fit_with_progress(const Recipe& recipe, const data::Expansion& expansion,
                         const SideData& train, const SideData& validation,
                         const nn::Device& device, CheckpointPlace checkpoints,
                         const std::string& who) {
  const auto epochs = static_cast<std::uint64_t>(recipe.parameters.epochs);
  std::optional<Progress> progress;
  FitHooks hooks;
  hooks.checkpoints = std::move(checkpoints);
  hooks.on_start = [&](std::int64_t done) {
    if (done > 0) {
      log_info(fmt::format("train{} continues after epoch {} of {}", who, done, epochs));
    }
    progress.emplace("train" + who, epochs, "epochs", static_cast<std::uint64_t>(done));
  };
  hooks.on_epoch = [&](std::int64_t epoch, double loss) {
    progress->update(static_cast<std::uint64_t>(epoch), fmt::format("loss {:.4f}", loss));
  };
  return fit(recipe.parameters, expansion, learnable_rows(train, recipe.parameters.network),
             validation, recipe.seed, device, hooks);
}

[[noreturn]] void throw_diverged(const FitParameters& parameters) {
  throw Error(ExitCode::kFailure,
              fmt::format("training diverged: with learning rate {} the network's output is not a "
                          "number; lower train.learning_rate or tune.learning_rate_max",
                          parameters.learning_rate));
}

// An ensemble leaves out members without a head for a row: one that diverged must not pass as such.
void require_numbers(const nn::Network& network, const FitParameters& parameters) {
  for (const nn::Tensor& tensor : network.weights()) {
    if (tensor.dtype == nn::DType::kF32 && !all_finite(nn::as_f32(tensor)))
      throw_diverged(parameters);
  }
}

// A side with what networks say of it; NaN only where they have no head. Throws Error (kFailure)
// when an output is no number for another reason.
JudgedRows judged_rows(const std::string& origin, const SideData& side, const Networks& networks,
                       const FitParameters& parameters) {
  JudgedRows judged{origin, side.labels, side.epitopes(), networks.logits(side.rows)};
  for (std::size_t i = 0; i < judged.logits.size(); ++i) {
    if (std::isfinite(judged.logits[i]) || !networks.answers(judged.epitopes[i])) continue;
    throw_diverged(parameters);
  }
  return judged;
}

// For training on all rows as the first training went: as many epochs as it kept.
FitParameters for_refit(FitParameters parameters, const Json& history) {
  if (parameters.early_stopping_patience == 0) return parameters;
  parameters.early_stopping_patience = 0;
  parameters.schedule_epochs = parameters.epochs;
  parameters.epochs = std::ssize(history);
  double best = -1.0;
  for (const Json& entry : history) {
    const Json& precision = entry.at("validation_average_precision");
    if (!precision.is_number() || precision.get<double>() <= best) continue;
    best = precision.get<double>();
    parameters.epochs = entry.at("epoch").get<std::int64_t>();
  }
  return parameters;
}

SideData train_rows(const Dataset& dataset) {
  return training_rows(dataset, row_numbers(dataset, {data::Side::kTrain}));
}

// Rows of training and validation.
SideData known_rows(const Dataset& dataset) {
  return training_rows(dataset,
                       row_numbers(dataset, {data::Side::kTrain, data::Side::kValidation}));
}

// The threshold by which rows are called, from rows that were not trained on.
double threshold_of(const FitParameters& parameters, const JudgedRows& judged) {
  constexpr double kHalf = 0.5;
  if (parameters.threshold != "best_f1") return kHalf;
  std::vector<std::uint8_t> labels;
  std::vector<float> logits;
  for (std::size_t i = 0; i < judged.logits.size(); ++i) {
    if (!std::isfinite(judged.logits[i])) continue;
    labels.push_back(judged.labels[i]);
    logits.push_back(judged.logits[i]);
  }
  return eval::best_f1_threshold(labels, probabilities(logits));
}

// A member that is done, in the work folder: its weights with their history, in the format of a
// checkpoint, which tells a changed byte; and its network's shape, written last.
class DoneMembers {
 public:
  DoneMembers(const TrainPlace& place, const data::Expansion& expansion, const nn::Device& device)
      : place_(place), expansion_(expansion), device_(device) {}

  [[nodiscard]] std::optional<Fitted> recall(std::size_t number, const Recipe& recipe) const {
    const auto about = read_if_there(place_.work, about_file(number));
    const auto weights = read_if_there(place_.work, weights_file(number));
    if (!about || !weights) return std::nullopt;
    try {
      Checkpoint done = read_checkpoint(*weights, belongs_to(number, recipe), "its weights");
      Fitted fitted;
      fitted.history = std::move(done.history);
      fitted.network = nn::core().load(nn::spec_from_json(parse_json(*about, about_file(number))),
                                       expansion_, done.state.tensors, device_);
      return fitted;
    } catch (const Error& e) {
      log_warning(fmt::format("member {} is trained again: {}", number + 1, e.what()));
      return std::nullopt;
    }
  }

  void keep(std::size_t number, const Recipe& recipe, const Fitted& fitted) const {
    Checkpoint done;
    done.state.epoch = static_cast<std::int64_t>(fitted.history.size());
    done.state.tensors = fitted.network->weights();
    done.history = fitted.history;
    place_.work.write(weights_file(number), write_checkpoint(done, belongs_to(number, recipe)));
    place_.work.write(about_file(number), canonical_json(nn::to_json(fitted.network->spec())));
  }

 private:
  static std::string weights_file(std::size_t n) { return fmt::format("member-{}.safetensors", n); }
  static std::string about_file(std::size_t n) { return fmt::format("member-{}.json", n); }
  [[nodiscard]] Json belongs_to(std::size_t number, const Recipe& recipe) const {
    return {{"owner", place_.owner},
            {"member", number},
            {"parameters", to_json(recipe.parameters)},
            {"seed", recipe.seed}};
  }

  const TrainPlace& place_;
  const data::Expansion& expansion_;
  const nn::Device& device_;
};

// Half the range: seeds are written to JSON as signed numbers.
std::uint64_t member_seed(std::uint64_t seed, std::size_t number) {
  return Rng(seed, "ensemble.member", number).next64() >> 1U;
}

// Members one after the other.
class EnsembleTrainer {
 public:
  EnsembleTrainer(const EnsembleConfig& config, const Recipe& recipe, const Dataset& dataset,
                  const nn::Device& device, const TrainPlace& place)
      : count_(recipe.variants.empty() ? static_cast<std::size_t>(config.members)
                                       : recipe.variants.size()),
        recipe_(recipe),
        dataset_(dataset),
        device_(device),
        place_(place),
        done_(place_, dataset.encoder->expansion(), device_) {
    trained_.history = Json::array();
    trained_.ensemble = {{"from", config.from}, {"members", Json::array()}};
  }

  TrainedNetworks from_seeds() {
    const SideData train = train_rows(dataset_);
    const SideData validation = side_of(dataset_, data::Side::kValidation);
    for (std::size_t number = 0; number < count_; ++number) {
      add(number, train, validation, Json::object());
    }
    JudgedRows judged =
        judged_rows("validation", validation, trained_.networks, recipe_.parameters);
    if (recipe_.parameters.refit) refit();
    return finish(std::move(judged));
  }

  TrainedNetworks from_folds() {
    JudgedRows judged{"out_of_fold", {}, {}, {}};
    std::size_t number = 0;
    for (const auto& [inside, outside] : deal_known_rows(dataset_, count_, recipe_.seed)) {
      const SideData left_out = rows_of(dataset_, inside);
      add(number, training_rows(dataset_, outside), left_out, {{"rows_left_out", inside.size()}});
      Networks member;
      member.add(trained_.networks.shared_member(number));
      append(judged, judged_rows("", left_out, member, recipe_.parameters));
      ++number;
    }
    return finish(std::move(judged));
  }

 private:
  // The members anew, on all rows that are known.
  void refit() {
    const SideData all = known_rows(dataset_);
    const Json histories = std::move(trained_.history);
    trained_.networks = Networks();
    trained_.history = Json::array();
    trained_.ensemble["members"] = Json::array();
    for (std::size_t number = 0; number < count_; ++number) {
      first_history_ = histories.at(number).at("epochs");
      add(number, all, SideData(), {{"refit", true}});
    }
  }

  [[nodiscard]] FitParameters parameters_of(std::size_t number) const {
    const FitParameters& own =
        recipe_.variants.empty() ? recipe_.parameters : recipe_.variants[number];
    return first_history_.is_null() ? own : for_refit(own, first_history_);
  }

  void add(std::size_t number, const SideData& train, const SideData& validation, Json about) {
    const Recipe recipe{parameters_of(number), member_seed(recipe_.seed, number), {}};
    const bool again = !first_history_.is_null();
    const std::size_t place = again ? count_ + number : number;
    std::optional<Fitted> fitted = done_.recall(place, recipe);
    const std::string who =
        fmt::format(" {}/{}{}", number + 1, count_, again ? " on all rows" : "");
    if (fitted) {
      log_info(fmt::format("train{} was done before", who));
    } else {
      fitted = fit_with_progress(
          recipe, dataset_.encoder->expansion(), train, validation, device_,
          checkpoint_place(place_, fmt::format("epoch-{}.safetensors", place)), who);
      require_numbers(*fitted->network, recipe.parameters);
      done_.keep(place, recipe, *fitted);
    }
    about["seed"] = recipe.seed;
    if (!recipe_.variants.empty()) about["parameters"] = to_json(recipe.parameters);
    about["epochs_run"] = fitted->history.size();
    trained_.ensemble["members"].push_back(std::move(about));
    trained_.epochs_run += static_cast<std::int64_t>(fitted->history.size());
    trained_.history.push_back({{"member", number + 1}, {"epochs", std::move(fitted->history)}});
    trained_.networks.add(std::move(fitted->network));
  }

  static void append(JudgedRows& all, JudgedRows more) {
    all.labels.insert(all.labels.end(), more.labels.begin(), more.labels.end());
    all.epitopes.insert(all.epitopes.end(), more.epitopes.begin(), more.epitopes.end());
    all.logits.insert(all.logits.end(), more.logits.begin(), more.logits.end());
  }

  TrainedNetworks finish(JudgedRows judged) {
    trained_.judged = std::move(judged);
    trained_.threshold = threshold_of(recipe_.parameters, trained_.judged);
    return std::move(trained_);
  }

  std::size_t count_;
  const Recipe& recipe_;
  const Dataset& dataset_;
  const nn::Device& device_;
  const TrainPlace& place_;
  DoneMembers done_;
  TrainedNetworks trained_;
  Json first_history_;  // of the member that is trained again; null: first training
};

}  // namespace

TrainedNetworks train_one(const Recipe& recipe, const Dataset& dataset, const nn::Device& device,
                          const TrainPlace& place) {
  const SideData train = train_rows(dataset);
  const SideData validation = side_of(dataset, data::Side::kValidation);
  Fitted fitted = fit_with_progress(recipe, dataset.encoder->expansion(), train, validation, device,
                                    checkpoint_place(place, "epoch.safetensors"), "");
  TrainedNetworks trained;
  trained.threshold = fitted.threshold;
  trained.epochs_run = static_cast<std::int64_t>(fitted.history.size());
  trained.history = std::move(fitted.history);
  trained.networks.add(std::move(fitted.network));
  trained.judged = judged_rows("validation", validation, trained.networks, recipe.parameters);
  if (!recipe.parameters.refit) return trained;
  const Recipe again{for_refit(recipe.parameters, trained.history), recipe.seed, {}};
  fitted =
      fit_with_progress(again, dataset.encoder->expansion(), known_rows(dataset), SideData(),
                        device, checkpoint_place(place, "epoch-all.safetensors"), " on all rows");
  trained.epochs_run = static_cast<std::int64_t>(fitted.history.size());
  trained.history = std::move(fitted.history);
  trained.networks = Networks();
  trained.networks.add(std::move(fitted.network));
  return trained;
}

TrainedNetworks train_ensemble(const EnsembleConfig& config, const Recipe& recipe,
                               const Dataset& dataset, const nn::Device& device,
                               const TrainPlace& place) {
  EnsembleTrainer trainer(config, recipe, dataset, device, place);
  return config.from == "folds" ? trainer.from_folds() : trainer.from_seeds();
}

TrainedNetworks ensemble_of_study(const EnsembleConfig& config, const Recipe& recipe,
                                  const store::Store& store, const store::Artifact& study,
                                  const Dataset& dataset, const nn::Device& device) {
  TrainedNetworks trained;
  trained.history = Json::array();
  trained.ensemble = {{"from", config.from}, {"members", Json::array()}};
  for (std::int64_t rank = 1; rank <= config.members; ++rank) {
    const auto at = study.manifest.parents.find(fmt::format("model-{}", rank));
    if (at == study.manifest.parents.end()) break;
    const store::Artifact artifact = store.at(at->second);
    const Model model = load_model(store, artifact, device);
    const std::string name = artifact.file("history.json").string();
    const Json history = parse_json(store.read(artifact, "history.json"), name);
    trained.ensemble["members"].push_back({{"model", artifact.id},
                                           {"parameters", model.description.at("parameters")},
                                           {"seed", model.description.at("seed")},
                                           {"epochs_run", history.size()}});
    trained.epochs_run += static_cast<std::int64_t>(history.size());
    trained.history.push_back({{"member", rank}, {"epochs", history}});
    trained.networks.add(model.network->shared_member(0));
  }
  const auto found = static_cast<std::int64_t>(trained.networks.size());
  if (found < 2) {
    throw Error(ExitCode::kFailure,
                fmt::format("study {} kept {} model, which makes no ensemble; raise tune.keep or "
                            "tune.trials",
                            study.short_id(), found));
  }
  if (found < config.members) {
    log_warning(fmt::format("study {} kept only {} models; the ensemble has so many members",
                            study.short_id(), found));
  }
  const SideData validation = side_of(dataset, data::Side::kValidation);
  trained.judged = judged_rows("validation", validation, trained.networks, recipe.parameters);
  trained.threshold = threshold_of(recipe.parameters, trained.judged);
  return trained;
}

}  // namespace tcrops::stages
