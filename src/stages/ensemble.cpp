#include "ensemble.hpp"

#include "fitting.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tcrops::stages {

Networks::Scores Networks::scores(const data::EncodedRows& rows) const {
  if (members_.size() == 1) return {members_.front()->logits(rows), {}};
  std::vector<std::vector<float>> all;
  all.reserve(members_.size());
  for (const auto& member : members_) all.push_back(member->logits(rows));
  Scores scores;
  scores.logits.reserve(rows.rows);
  scores.spreads.reserve(rows.rows);
  std::vector<double> given;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    given.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool lacks_head = !members_[i]->spec().is_pan() && std::isnan(all[i][row]);
      if (!lacks_head) given.push_back(static_cast<double>(all[i][row]));
    }
    const auto count = static_cast<double>(given.size());
    const double mean = std::accumulate(given.begin(), given.end(), 0.0) / count;  // of none: NaN
    double squares = 0.0;
    for (const double logit : given) squares += (logit - mean) * (logit - mean);
    scores.logits.push_back(static_cast<float>(mean));
    scores.spreads.push_back(static_cast<float>(std::sqrt(squares / count)));
  }
  return scores;
}

bool Networks::answers(const std::string& epitope) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const auto& member) { return has_head(member->spec(), epitope); });
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
