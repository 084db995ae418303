// What a model has seen before it is judged, and what a reader must know before believing the
// figures.
#pragma once

#include "dataset.hpp"
#include "stage.hpp"

#include <set>
#include <string>
#include <vector>

namespace tcrops::stages {

// The rows a model was trained and chosen on, from its own lineage.
struct ModelPast {
  SideData train;
  SideData validation;
  bool learned_validation = false;  // refitted on all rows, or an ensemble of folds
  bool judged_rows_are_own = true;  // the judged rows are of the dataset that it was trained on
  bool test_rows_chose = false;     // the parameters were chosen on the test rows of that dataset
  std::vector<data::Record> chose;  // those, when they are of another dataset than the judged rows

  // The rows that the model learned from.
  [[nodiscard]] std::vector<data::Record> learned() const;
  // Epitopes with a positive among those.
  [[nodiscard]] std::set<std::string> seen_epitopes() const;
};

// `judged` is the dataset whose test rows are judged. Throws Error when the store lacks what the
// model was made from: then nobody can say what it has seen.
[[nodiscard]] ModelPast past_of(const StageContext& context, const Dataset& judged);

struct Caveats {
  std::vector<std::string> unfair;  // why this is no test score
  std::vector<std::string> others;

  [[nodiscard]] bool fair() const { return unfair.empty(); }
  // "test", or "not a test score".
  [[nodiscard]] std::string scored_as() const;
  [[nodiscard]] std::vector<std::string> all() const;
};

// No test score: when the leak check of the dataset failed in anything but TCRs of validation near
// those of training, or, where the rows are of another
// dataset, the same check of them against the model's own training and validation rows; when a TCR
// of these rows or a near duplicate of it is among the rows that trained or chose the model; when
// the parameters were chosen on these rows.
// `features`: the model's.
[[nodiscard]] Caveats caveats_of(const StageContext& context, const ModelPast& past,
                                 const SideData& test, const std::vector<data::Column>& features);

}  // namespace tcrops::stages
