#pragma once

#include "evaluation_predictors.hpp"

#include <string>
#include <vector>

namespace tcrops::stages {

// scores.csv: each test row with the score of the model and of every baseline.
[[nodiscard]] std::string scores_csv(const SideData& test, const ModelScores& model,
                                     const std::vector<ScoredRows>& baselines);

// epytope.csv: the table that a predictor hands to the ePytope-TCR benchmark
// (SchubertLab/benchmark_TCRprediction, predictions_<method>_<dataset>.csv): a column of row
// numbers without a name, the benchmark's own columns with `dataset`, Label and Score. A row
// without a score has an empty one.
[[nodiscard]] std::string epytope_csv(const SideData& test, const ModelScores& model,
                                      const std::string& dataset);

}  // namespace tcrops::stages
