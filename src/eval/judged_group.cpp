#include "judged_group.hpp"

#include <algorithm>
#include <cmath>

namespace tcrops::eval {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::size_t at(Figure figure) { return static_cast<std::size_t>(figure); }

std::uint8_t bin_of(double probability) {
  const double place = std::floor(probability * static_cast<double>(kCalibrationBins));
  return static_cast<std::uint8_t>(std::clamp(place, 0.0, kCalibrationBins - 1.0));
}

struct CallSums {
  std::array<std::int64_t, 4> outcomes{};  // by Row::outcome
  std::array<double, kCalibrationBins> errors{};
  double squares = 0.0;
};

void set_call_figures(const Confusion& calls, Figures& figures) {
  const bool positives = calls.positive() > 0;
  const bool both = positives && calls.positive() < calls.rows();
  figures[at(Figure::kAccuracy)] = calls.rows() > 0 ? calls.accuracy() : kNan;
  figures[at(Figure::kPrecision)] = calls.rows() > 0 ? calls.precision() : kNan;
  figures[at(Figure::kRecall)] = positives ? calls.recall() : kNan;
  figures[at(Figure::kF1)] = positives ? calls.f1() : kNan;
  figures[at(Figure::kMcc)] = both ? calls.mcc() : kNan;
}

}  // namespace

JudgedGroup::JudgedGroup(std::span<const std::uint32_t> rows, const JudgedRows& table,
                         std::span<const std::uint32_t> clusters, const Predictor& predictor,
                         std::span<const double> ranks)
    : ranking_(rows, predictor.scores, table.labels, clusters),
      probabilities_(predictor.probabilities) {
  rows_.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    const double score = predictor.scores[row];
    const int label = table.labels[row] != 0 ? 1 : 0;
    const int called = score >= predictor.threshold ? 1 : 0;
    rows_.push_back({score - label, clusters[row], bin_of(score),
                     static_cast<std::uint8_t>(2 * called + label)});
    if (!std::isnan(ranks[row])) ranked_.push_back({ranks[row], clusters[row]});
  }
}

void JudgedGroup::judge_calls(std::span<const std::uint32_t> times, GroupFigures& result) const {
  CallSums sums;
  for (const Row& row : rows_) {
    const std::uint32_t count = times[row.cluster];
    const double error = count * row.error;
    sums.outcomes[row.outcome] += count;
    sums.errors[row.bin] += error;
    sums.squares += error * row.error;
  }
  result.calls = {.true_positive = sums.outcomes[3],
                  .false_positive = sums.outcomes[2],
                  .true_negative = sums.outcomes[0],
                  .false_negative = sums.outcomes[1]};
  set_call_figures(result.calls, result.figures);
  if (!probabilities_ || result.calls.rows() == 0) return;
  const auto rows = static_cast<double>(result.calls.rows());
  double off = 0.0;
  for (const double error : sums.errors) off += std::abs(error);
  result.figures[at(Figure::kBrier)] = sums.squares / rows;
  result.figures[at(Figure::kEce)] = off / rows;
}

GroupFigures JudgedGroup::judge(std::span<const std::uint32_t> times) const {
  GroupFigures result;
  result.figures.fill(kNan);
  const Ranking ranking = ranking_.judge(times);
  result.figures[at(Figure::kAuroc)] = ranking.auroc;
  result.figures[at(Figure::kAuroc01)] = ranking.auroc01;
  result.figures[at(Figure::kAveragePrecision)] = ranking.average_precision;
  judge_calls(times, result);
  double sum = 0.0;
  std::int64_t first = 0;
  std::int64_t third = 0;
  for (const RankedPositive& positive : ranked_) {
    const std::uint32_t count = times[positive.cluster];
    result.ranked += count;
    sum += count * positive.rank;
    first += positive.rank <= 1.0 ? count : 0;
    third += positive.rank <= 3.0 ? count : 0;
  }
  if (result.ranked == 0) return result;
  const auto ranked = static_cast<double>(result.ranked);
  result.figures[at(Figure::kRank)] = sum / ranked;
  result.figures[at(Figure::kRecallAt1)] = static_cast<double>(first) / ranked;
  result.figures[at(Figure::kRecallAt3)] = static_cast<double>(third) / ranked;
  return result;
}

}  // namespace tcrops::eval
