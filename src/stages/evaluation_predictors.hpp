// A model and the baselines, with their scores of the same rows.
#pragma once

#include "evaluation_past.hpp"
#include "model.hpp"

#include <string>
#include <vector>

namespace tcrops::stages {

// One that gives scores; its name in JSON and as a column of scores.csv.
struct ScoredRows {
  std::string name;
  std::vector<double> scores;  // one per test row, between 0 and 1
  double threshold = 0.5;      // of the call
  bool probabilities = true;
};

struct ModelScores {
  ScoredRows rows;
  std::vector<bool> unscored;  // rows that the model cannot score; they count as not binding, 0
};

// The model's answers with its own encoder, which need not be the dataset's: the one place that
// knows how a model is asked.
[[nodiscard]] ModelScores model_scores(const Model& model, const SideData& test);

// Every baseline, from the rows that the model learned from. Thresholds are chosen as the model's
// was: from training rows alone, by the best F1 on its validation rows, or one half (`rule`
// "half").
[[nodiscard]] std::vector<ScoredRows> baseline_scores(const ModelPast& past, const SideData& test,
                                                      const std::string& rule);

// What intervals draw together: the rows with the same two CDR3s, as `models compare` does.
[[nodiscard]] std::string cluster_of(const data::Record& record);

}  // namespace tcrops::stages
