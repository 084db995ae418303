#include "resampling.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/eval/true_ranks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace tcrops::eval {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The best score of each epitope for one TCR, largest first; empty when one has none.
struct Candidates {
  std::vector<double> of_epitope;
  std::vector<double> sorted;
};

Candidates candidates_of(const std::vector<std::uint32_t>& rows, std::span<const double> scores,
                         const Numbered& epitopes) {
  Candidates found{std::vector<double>(epitopes.count(), kNan), {}};
  std::size_t scored = 0;
  for (const std::uint32_t row : rows) {
    double& best = found.of_epitope[epitopes.of_row[row]];
    if (std::isnan(best)) {
      best = scores[row];
      ++scored;
    } else {
      best = std::max(best, scores[row]);
    }
  }
  if (scored < epitopes.count()) return {};
  found.sorted = found.of_epitope;
  std::sort(found.sorted.begin(), found.sorted.end(), std::greater<>());
  return found;
}

double place_of(double score, const std::vector<double>& sorted) {
  const auto [begin, end] = std::equal_range(sorted.begin(), sorted.end(), score, std::greater<>());
  const auto above = static_cast<double>(begin - sorted.begin());
  const auto tied = static_cast<double>(end - begin);
  return above + 0.5 * (tied + 1.0);
}

}  // namespace

std::vector<double> true_epitope_ranks(std::span<const std::uint8_t> labels,
                                       std::span<const double> scores,
                                       std::span<const std::string> epitopes,
                                       std::span<const std::string> tcrs) {
  if (scores.size() != labels.size() || epitopes.size() != labels.size() ||
      tcrs.size() != labels.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("ranks: {} labels, {} scores, {} epitopes and {} TCRs", labels.size(),
                            scores.size(), epitopes.size(), tcrs.size()));
  }
  std::vector<double> ranks(labels.size(), kNan);
  const Numbered epitope = numbered(epitopes);
  if (epitope.count() < 2) return ranks;
  for (const auto& rows : numbered(tcrs).rows()) {
    if (rows.size() < epitope.count()) continue;
    const Candidates candidates = candidates_of(rows, scores, epitope);
    if (candidates.sorted.empty()) continue;
    for (const std::uint32_t row : rows) {
      if (labels[row] == 0) continue;
      ranks[row] = place_of(candidates.of_epitope[epitope.of_row[row]], candidates.sorted);
    }
  }
  return ranks;
}

}  // namespace tcrops::eval
