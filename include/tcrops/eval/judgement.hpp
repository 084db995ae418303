// Everything that is said of scores on labelled rows, with bootstrap intervals.
#pragma once

#include <tcrops/core/json.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace tcrops::eval {

// The figures of one set of rows, by their names in JSON. Undefined ones are NaN, in JSON null.
//   auroc, auroc01, average_precision  as metrics.hpp; auroc01 is the area up to a false positive
//       rate of 0.1, standardised (McClish 1989), as scikit-learn's roc_auc_score(max_fpr=0.1);
//       undefined without both classes
//   accuracy, precision  of the calls (score >= threshold); precision without a call is 0
//   recall, f1           likewise; undefined without a positive
//   mcc                  undefined without both classes; 0 when all calls are alike
//   brier                mean of (probability - label)^2
//   ece                  expected calibration error: 10 bins of equal width, [0, 0.1) to [0.9, 1];
//       the sum over bins of |sum of (probability - label)|, over the rows. It and brier are
//       undefined for scores that are no probabilities
//   rank                 mean over positives of the place of the true epitope (true_ranks.hpp)
//   recall_at_1, recall_at_3  share of those positives whose place is at most 1, at most 3
enum class Figure : std::size_t {
  kAuroc = 0,
  kAuroc01,
  kAveragePrecision,
  kAccuracy,
  kPrecision,
  kRecall,
  kF1,
  kMcc,
  kBrier,
  kEce,
  kRank,
  kRecallAt1,
  kRecallAt3,
};
inline constexpr std::size_t kFigureCount = 13;
inline constexpr std::array<const char*, kFigureCount> kFigureNames = {
    "auroc",      "auroc01",   "average_precision",
    "accuracy",   "precision", "recall",
    "f1",         "mcc",       "brier",
    "ece",        "rank",      "recall_at_1",
    "recall_at_3"};
inline constexpr std::size_t kCalibrationBins = 10;

// The rows that predictors are judged on; one entry per row, or Error (kFailure).
struct JudgedRows {
  std::span<const std::uint8_t> labels;   // 0 or 1
  std::span<const std::string> epitopes;  // macro figures are means over these
  std::span<const std::string> clusters;  // rows that are drawn together: TCRs
  std::span<const std::string> tcrs;      // what has one score per epitope, for the ranks
};

struct Predictor {
  std::span<const double> scores;  // one per row; NaN is an error
  double threshold = 0.5;          // of the call
  bool probabilities = true;       // scores are probabilities, so brier and ece mean something
  bool detailed = true;            // intervals for each epitope, too
};

struct Resampling {
  std::int64_t resamples = 0;
  std::uint64_t seed = 0;
};

// One report per predictor:
//   pooled     rows, positives, ranked (positives with a rank), predicted_positives, threshold,
//              every figure, and "intervals": figure -> [low, high] for those that have one
//   per_group  the same for each epitope, in order of first appearance, with "group"
//   macro      means over epitopes: of those with both classes, the rank figures over those with a
//              ranked positive; "groups" and "ranked_groups" say how many, "intervals"
//   by_kind    for each value of `kinds` (epitope -> kind): rows, positives, groups, figures and
//              intervals of the macro means over its epitopes; without `kinds` absent
// Intervals are 95 % percentile intervals of a cluster bootstrap (Efron & Tibshirani 1993, chapter
// 13): as many clusters as there are, with replacement, the same draws for all predictors. What is
// undefined in a draw does not count for it; a macro mean is over the epitopes for which it is
// defined in the draw. Each interval is moved so that the median of the draws becomes the figure (a
// positive drawn twice ranks beside itself, which lifts the average precision of few positives in
// every draw), and cut off at the ends of the figure's range. Without resamples there are no
// intervals. The same arguments give the same numbers. Looks at check_interrupt().
[[nodiscard]] std::vector<Json> judge(const JudgedRows& rows, std::span<const Predictor> predictors,
                                      const Resampling& resampling = {},
                                      const std::map<std::string, std::string>& kinds = {});

}  // namespace tcrops::eval
