#include "trial_work.hpp"

#include "search_space.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/split.hpp>
#include <tcrops/eval/objective.hpp>

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace tcrops::stages {
namespace {

// Rows with labels and the scores that some networks gave them.
struct Scores {
  std::vector<std::uint8_t> labels;
  std::vector<std::string> epitopes;
  std::vector<std::string> tcrs;
  std::vector<double> probabilities;
  bool diverged = false;

  // Rows of epitopes without a head are left out.
  void add(const nn::ModelSpec& spec, const SideData& side, std::span<const float> logits) {
    std::vector<float> kept;
    for (std::size_t row = 0; row < logits.size(); ++row) {
      const data::Record& record = side.records[row];
      const std::string& epitope = record[data::Column::kEpitope];
      if (!has_head(spec, epitope)) continue;
      labels.push_back(side.labels[row]);
      epitopes.push_back(epitope);
      tcrs.push_back(data::tcr_key(record));
      kept.push_back(logits[row]);
    }
    diverged = diverged || !all_finite(kept);
    const std::vector<double> more = stages::probabilities(kept);
    probabilities.insert(probabilities.end(), more.begin(), more.end());
  }
};

eval::ObjectiveValue objective_of(const TuneConfig& config, const Scores& scores,
                                  double threshold) {
  return eval::objective(config.objective,
                         {scores.labels, scores.epitopes, scores.tcrs, scores.tcrs},
                         scores.probabilities, threshold,
                         {config.minimum_positive_share, config.maximum_positive_share});
}

double threshold_for(const FitParameters& parameters, const Scores& scores) {
  constexpr double kHalf = 0.5;
  if (parameters.threshold != "best_f1" || scores.diverged) return kHalf;
  return eval::best_f1_threshold(scores.labels, scores.probabilities);
}

// What is said of some scores.
struct Judged {
  eval::ObjectiveValue objective;
  double threshold = 0.5;
  Json metrics;
};

Judged judge(const TuneConfig& config, const Scores& scores, double threshold) {
  if (scores.diverged) {
    return {{std::nan(""), false, "training diverged: the network's output is not a number"},
            threshold,
            nullptr};
  }
  Judged judged{objective_of(config, scores, threshold), threshold,
                eval::binary_report(scores.labels, scores.probabilities, threshold)};
  judged.metrics["paper_loss"] =
      eval::paper_loss(eval::confusion(scores.labels, scores.probabilities, threshold));
  return judged;
}

// Epochs after this one.
void cut_off(Json& history, std::int64_t last) {
  while (!history.empty() && history.back().at("epoch").get<std::int64_t>() > last)
    history.erase(history.size() - 1);
}

// One trial: its networks one after the other.
class Attempt {
 public:
  Attempt(const TrialBench& bench, std::uint64_t seed, const FitParameters& parameters,
          const TrialSurroundings& around)
      : bench_(bench),
        config_(bench.config.tune),
        seed_(seed),
        parameters_(parameters),
        around_(around) {}

  TriedOut run() {
    tune::Trial& trial = result_.trial;
    trial.details = {{"parameters", to_json(parameters_)}, {"seed", seed_}};
    std::vector<double> values;
    Json repetitions = Json::array();
    for (std::size_t i = 0; i < static_cast<std::size_t>(config_.seeds); ++i) {
      const std::uint64_t seed = repeated_seed(seed_, i);
      const Judged judged = bench_.folds.empty() ? on_sides(seed, i) : on_folds(seed, i);
      if (trial.state == tune::TrialState::kPruned) return std::move(result_);
      if (i == 0) take_first(judged);
      repetitions.push_back({{"seed", seed}, {"value", number_or_null(judged.objective.value)}});
      values.push_back(judged.objective.value);
      if (judged.objective.acceptable || !trial.acceptable) continue;
      trial.acceptable = false;
      trial.reason = config_.seeds == 1
                         ? judged.objective.reason
                         : fmt::format("repetition {}: {}", i + 1, judged.objective.reason);
    }
    trial.value =
        std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    if (config_.seeds > 1) trial.details["repetitions"] = std::move(repetitions);
    return std::move(result_);
  }

 private:
  Fitted train(const TrialFold& fold, std::uint64_t seed, std::size_t part) {
    FitHooks hooks;
    if (around_.checkpoints) hooks.checkpoints = around_.checkpoints(part);
    hooks.on_start = around_.on_start;
    hooks.on_epoch = [this](std::int64_t epoch, double) {
      if (around_.on_epoch) around_.on_epoch(epoch);
    };
    if (around_.report) hooks.watch = watch(fold.watched);
    Fitted fitted = fit(parameters_, bench_.dataset.encoder->expansion(),
                        rows_for(fold, parameters_), fold.watched, seed, bench_.device, hooks);
    if (part == 0) result_.trial.weights = fitted.network->trained_numbers();
    return fitted;
  }

  [[nodiscard]] Watch watch(const SideData& watched) const {
    Watch watch;
    watch.value = [this, &watched](const nn::ModelSpec& spec, std::span<const float> logits) {
      Scores scores;
      scores.add(spec, watched, logits);
      const Judged judged = judge(config_, scores, threshold_for(parameters_, scores));
      return judged.objective.acceptable ? judged.objective.value : std::nan("");
    };
    watch.stops = [this](std::int64_t epoch, double value) {
      return around_.report({epoch, value});
    };
    return watch;
  }

  Judged on_sides(std::uint64_t seed, std::size_t repetition) {
    Fitted fitted = train(bench_.sides, seed, repetition);
    const auto pruned_at = around_.settle ? around_.settle() : std::nullopt;
    if (pruned_at) cut_off(fitted.history, *pruned_at);
    if (repetition == 0) result_.trial.details["history"] = fitted.history;
    if (fitted.stopped || pruned_at) {
      result_.trial.state = tune::TrialState::kPruned;
      return {};
    }
    Scores scores;
    scores.add(fitted.network->spec(), bench_.judge, fitted.network->logits(bench_.judge.rows));
    const Judged judged = judge(config_, scores, fitted.threshold);
    if (repetition == 0) result_.fitted = std::move(fitted);
    return judged;
  }

  // All rows are judged, each by the network that was not trained on it.
  Judged on_folds(std::uint64_t seed, std::size_t repetition) {
    Scores scores;
    for (std::size_t i = 0; i < bench_.folds.size(); ++i) {
      const TrialFold& fold = bench_.folds[i];
      const Fitted fitted = train(fold, seed, repetition * bench_.folds.size() + i);
      scores.add(fitted.network->spec(), fold.watched, fitted.network->logits(fold.watched.rows));
    }
    return judge(config_, scores, threshold_for(parameters_, scores));
  }

  void take_first(const Judged& judged) {
    Json& details = result_.trial.details;
    if (judged.metrics.is_null()) return;
    details["metrics"] = {{judged_rows_name(config_), judged.metrics}};
    details["threshold"] = judged.threshold;
  }

  const TrialBench& bench_;
  const TuneConfig& config_;
  std::uint64_t seed_;
  const FitParameters& parameters_;
  const TrialSurroundings& around_;
  TriedOut result_;
};

// Whether some trial may have a network with heads, and of which kind.
std::optional<std::string> tried_head(const PipelineConfig& config) {
  for (const tune::Parameter& parameter : search_space(config)) {
    const auto* choice = std::get_if<tune::Choice>(&parameter.domain);
    if (parameter.name != "network.head" || choice == nullptr) continue;
    for (const tune::Value& option : choice->options) {
      if (const auto* head = std::get_if<std::string>(&option); head != nullptr && *head != "pan")
        return *head;
    }
    return std::nullopt;
  }
  if (config.network.head == "pan") return std::nullopt;
  return config.network.head;
}

TrialFold fold_of(const PipelineConfig& config, SideData train, SideData watched) {
  TrialFold fold{std::move(train), std::nullopt, std::move(watched)};
  if (const auto head = tried_head(config)) {
    nn::NetworkOptions network = config.network;
    network.head = *head;
    fold.for_heads = learnable_rows(fold.train, network);
  }
  return fold;
}

std::vector<TrialFold> inner_folds(const PipelineConfig& config, const Dataset& dataset) {
  if (config.tune.inner_folds == 0) return {};
  const auto count = static_cast<std::size_t>(config.tune.inner_folds);
  std::vector<TrialFold> folds;
  for (auto& [inside, outside] :
       deal_known_rows(dataset, count, static_cast<std::uint64_t>(config.seed))) {
    folds.push_back(fold_of(config, training_rows(dataset, outside), rows_of(dataset, inside)));
  }
  return folds;
}

}  // namespace

const SideData& rows_for(const TrialFold& fold, const FitParameters& parameters) {
  return parameters.network.head == "pan" ? fold.train : fold.for_heads.value();
}

std::string judged_rows_name(const TuneConfig& config) {
  return config.inner_folds > 0 ? "inner_folds" : config.select_on;
}

TrialBench trial_bench(const PipelineConfig& config, const Dataset& dataset,
                       const nn::Device& device) {
  const auto judge_side =
      config.tune.select_on == "test" ? data::Side::kTest : data::Side::kValidation;
  return {config,
          device,
          dataset,
          fold_of(config, training_rows(dataset, row_numbers(dataset, {data::Side::kTrain})),
                  side_of(dataset, data::Side::kValidation)),
          side_of(dataset, judge_side),
          inner_folds(config, dataset)};
}

std::uint64_t trial_seed(std::int64_t study_seed, std::int64_t number) {
  // Half the range: seeds are written to JSON as signed numbers.
  return Rng(static_cast<std::uint64_t>(study_seed), "tune.trial",
             static_cast<std::uint64_t>(number))
             .next64() >>
         1U;
}

std::uint64_t repeated_seed(std::uint64_t seed, std::size_t repetition) {
  return repetition == 0 ? seed : Rng(seed, "tune.repetition", repetition).next64() >> 1U;
}

TriedOut try_out(const TrialBench& bench, std::uint64_t seed, const tune::Point& point,
                 const TrialSurroundings& around) {
  FitParameters parameters;
  try {
    parameters = trial_parameters(point, bench.config);
    return Attempt(bench, seed, parameters, around).run();
  } catch (const Error& e) {
    // What the settings or the rows do not allow is the same at every attempt.
    if (e.code() != ExitCode::kConfiguration && e.code() != ExitCode::kInputData) throw;
    TriedOut failed;
    failed.trial.state = tune::TrialState::kFailed;
    failed.trial.acceptable = false;
    failed.trial.reason = e.what();
    failed.trial.details = {{"seed", seed}};
    return failed;
  }
}

Fitted fit_on_sides(const TrialBench& bench, const FitParameters& parameters, std::uint64_t seed) {
  FitHooks hooks;
  hooks.on_epoch = [](std::int64_t, double) { check_interrupt(); };
  return fit(parameters, bench.dataset.encoder->expansion(), rows_for(bench.sides, parameters),
             bench.sides.watched, seed, bench.device, hooks);
}

}  // namespace tcrops::stages
