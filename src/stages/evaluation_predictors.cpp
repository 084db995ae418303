#include "evaluation_predictors.hpp"

#include <tcrops/eval/baselines.hpp>
#include <tcrops/eval/metrics.hpp>

#include <fmt/format.h>

#include <cmath>

namespace tcrops::stages {
namespace {

std::vector<double> never(std::span<const data::Record> /*train*/,
                          std::span<const data::Record> rows) {
  return eval::always_no_scores(rows.size());
}

struct Baseline {
  const char* name;
  std::vector<double> (*scores)(std::span<const data::Record> train,
                                std::span<const data::Record> rows);
  bool probabilities;
};

constexpr Baseline kBaselines[] = {
    {"nearest_neighbour", eval::nearest_neighbour_scores, false},
    {"linear", eval::linear_scores, true},
    {"v_gene", eval::v_gene_scores, false},
    {"tcr_frequency", eval::tcr_frequency_scores, true},
    {"always_no", never, true},
};

}  // namespace

ModelScores model_scores(const Model& model, const SideData& test) {
  ModelScores result{{.name = "score", .scores = {}, .threshold = model.threshold}, {}};
  for (const Scored& scored : score(model, test.records)) {
    const bool known = scored.logit && !std::isnan(*scored.logit);
    result.unscored.push_back(!known);
    result.rows.scores.push_back(known ? probabilities(std::span(&*scored.logit, 1)).front() : 0.0);
  }
  return result;
}

std::vector<ScoredRows> baseline_scores(const ModelPast& past, const SideData& test,
                                        const std::string& rule) {
  std::vector<data::Record> rows = past.validation.records;
  const auto validation_rows = std::ssize(rows);
  rows.insert(rows.end(), test.records.begin(), test.records.end());
  std::vector<ScoredRows> all;
  for (const Baseline& baseline : kBaselines) {
    const std::vector<double> scores = baseline.scores(past.train.records, rows);
    const auto test_begin = scores.begin() + validation_rows;
    const bool chosen = rule != "half" && baseline.scores != never;
    const std::vector<double> of_validation(scores.begin(), test_begin);
    ScoredRows scored{
        .name = baseline.name,
        .scores = {test_begin, scores.end()},
        .threshold = chosen ? eval::best_f1_threshold(past.validation.labels, of_validation) : 0.5,
        .probabilities = baseline.probabilities};
    if (past.learned_validation) scored.scores = baseline.scores(past.learned(), test.records);
    all.push_back(std::move(scored));
  }
  return all;
}

std::string cluster_of(const data::Record& record) {
  return fmt::format("{} {}", record[data::Column::kCdr3Alpha], record[data::Column::kCdr3Beta]);
}

}  // namespace tcrops::stages
