#include <tcrops/nn/train_options.hpp>

#include <cmath>
#include <numbers>

namespace tcrops::nn {
namespace {

double scheduled(const std::string& schedule, double share) {
  if (schedule == "cosine") return 0.5 * (1.0 + std::cos(std::numbers::pi * share));
  if (schedule == "linear") return 1.0 - share;
  if (schedule == "step") return share < 0.5 ? 1.0 : share < 0.75 ? 0.1 : 0.01;
  return 1.0;
}

}  // namespace

const std::vector<std::string>& loss_names() {
  static const std::vector<std::string> names = {"bce", "weighted_bce", "focal", "squared",
                                                 "softmax"};
  return names;
}
const std::vector<std::string>& optimiser_names() {
  static const std::vector<std::string> names = {"adam", "adamw", "sgd", "rmsprop"};
  return names;
}
const std::vector<std::string>& schedule_names() {
  static const std::vector<std::string> names = {"constant", "cosine", "linear", "step"};
  return names;
}
const std::vector<std::string>& sampling_names() {
  static const std::vector<std::string> names = {"equal_classes", "each_row"};
  return names;
}

double learning_rate_factor(const OptimiserOptions& options, double done, std::int64_t epochs) {
  const double factor = scheduled(options.schedule, done / static_cast<double>(epochs));
  const auto warmup = static_cast<double>(options.warmup_epochs);
  return done < warmup ? factor * done / warmup : factor;
}

}  // namespace tcrops::nn
