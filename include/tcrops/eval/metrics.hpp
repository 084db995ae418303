#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcrops::eval {

// Labels are 0 or 1; scores are larger for likelier positives; both have the same length. Ties are
// handled as scikit-learn does. NaN means undefined (no positive, only positives, or a score that
// is NaN). Different lengths throw Error (kFailure).

// Area under the ROC curve (Mann-Whitney U with ties counted half).
[[nodiscard]] double auroc(std::span<const std::uint8_t> labels, std::span<const double> scores);

// Sum over thresholds of (R_n - R_{n-1}) P_n, as sklearn.metrics.average_precision_score.
[[nodiscard]] double average_precision(std::span<const std::uint8_t> labels,
                                       std::span<const double> scores);

// Mean log loss of probabilities sigmoid(logit), computed from the logits without overflow.
[[nodiscard]] double log_loss_from_logits(std::span<const std::uint8_t> labels,
                                          std::span<const double> logits);

// Counts at one decision threshold: predicted positive when score >= threshold, so a NaN never is.
struct Confusion {
  std::int64_t true_positive = 0;
  std::int64_t false_positive = 0;
  std::int64_t true_negative = 0;
  std::int64_t false_negative = 0;

  [[nodiscard]] std::int64_t rows() const;
  [[nodiscard]] std::int64_t predicted_positive() const { return true_positive + false_positive; }
  [[nodiscard]] std::int64_t positive() const { return true_positive + false_negative; }
  // Ratios with an empty denominator are 0, as scikit-learn's zero_division=0.
  [[nodiscard]] double accuracy() const;
  [[nodiscard]] double precision() const;
  [[nodiscard]] double recall() const;
  [[nodiscard]] double f1() const;
  [[nodiscard]] double mcc() const;
};
[[nodiscard]] Confusion confusion(std::span<const std::uint8_t> labels,
                                  std::span<const double> scores, double threshold);

// The threshold (one of the scores) with the largest F1; among equals the largest threshold. 0.5
// when there is no positive.
[[nodiscard]] double best_f1_threshold(std::span<const std::uint8_t> labels,
                                       std::span<const double> scores);

// All of the above for one set of rows, as {"rows", "positives", "auroc", "average_precision",
// "accuracy", "precision", "recall", "f1", "mcc", "predicted_positives", "threshold"}; undefined
// values are null. Scores are probabilities.
[[nodiscard]] Json binary_report(std::span<const std::uint8_t> labels,
                                 std::span<const double> scores, double threshold);

}  // namespace tcrops::eval
