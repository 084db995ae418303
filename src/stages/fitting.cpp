#include "fitting.hpp"

#include <tcrops/eval/metrics.hpp>

#include <algorithm>
#include <cmath>

namespace tcrops::stages {

Json to_json(const FitParameters& p) {
  return {{"model", p.model},
          {"learning_rate", p.learning_rate},
          {"epochs", p.epochs},
          {"batch_size", p.batch_size},
          {"early_stopping_patience", p.early_stopping_patience},
          {"threshold", p.threshold},
          {"loss", "bce_with_logits"},
          {"optimiser", "adam"},
          {"sampling", "equal_classes"}};
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

std::vector<double> probabilities(std::span<const float> logits) {
  std::vector<double> result;
  result.reserve(logits.size());
  for (const float logit : logits)
    result.push_back(1.0 / (1.0 + std::exp(-static_cast<double>(logit))));
  return result;
}

Fitted fit(const FitParameters& parameters, const SideData& train, const SideData& validation,
           std::uint64_t seed, const nn::Device& device,
           const std::function<void(std::int64_t, double)>& on_epoch) {
  Fitted fitted;
  fitted.network = nn::core().create(nn::make_spec(parameters.model, train.width), seed, device);
  fitted.history = Json::array();
  double best = -1.0;
  std::int64_t best_epoch = 0;
  const auto after_epoch = [&](const nn::EpochReport& report) {
    const std::vector<double> logits(report.validation_logits.begin(),
                                     report.validation_logits.end());
    const double precision = eval::average_precision(validation.labels, logits);
    fitted.history.push_back(
        {{"epoch", report.epoch},
         {"train_loss", number_or_null(report.train_loss)},
         {"validation_loss", number_or_null(eval::log_loss_from_logits(validation.labels, logits))},
         {"validation_average_precision", number_or_null(precision)},
         {"validation_auroc", number_or_null(eval::auroc(validation.labels, logits))}});
    if (on_epoch) on_epoch(report.epoch, report.train_loss);
    nn::EpochDecision decision;
    if (parameters.early_stopping_patience == 0) return decision;
    if (precision > best) {
      best = precision;
      best_epoch = report.epoch;
      decision.keep = true;
    }
    decision.stop = report.epoch - best_epoch >= parameters.early_stopping_patience;
    return decision;
  };
  fitted.network->fit({train.features, train.labels, train.width},
                      {validation.features, validation.labels, validation.width},
                      {.learning_rate = parameters.learning_rate,
                       .epochs = parameters.epochs,
                       .batch_size = parameters.batch_size,
                       .seed = seed},
                      after_epoch);
  if (parameters.threshold == "best_f1") {
    fitted.threshold = eval::best_f1_threshold(
        validation.labels, probabilities(fitted.network->logits(validation.features)));
  }
  return fitted;
}

}  // namespace tcrops::stages
