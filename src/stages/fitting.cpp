#include "fitting.hpp"

#include "foundation.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/eval/metrics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace tcrops::stages {
namespace {

constexpr std::size_t kEpitopesNamed = 5;
constexpr const char* kPrecision = "validation_average_precision";

constexpr const char* kObjective = "objective";

Json history_entry(const nn::EpochReport& report, const nn::ModelSpec& spec,
                   const SideData& validation, const std::optional<Watch>& watch) {
  const Answered rows = answered(spec, validation, report.validation_logits);
  const std::vector<std::uint8_t>& labels = rows.labels;
  const std::vector<double> logits(rows.logits.begin(), rows.logits.end());
  Json entry = {{"epoch", report.epoch},
                {"train_loss", number_or_null(report.train_loss)},
                {"validation_loss", number_or_null(eval::log_loss_from_logits(labels, logits))},
                {kPrecision, number_or_null(eval::average_precision(labels, logits))},
                {"validation_auroc", number_or_null(eval::auroc(labels, logits))}};
  if (watch) entry[kObjective] = number_or_null(watch->value(spec, report.validation_logits));
  return entry;
}

// Whether the training ends after the epoch of this entry.
bool ends_by_watch(const std::optional<Watch>& watch, const Json& entry) {
  if (!watch) return false;
  const Json& value = entry.at(kObjective);
  return watch->stops(entry.at("epoch").get<std::int64_t>(),
                      value.is_null() ? std::nan("") : value.get<double>());
}

// The state after the last whole epoch, so that a signal loses no more than the epoch it comes in.
class HeldState {
 public:
  HeldState(const std::optional<CheckpointPlace>& place, const Json& history,
            const Json& belongs_to)

      : place_(place),
        history_(history),
        belongs_to_(belongs_to),
        pace_(place ? place->first_after : std::chrono::milliseconds(0)) {}

  void take(nn::TrainState state) {
    state_ = std::move(state);
    if (!pace_.due()) return;
    pace_.measure([this] { write(); });
  }
  void write() {
    if (!state_) return;
    Json history = history_;
    const auto epochs = static_cast<std::size_t>(state_->epoch);
    while (history.size() > epochs) history.erase(history.size() - 1);
    place_->save(write_checkpoint({std::move(*state_), std::move(history)}, belongs_to_));
    state_.reset();
  }

 private:
  const std::optional<CheckpointPlace>& place_;
  const Json& history_;
  const Json& belongs_to_;
  std::optional<nn::TrainState> state_;  // not yet written
  WritePace pace_;
};

// Decides from the history alone, so that a training that continues needs nothing else: JSON gives
// back the same doubles.
class EarlyStopping {
 public:
  explicit EarlyStopping(std::int64_t patience) : patience_(patience) {}

  nn::EpochDecision after(const Json& entry) {
    nn::EpochDecision decision;
    if (patience_ == 0) return decision;
    const auto epoch = entry.at("epoch").get<std::int64_t>();
    const Json& precision = entry.at(kPrecision);
    if (!precision.is_null() && precision.get<double>() > best_) {
      best_ = precision.get<double>();
      best_epoch_ = epoch;
      decision.keep = true;
    }
    decision.stop = epoch - best_epoch_ >= patience_;
    return decision;
  }

 private:
  std::int64_t patience_;  // 0: never
  double best_ = -1.0;
  std::int64_t best_epoch_ = 0;
};

// The checkpoint to continue from. One that cannot be used costs time, but must not end a training.
std::optional<Checkpoint> last_checkpoint(const FitHooks& hooks, const Json& belongs_to,
                                          const nn::Network& network,
                                          const nn::OptimiserOptions& optimiser) {
  if (!hooks.checkpoints) return std::nullopt;
  const CheckpointPlace& place = *hooks.checkpoints;
  try {
    const std::optional<std::string> bytes = place.load();
    if (!bytes) return std::nullopt;
    Checkpoint checkpoint = read_checkpoint(*bytes, belongs_to, place.name);
    network.check_state(checkpoint.state, optimiser);
    return checkpoint;
  } catch (const Error& e) {
    log_warning(
        fmt::format("the checkpoint is not used, training starts at epoch 1: {}", e.what()));
    return std::nullopt;
  }
}

}  // namespace

Json to_json(const FitParameters& p) {
  Json network = nn::to_json(p.network);
  network.erase("architecture");
  Json json = {{"model", p.model},
               {"learning_rate", p.learning_rate},
               {"epochs", p.epochs},
               {"batch_size", p.batch_size},
               {"early_stopping_patience", p.early_stopping_patience},
               {"threshold", p.threshold},
               {"network", std::move(network)},
               {"refit", p.refit},
               {"sampling", p.sampling},
               {"missing_pairs", p.missing_pairs},
               {"loss", p.loss.name},
               {"label_smoothing", p.loss.label_smoothing},
               {"focal_gamma", p.loss.focal_gamma},
               {"positive_weight", p.loss.positive_weight},
               {"optimiser", p.optimiser.name},
               {"weight_decay", p.optimiser.weight_decay},
               {"momentum", p.optimiser.momentum},
               {"schedule", p.optimiser.schedule},
               {"warmup_epochs", p.optimiser.warmup_epochs},
               {"clip_norm", p.optimiser.clip_norm}};
  if (p.schedule_epochs != 0) json["schedule_epochs"] = p.schedule_epochs;
  return json;
}

FitParameters fit_parameters(const PipelineConfig& config) {
  const TrainConfig& train = config.train;
  return {.model = train.model,
          .learning_rate = train.learning_rate,
          .epochs = train.epochs,
          .batch_size = train.batch_size,
          .early_stopping_patience = train.early_stopping_patience,
          .threshold = train.threshold,
          .network = config.network,
          .refit = train.refit,
          .sampling = train.sampling,
          .missing_pairs = train.missing_pairs,
          .loss = train.loss,
          .optimiser = train.optimiser};
}

Json training_configuration(const PipelineConfig& config) {
  Json train = config.fields().resolved("train", true);
  for (const char* of_the_stage : {"from", "model", "learning_rate", "epochs"})
    train.erase(of_the_stage);
  return {{"train", std::move(train)}, {"network", config.fields().resolved("network", true)}};
}

bool has_head(const nn::ModelSpec& spec, const std::string& epitope) {
  return spec.is_pan() || std::binary_search(spec.epitopes.begin(), spec.epitopes.end(), epitope);
}

SideData learnable_rows(SideData train, const nn::NetworkOptions& network) {
  if (network.head == "pan") return train;
  std::set<std::string> bound;
  for (std::size_t row = 0; row < train.labels.size(); ++row) {
    if (train.labels[row] == 1) bound.insert(train.records[row][data::Column::kEpitope]);
  }
  std::map<std::string, std::size_t> left_out;
  for (const data::Record& record : train.records) {
    const std::string& epitope = record[data::Column::kEpitope];
    if (!bound.contains(epitope)) ++left_out[epitope];
  }
  if (left_out.empty()) return train;
  SideData some;
  some.elsewhere = std::move(train.elsewhere);
  for (std::size_t row = 0; row < train.labels.size(); ++row) {
    if (left_out.contains(train.records[row][data::Column::kEpitope])) continue;
    data::append_row(train.rows, row, some.rows);
    some.labels.push_back(train.labels[row]);
    some.records.push_back(std::move(train.records[row]));
  }
  std::vector<std::string> named;
  for (const auto& [epitope, rows] : left_out) {
    if (named.size() < kEpitopesNamed) named.push_back(fmt::format("{} ({} rows)", epitope, rows));
  }
  log_warning(fmt::format(
      "{} of {} training rows are left out: network.head {} gives an epitope a head when a "
      "training row says what binds it, and none does for {}{}",
      train.labels.size() - some.labels.size(), train.labels.size(), network.head,
      fmt::join(named, ", "), left_out.size() > named.size() ? ", …" : ""));
  return some;
}

Answered answered(const nn::ModelSpec& spec, const SideData& side, std::span<const float> logits) {
  Answered rows;
  for (std::size_t row = 0; row < logits.size(); ++row) {
    const std::string& epitope = side.records[row][data::Column::kEpitope];
    if (!has_head(spec, epitope)) continue;
    rows.rows.push_back(row);
    rows.labels.push_back(side.labels[row]);
    rows.logits.push_back(logits[row]);
  }
  return rows;
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

std::vector<double> probabilities(std::span<const float> logits) {
  std::vector<double> result;
  result.reserve(logits.size());
  for (const float logit : logits) result.push_back(probability_of(logit));
  return result;
}

double probability_of(float logit) { return 1.0 / (1.0 + std::exp(-static_cast<double>(logit))); }

Fitted fit(const FitParameters& parameters, const data::Expansion& expansion, const SideData& train,
           const SideData& validation, std::uint64_t seed, const nn::Device& device,
           const FitHooks& hooks) {
  Fitted fitted;
  nn::NetworkOptions network = parameters.network;
  network.architecture = parameters.model;
  const Blueprint made = blueprint(network, expansion, train, seed);
  const nn::TrainOptions options{.learning_rate = parameters.learning_rate,
                                 .epochs = parameters.epochs,
                                 .schedule_epochs = parameters.schedule_epochs,
                                 .batch_size = parameters.batch_size,
                                 .seed = seed,
                                 .sampling = parameters.sampling,
                                 .missing_pairs = parameters.missing_pairs,
                                 .loss = parameters.loss,
                                 .optimiser = parameters.optimiser};
  fitted.network = nn::core().create(made.spec, expansion, made.foundation, seed, device);
  Json belongs_to = {{"parameters", to_json(parameters)}, {"seed", seed}};
  if (hooks.checkpoints) belongs_to["owner"] = hooks.checkpoints->owner;
  const std::optional<Checkpoint> last =
      last_checkpoint(hooks, belongs_to, *fitted.network, options.optimiser);
  fitted.history = last ? last->history : Json::array();
  EarlyStopping early_stopping(parameters.early_stopping_patience);
  for (const Json& entry : fitted.history) static_cast<void>(early_stopping.after(entry));
  if (hooks.on_start) hooks.on_start(last ? last->state.epoch : 0);

  for (const Json& entry : fitted.history) {
    fitted.stopped = fitted.stopped || ends_by_watch(hooks.watch, entry);
  }
  if (fitted.stopped) return fitted;
  const auto after_epoch = [&](const nn::EpochReport& report) {
    fitted.history.push_back(history_entry(report, made.spec, validation, hooks.watch));
    if (hooks.on_epoch) hooks.on_epoch(report.epoch, report.train_loss);
    nn::EpochDecision decision = early_stopping.after(fitted.history.back());
    fitted.stopped = ends_by_watch(hooks.watch, fitted.history.back());
    decision.stop = decision.stop || fitted.stopped;
    return decision;
  };
  nn::Continuation continuation;
  if (last) continuation.from = &last->state;
  HeldState held(hooks.checkpoints, fitted.history, belongs_to);
  if (hooks.checkpoints) {
    continuation.offer = [&](const std::function<nn::TrainState()>& state) { held.take(state()); };
  }
  try {
    fitted.network->fit({&train.rows, train.labels, &train.elsewhere},
                        {&validation.rows, validation.labels, nullptr}, options, after_epoch,
                        continuation);
  } catch (const Error&) {
    if (interrupted()) held.write();
    throw;
  }
  if (fitted.stopped) return fitted;
  if (parameters.threshold == "best_f1") {
    const Answered rows = answered(made.spec, validation, fitted.network->logits(validation.rows));
    fitted.threshold = eval::best_f1_threshold(rows.labels, probabilities(rows.logits));
  }
  return fitted;
}

}  // namespace tcrops::stages
