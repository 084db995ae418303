#pragma once

#include <tcrops/tune/study.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::tune {

// How much each parameter had to do with a trial being among the best: PED-ANOVA (Watanabe, Bansal
// and Hutter, IJCAI 2023, arXiv 2304.10255) with all finished trials as its region.
//
// On a grid of cells, p is the density of the parameter in all finished trials and b that in the
// best of them. The parameter's part is the Pearson divergence
//   D = sum over cells g of p(g) (b(g) / p(g) - 1)^2,
// which is in proportion to the variance of how likely a value is to be among the best; its
// importance is its D over the sum of all.
//
// Cells: 50 of equal width on a float range, in logarithms on a log range, the outer ones centred
// on the ends; the values of a grid, at most 50; ceil(log2(high - low + 1)) + 1 on a log range of
// integers, at most 50; the options of a choice. A density is a mixture of one kernel per trial and
// a prior of equal weight. A number's kernel is a normal at its cell, cut at the ends and summed
// over each cell, with a width in cells by Scott's rule (1992)
//   max(0.5 / 1.64, 1.059 min(interquartile range / 1.34, standard deviation) n^(-1/5));
// the prior is one at the middle, as wide as the range. A choice's kernel is its option alone, the
// prior gives every option the same.
//
// The kernels of numbers are those of Optuna's PedAnovaImportanceEvaluator. Its kernels of a choice
// never get narrower, however many the trials, which makes choices look less important than they
// are; these do not follow it.
struct Importance {
  std::string name;
  // Empty where there is nothing to go by: fewer than 10 finished trials have the parameter, fewer
  // than two of them ended acceptable, or all of them are among the best (values that are all
  // equal). 0 for a parameter that took one value, or stayed in one cell. All that are there sum to
  // 1, or are 0.
  std::optional<double> importance;
  std::int64_t trials = 0;  // finished ones that have the parameter
};

// In the space's order. Finished are complete and pruned trials. Of those that have a parameter, n,
// the best are the ceil(best_share n), at least 2, with the highest values, and all that are equal
// to the last of these; only complete acceptable ones with a finite value can be among them. A
// conditional parameter is judged among the trials that have it, and its D counts times their share
// of all finished trials. The order of the trials makes no difference. Throws Error: kConfiguration
// for a wrong space or a share outside (0, 1), kArtifact for a trial of another space.
[[nodiscard]] std::vector<Importance> importances(const Space& space, std::span<const Trial> trials,
                                                  double best_share = 0.1);

}  // namespace tcrops::tune
