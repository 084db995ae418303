#include "ensemble.hpp"

#include <algorithm>
#include <cmath>

namespace tcrops::stages {

Networks::Scores Networks::scores(const data::EncodedRows& rows) const {
  if (members_.size() == 1) return {members_.front()->logits(rows), {}};
  std::vector<std::vector<float>> all;
  all.reserve(members_.size());
  for (const auto& member : members_) all.push_back(member->logits(rows));
  const auto count = static_cast<double>(all.size());
  Scores scores;
  scores.logits.reserve(rows.rows);
  scores.spreads.reserve(rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    double mean = 0.0;
    for (const auto& logits : all) mean += static_cast<double>(logits[row]);
    mean /= count;
    double squares = 0.0;
    for (const auto& logits : all) {
      const double off = static_cast<double>(logits[row]) - mean;
      squares += off * off;
    }
    scores.logits.push_back(static_cast<float>(mean));
    scores.spreads.push_back(static_cast<float>(std::sqrt(squares / count)));
  }
  return scores;
}

std::vector<float> Networks::logits(const data::EncodedRows& rows) const {
  return scores(rows).logits;
}

std::int64_t Networks::parameters() const {
  std::int64_t sum = 0;
  for (const auto& member : members_) sum += member->trained_numbers();
  return sum;
}

}  // namespace tcrops::stages
