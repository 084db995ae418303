// What a prediction says of a record, and how it is written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tcrops::stages {

// What is said of one record, or why nothing is. What a model has nothing for is empty.
struct Answer {
  double score = 0.0;                          // logistic function of the logit
  std::optional<double> probability;           // calibrated
  std::optional<double> percentile;            // among the model's background; low is rare
  std::optional<float> spread;                 // of an ensemble's logits
  std::optional<double> nearest_tcr;           // similarity to the nearest training TCR, 0 to 1
  std::optional<std::size_t> nearest_epitope;  // edits to the nearest training epitope
  bool unseen_epitope = false;
  bool far_from_training = false;
  bool call = false;    // the score reaches the model's threshold
  std::string problem;  // then nothing else counts
};

inline constexpr std::string_view kUnseenEpitope = "unseen_epitope";
inline constexpr std::string_view kFarFromTraining = "far_from_training";

// The columns in which it is written; which of them there are depends on the model.
enum class AnswerColumn {
  kScore,
  kProbability,
  kPercentile,
  kSpread,
  kNearestTcr,
  kNearestEpitope,
  kFlags,
  kCall,
};
[[nodiscard]] std::string_view column_name(AnswerColumn column);

inline constexpr int kScoreDigits = 7;

// Appends what stands in a column of a table: score and probability with kScoreDigits, percentile
// and spread with four, the similarity with three decimals, flags with ";" between, the call as 1
// or 0, nothing for what is empty. Of an answer without a problem.
void append_text(std::string& to, const Answer& answer, AnswerColumn column);
// The same as JSON: numbers with the same digits, or null where there is none or it is not finite;
// a list of flags; true or false.
void append_json(std::string& to, const Answer& answer, AnswerColumn column);

// A score with as many digits as it is written with.
[[nodiscard]] double with_written_digits(double score);

}  // namespace tcrops::stages
