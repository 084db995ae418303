#include <tcrops/core/error.hpp>
#include <tcrops/eval/metrics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace tcrops::eval {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

void require_same_length(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  if (labels.size() != scores.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("{} labels but {} scores: a metric needs one score per label",
                            labels.size(), scores.size()));
  }
}

bool any_nan(std::span<const double> scores) {
  return std::any_of(scores.begin(), scores.end(), [](double s) { return std::isnan(s); });
}

// Counts when everything that scores at least `score` is predicted positive.
struct Step {
  double score = 0.0;
  std::int64_t true_positive = 0;
  std::int64_t false_positive = 0;
};

// One step per distinct score, largest first. A score that is not a number is never predicted
// positive, so it makes no step.
std::vector<Step> steps(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  std::vector<std::size_t> order;
  order.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i])) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  std::vector<Step> result;
  Step step;
  for (std::size_t i = 0; i < order.size(); ++i) {
    step.score = scores[order[i]];
    (labels[order[i]] != 0 ? step.true_positive : step.false_positive) += 1;
    if (i + 1 == order.size() || scores[order[i + 1]] != step.score) result.push_back(step);
  }
  return result;
}

double ratio(std::int64_t numerator, std::int64_t denominator) {
  return denominator == 0 ? 0.0 : static_cast<double>(numerator) / static_cast<double>(denominator);
}

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// Whether a ranking metric exists: both classes, and every score a number.
bool rankable(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  const auto negatives = std::count(labels.begin(), labels.end(), std::uint8_t{0});
  return negatives != 0 && negatives != std::ssize(labels) && !any_nan(scores);
}

}  // namespace

double auroc(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  require_same_length(labels, scores);
  if (!rankable(labels, scores)) return kUndefined;
  const std::vector<Step> all = steps(labels, scores);
  const std::int64_t negatives = all.back().false_positive;
  // Twice Mann-Whitney's U, so that half a point for a tie stays an integer.
  std::int64_t doubled = 0;
  Step before;
  for (const Step& step : all) {
    const std::int64_t positives_here = step.true_positive - before.true_positive;
    const std::int64_t negatives_here = step.false_positive - before.false_positive;
    doubled += positives_here * (2 * (negatives - step.false_positive) + negatives_here);
    before = step;
  }
  return static_cast<double>(doubled) /
         (2.0 * static_cast<double>(all.back().true_positive) * static_cast<double>(negatives));
}

double average_precision(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  require_same_length(labels, scores);
  if (!rankable(labels, scores)) return kUndefined;
  const std::vector<Step> all = steps(labels, scores);
  double sum = 0.0;
  std::int64_t before = 0;
  for (const Step& step : all) {
    sum += static_cast<double>(step.true_positive - before) *
           ratio(step.true_positive, step.true_positive + step.false_positive);
    before = step.true_positive;
  }
  return sum / static_cast<double>(all.back().true_positive);
}

double log_loss_from_logits(std::span<const std::uint8_t> labels, std::span<const double> logits) {
  require_same_length(labels, logits);
  if (labels.empty()) return kUndefined;
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sum += softplus(labels[i] != 0 ? -logits[i] : logits[i]);
  }
  return sum / static_cast<double>(labels.size());
}

std::int64_t Confusion::rows() const {
  return true_positive + false_positive + true_negative + false_negative;
}

double Confusion::accuracy() const { return ratio(true_positive + true_negative, rows()); }

double Confusion::precision() const { return ratio(true_positive, predicted_positive()); }

double Confusion::recall() const { return ratio(true_positive, positive()); }

double Confusion::f1() const {
  return ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative);
}

double Confusion::mcc() const {
  const auto covariance =
      static_cast<double>(true_positive * true_negative - false_positive * false_negative);
  const double predicted = static_cast<double>(predicted_positive()) *
                           static_cast<double>(true_negative + false_negative);
  const double actual =
      static_cast<double>(positive()) * static_cast<double>(true_negative + false_positive);
  const double scale = std::sqrt(predicted) * std::sqrt(actual);
  return scale > 0.0 ? covariance / scale : 0.0;
}

Confusion confusion(std::span<const std::uint8_t> labels, std::span<const double> scores,
                    double threshold) {
  require_same_length(labels, scores);
  Confusion counts;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool predicted = scores[i] >= threshold;
    if (labels[i] != 0) {
      (predicted ? counts.true_positive : counts.false_negative) += 1;
    } else {
      (predicted ? counts.false_positive : counts.true_negative) += 1;
    }
  }
  return counts;
}

double best_f1_threshold(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  require_same_length(labels, scores);
  const std::int64_t positives =
      std::ssize(labels) - std::count(labels.begin(), labels.end(), std::uint8_t{0});
  double threshold = 0.5;
  if (positives == 0) return threshold;
  // F1 = 2 TP / (predicted + positives), compared as fractions: rounding must not break a tie.
  std::int64_t best_top = -1;
  std::int64_t best_bottom = 1;
  for (const Step& step : steps(labels, scores)) {
    const std::int64_t bottom = step.true_positive + step.false_positive + positives;
    if (step.true_positive * best_bottom > best_top * bottom) {
      best_top = step.true_positive;
      best_bottom = bottom;
      threshold = step.score;
    }
  }
  return threshold;
}

}  // namespace tcrops::eval
