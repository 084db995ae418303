#pragma once

#include "background.hpp"
#include "model.hpp"
#include "reference_tcrs.hpp"

#include <tcrops/data/record.hpp>
#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/store/store.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::stages {

inline constexpr const char* kUnseenEpitope = "unseen_epitope";
inline constexpr const char* kFarFromTraining = "far_from_training";

// What a prediction says of each record, in the columns score (logistic function of the logit),
// probability (calibrated), percentile (among the model's background, low is rare), spread (of an
// ensemble's logits), nearest_tcr (similarity to the nearest training TCR, 0 to 1), nearest_epitope
// (edits to the nearest training epitope), flags (";" between them) and call (1 when the score
// reaches the model's threshold). What the model has nothing for is empty. One thread at a time;
// the model must outlive it.
class Answers {
 public:
  // `plain`: only score and call. Throws Error (kArtifact) for a damaged model.
  Answers(const store::Store& store, const Model& model, bool plain);
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] std::vector<Answer> of(std::span<const data::Record> records);
  // "training", "controls"; "none" when there is no background or it is not used.
  [[nodiscard]] const std::string& background() const { return background_; }

 private:
  // All but score and call.
  void add_columns(const data::Record& record, const Scored& scored, Answer& answer);
  void add_distances(const data::Record& record, Answer& answer);

  const Model& model_;
  bool plain_;
  std::vector<std::string> columns_;
  std::string background_ = "none";
  std::optional<Percentiles> percentiles_;
  std::optional<Distances> distances_;
  std::optional<double> far_below_;
};

}  // namespace tcrops::stages
