#include "ranked_rows.hpp"
#include "resampling.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/eval/paired_bootstrap.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace tcrops::eval {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMetrics = std::size(kPairedMetrics);
using Metrics = std::array<double, kMetrics>;  // in the order of kPairedMetrics

class JudgedModel {
 public:
  JudgedModel(const PairedScores& rows, const Numbered& groups, const Numbered& clusters,
              std::span<const double> scores)
      : all_(every_row(scores.size()), scores, rows.labels, clusters.of_row) {
    for (const auto& group : groups.rows()) {
      groups_.emplace_back(group, scores, rows.labels, clusters.of_row);
    }
  }

  [[nodiscard]] Metrics judge(std::span<const std::uint32_t> times) const {
    double auroc = 0.0;
    double auroc01 = 0.0;
    double precision = 0.0;
    std::size_t defined = 0;
    for (const RankedRows& group : groups_) {
      const Ranking ranking = group.judge(times);
      if (std::isnan(ranking.auroc)) continue;
      auroc += ranking.auroc;
      auroc01 += ranking.auroc01;
      precision += ranking.average_precision;
      ++defined;
    }
    const Ranking pooled = all_.judge(times);
    const double n = defined == 0 ? kNan : static_cast<double>(defined);
    return {precision / n, auroc / n, auroc01 / n, pooled.average_precision, pooled.auroc};
  }

 private:
  static std::vector<std::uint32_t> every_row(std::size_t count) {
    std::vector<std::uint32_t> rows(count);
    std::iota(rows.begin(), rows.end(), std::uint32_t{0});
    return rows;
  }

  RankedRows all_;
  std::vector<RankedRows> groups_;
};

PairedMetric summed_up(std::size_t metric, const Metrics& a, const Metrics& b,
                       std::vector<double> differences) {
  double better = 0.0;
  for (const double d : differences) better += d > 0 ? 1.0 : d == 0 ? 0.5 : 0.0;
  const double share =
      differences.empty() ? kNan : better / static_cast<double>(differences.size());
  const Interval interval = interval_of(std::move(differences));
  return {.name = kPairedMetrics[metric],
          .a = a[metric],
          .b = b[metric],
          .difference = a[metric] - b[metric],
          .low = interval.low,
          .high = interval.high,
          .share_better = share};
}

void check_scores(const PairedScores& scores) {
  const std::size_t rows = scores.labels.size();
  const auto finite = [](std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  };
  if (!finite(scores.a) || !finite(scores.b)) {
    throw Error(ExitCode::kFailure, "paired bootstrap: a score is not a finite number");
  }
  if (scores.groups.size() == rows && scores.clusters.size() == rows && scores.a.size() == rows &&
      scores.b.size() == rows) {
    return;
  }
  throw Error(
      ExitCode::kFailure,
      fmt::format("paired bootstrap: {} labels, {} groups, {} clusters, {} and {} scores", rows,
                  scores.groups.size(), scores.clusters.size(), scores.a.size(), scores.b.size()));
}

}  // namespace

std::vector<PairedMetric> paired_bootstrap(const PairedScores& scores, std::int64_t resamples,
                                           std::uint64_t seed) {
  check_scores(scores);
  const Numbered groups = numbered(scores.groups);
  const Numbered clusters = numbered(scores.clusters);
  const JudgedModel first(scores, groups, clusters, scores.a);
  const JudgedModel second(scores, groups, clusters, scores.b);
  const std::vector<std::uint32_t> once(clusters.count(), 1);
  const Metrics a = first.judge(once);
  const Metrics b = second.judge(once);

  std::array<std::vector<double>, kMetrics> differences;
  for (std::int64_t draw = 0; clusters.count() > 0 && draw < resamples; ++draw) {
    check_interrupt();
    Rng rng(seed, "eval.paired_bootstrap", static_cast<std::uint64_t>(draw));
    const std::vector<std::uint32_t> times = drawn(rng, clusters.count());
    const Metrics drawn_a = first.judge(times);
    const Metrics drawn_b = second.judge(times);
    for (std::size_t m = 0; m < kMetrics; ++m) {
      const double difference = drawn_a[m] - drawn_b[m];
      if (!std::isnan(difference)) differences[m].push_back(difference);
    }
  }
  std::vector<PairedMetric> result;
  for (std::size_t m = 0; m < kMetrics; ++m)
    result.push_back(summed_up(m, a, b, std::move(differences[m])));
  return result;
}

}  // namespace tcrops::eval
