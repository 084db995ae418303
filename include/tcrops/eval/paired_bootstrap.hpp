#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcrops::eval {

// Two models' scores of the same rows. All spans have one entry per row.
struct PairedScores {
  std::span<const std::uint8_t> labels;   // 0 or 1
  std::span<const std::string> groups;    // epitope
  std::span<const std::string> clusters;  // TCR: its rows are drawn together
  std::span<const double> a;
  std::span<const double> b;
};

// One ranking metric of both models, and what the difference would be on other rows of this kind.
struct PairedMetric {
  std::string name;  // "macro_auroc", "macro_average_precision", "pooled_auroc", …
  double a = 0.0;    // NaN when the rows lack a class
  double b = 0.0;
  double difference = 0.0;    // a - b
  double low = 0.0;           // 95 % interval of the difference: 2.5th and 97.5th percentile
  double high = 0.0;          //
  double share_better = 0.0;  // of the resamples in which a is above b (ties count half)
};

// "auroc01" is the standardised area up to a false positive rate of 0.1.
inline constexpr const char* kPairedMetrics[] = {"macro_average_precision", "macro_auroc",
                                                 "macro_auroc01", "pooled_average_precision",
                                                 "pooled_auroc"};

// Paired cluster bootstrap (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8
// and 13): clusters are drawn with replacement, as many as there are, and both models are judged on
// the same draw. In a draw, an epitope that lacks a class is left out of the macro means, of both
// models alike. A draw in which a metric is undefined does not count for it; without a single one
// that counts the interval is NaN. The same arguments give the same numbers. Looks at
// check_interrupt(). Throws Error (kFailure) when the lengths differ or a score is not finite.
[[nodiscard]] std::vector<PairedMetric> paired_bootstrap(const PairedScores& scores,
                                                         std::int64_t resamples,
                                                         std::uint64_t seed);

}  // namespace tcrops::eval
