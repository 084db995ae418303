#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace tcrops::eval {

// Metrics of a ranking; NaN when there is no positive or no negative.
struct Ranking {
  double auroc = std::numeric_limits<double>::quiet_NaN();
  // Area under the ROC curve up to a false positive rate of 0.1, standardised so that chance is 0.5
  // and a perfect ranking 1 (McClish 1989): scikit-learn's roc_auc_score(max_fpr=0.1).
  double auroc01 = std::numeric_limits<double>::quiet_NaN();
  double average_precision = std::numeric_limits<double>::quiet_NaN();
};

// Some rows from the highest score to the lowest, sorted once and judged under many weights.
class RankedRows {
 public:
  // Of the rows named in `rows`; scores, labels and clusters have an entry for every row. No score
  // is NaN.
  RankedRows(std::span<const std::uint32_t> rows, std::span<const double> scores,
             std::span<const std::uint8_t> labels, std::span<const std::uint32_t> clusters);

  // As metrics.hpp defines them, each row counted as often as its cluster was drawn.
  [[nodiscard]] Ranking judge(std::span<const std::uint32_t> times) const;

 private:
  struct Entry {
    std::uint32_t cluster;
    bool positive;
    bool ends_tie;  // the next row has another score
  };
  std::vector<Entry> entries_;
};

}  // namespace tcrops::eval
