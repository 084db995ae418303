// Whether a split lets a model score well without knowing anything of TCRs and epitopes.
#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/split.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace tcrops::eval {

// How many there are, and the lines of up to five of them, ascending (Record::line of a row; rows
// that come from no file are left out). Never sequences: reports are passed on.
struct LeakCount {
  std::size_t count = 0;
  std::vector<std::size_t> lines;
};

// How well something that knows no biology ranks the labelled rows of test. 0.5 is chance; NaN when
// no epitope of test has both labels.
struct FrequencyScore {
  double auroc = std::numeric_limits<double>::quiet_NaN();
  std::size_t epitopes = 0;   // that have both labels in test; 1 when all are taken together
  std::size_t positives = 0;  // rows of those epitopes
  std::size_t negatives = 0;

  // Of `auroc` when the labels within each epitope are shuffled: the square root of the sum of the
  // epitopes' variances, over their number. An epitope with p positives, n negatives and scores of
  // which t are equal, for each score, has the variance (p + n + 1 - sum(t^3 - t) / ((p + n)
  // (p + n - 1))) / (12 p n): Mann and Whitney 1947, with the usual correction for ties. 0 when
  // all scores are equal, or without rows.
  double standard_error = 0.0;

  // |auroc - 0.5| above 0.1 and above three standard errors.
  [[nodiscard]] bool leaks() const;
};

// A TCR is what tcr_key over the columns tells apart; near duplicates are those of
// tcrops/data/similarity.hpp over the same columns.
struct LeakCheck {
  LeakCount shared_tcrs;            // TCRs that stand on more than one side
  LeakCount near_test_train;        // TCRs of test that, or a near duplicate of which, train has
  LeakCount near_validation_train;  // likewise TCRs of validation in train
  LeakCount near_test_validation;   // likewise TCRs of test in validation
  LeakCount label_across_sides;     // TCRs that bind on one side and do not bind on another
  LeakCount label_conflicts;        // TCR-epitope pairs called binding and not, with whatever MHC

  // For information: what is pooled over epitopes gains from them, what is measured per epitope
  // does not. Epitopes that have labelled rows, but no positive on any side; and labelled rows of
  // test whose epitope has one and the same label in all labelled rows of train and of test.
  LeakCount epitopes_without_binder;
  LeakCount one_label_rows;

  // The means over epitopes of the AUROC, on test, of: minus the number of labelled rows that the
  // TCR has in test; and the share of positives among the TCR's labelled rows in train (0.5 when it
  // has none).
  FrequencyScore tcr_rows;
  FrequencyScore tcr_share;
  // Likewise, of the share of positives among the labelled rows of train that have the same epitope
  // and the same MHC (a missing one is one of them), or the same epitope and the same of MHC and
  // the columns missing (0.5 when there are none).
  FrequencyScore mhc_share;
  FrequencyScore missing_share;
  // The AUROC over all labelled rows of test together of the share of positives among the epitope's
  // labelled rows in train (0.5 when it has none). For information: what is measured per epitope
  // cannot gain from it, what is pooled can.
  FrequencyScore epitope_share;

  // No shared TCR or near duplicate, no conflict of labels, no leak through tcr_rows, tcr_share,
  // mhc_share or missing_share.
  [[nodiscard]] bool passed() const { return failures().empty(); }
  // What is wrong, one line each, for people.
  [[nodiscard]] std::vector<std::string> failures() const;
  // {"schema": "tcrops.leak_check/1", "passed", "failures", the counts above as {"count", "lines"},
  // the scores as {"auroc", "epitopes", "positives", "negatives", "standard_error", "leak"}}; an
  // undefined auroc is null, and epitope_share has no "leak".
  [[nodiscard]] Json to_json() const;
};

// Leave out rows that the split excluded. Rows without a label count for the TCRs only. Throws
// Error (kFailure) when `sides` is not as long as `records`.
[[nodiscard]] LeakCheck check_leaks(std::span<const data::Record> records,
                                    std::span<const data::Side> sides,
                                    std::span<const data::Column> columns = data::kTcrColumns);

}  // namespace tcrops::eval
