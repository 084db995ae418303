#pragma once

#include "evaluation_predictors.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/eval/judgement.hpp>

#include <string>
#include <vector>

namespace tcrops::stages {

// A slice with fewer positives than this is marked as small: its figures say little.
inline constexpr std::int64_t kSmallSlice = 20;

// What a predictor does on parts of the test rows, which are those of TCRs alike in something:
//   cdr3_length  letters of both CDR3s together, in classes
//   v_beta       the ten most frequent V genes of the beta chain, the rest, and none
//   source       where the rows are from, when a column of the input says it (source, dataset,
//                study, reference or reference.id): the ten most frequent and the rest
// Each is a list of {"name", "rows", "positives", "small", "groups", "macro_auroc",
// "macro_auroc01", "macro_average_precision"}, and with the same three "nearest_neighbour".
[[nodiscard]] Json slices_of(const SideData& test, const std::vector<std::string>& extra_names,
                             const ScoredRows& model, const ScoredRows& nearest);

// All positives with the negatives of one origin, each kind of which has its own bias: a report for
// each. Empty when there is one kind only: then the whole says it.
[[nodiscard]] Json reports_by_origin(const SideData& test, const ScoredRows& model,
                                     const eval::Resampling& resampling);

}  // namespace tcrops::stages
