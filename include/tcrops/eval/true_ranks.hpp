#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcrops::eval {

// At which place the score of each positive row stands among the scores of all epitopes for its
// TCR, from 1, ties averaged, as "average rank" and R@k of the field's benchmarks (ePytope-TCR,
// IMMREP22) have it. NaN for negatives, for a TCR of which not every epitope of these rows has a
// row, and when there is one epitope only. Where a TCR has several rows of one epitope (another
// MHC) the largest score counts. All spans have one entry per row, else Error (kFailure).
[[nodiscard]] std::vector<double> true_epitope_ranks(std::span<const std::uint8_t> labels,
                                                     std::span<const double> scores,
                                                     std::span<const std::string> epitopes,
                                                     std::span<const std::string> tcrs);

}  // namespace tcrops::eval
