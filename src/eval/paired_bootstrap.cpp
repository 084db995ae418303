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
#include <unordered_map>

namespace tcrops::eval {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kLow = 0.025;
constexpr double kHigh = 0.975;
constexpr std::size_t kMetrics = std::size(kPairedMetrics);
using Metrics = std::array<double, kMetrics>;  // in the order of kPairedMetrics

struct Ranking {
  double auroc = kNan;
  double average_precision = kNan;
};

// Some rows from the highest score to the lowest, sorted once and judged under many weights.
class RankedRows {
 public:
  RankedRows(std::vector<std::size_t> rows, std::span<const double> scores,
             std::span<const std::uint8_t> labels)
      : rows_(std::move(rows)), scores_(scores), labels_(labels) {
    std::sort(rows_.begin(), rows_.end(),
              [&](std::size_t x, std::size_t y) { return scores_[x] > scores_[y]; });
  }

  // As metrics.hpp defines them, each row counted as often as its weight says.
  [[nodiscard]] Ranking judge(std::span<const std::uint32_t> weights) const {
    double positives = 0.0;
    double negatives = 0.0;
    double ordered_pairs = 0.0;
    double precision_sum = 0.0;
    for (std::size_t begin = 0; begin < rows_.size();) {
      double tied_positives = 0.0;
      double tied_negatives = 0.0;
      std::size_t end = begin;
      for (; end < rows_.size() && scores_[rows_[end]] == scores_[rows_[begin]]; ++end) {
        (labels_[rows_[end]] != 0 ? tied_positives : tied_negatives) += weights[rows_[end]];
      }
      // A negative is below every positive seen before it, and half below those tied with it.
      ordered_pairs += tied_negatives * (positives + 0.5 * tied_positives);
      positives += tied_positives;
      negatives += tied_negatives;
      if (tied_positives > 0) precision_sum += tied_positives * positives / (positives + negatives);
      begin = end;
    }
    if (positives == 0 || negatives == 0) return {};
    return {ordered_pairs / (positives * negatives), precision_sum / positives};
  }

 private:
  std::vector<std::size_t> rows_;
  std::span<const double> scores_;
  std::span<const std::uint8_t> labels_;
};

// Equal texts get equal numbers, from 0 in order of appearance.
std::vector<std::size_t> numbered(std::span<const std::string> names) {
  std::unordered_map<std::string, std::size_t> known;
  std::vector<std::size_t> numbers;
  numbers.reserve(names.size());
  for (const std::string& name : names) {
    numbers.push_back(known.emplace(name, known.size()).first->second);
  }
  return numbers;
}

std::size_t count_of(const std::vector<std::size_t>& numbers) {
  return numbers.empty() ? 0 : *std::max_element(numbers.begin(), numbers.end()) + 1;
}

class JudgedModel {
 public:
  JudgedModel(const PairedScores& rows, const std::vector<std::size_t>& groups,
              std::span<const double> scores)
      : all_(every_row(scores.size()), scores, rows.labels) {
    std::vector<std::vector<std::size_t>> members(count_of(groups));
    for (std::size_t row = 0; row < groups.size(); ++row) members[groups[row]].push_back(row);
    for (auto& group : members) groups_.emplace_back(std::move(group), scores, rows.labels);
  }

  [[nodiscard]] Metrics judge(std::span<const std::uint32_t> weights) const {
    double auroc = 0.0;
    double precision = 0.0;
    std::size_t defined = 0;
    for (const RankedRows& group : groups_) {
      const Ranking ranking = group.judge(weights);
      if (std::isnan(ranking.auroc)) continue;
      auroc += ranking.auroc;
      precision += ranking.average_precision;
      ++defined;
    }
    const Ranking pooled = all_.judge(weights);
    const auto n = static_cast<double>(defined);
    return {defined == 0 ? kNan : precision / n, defined == 0 ? kNan : auroc / n,
            pooled.average_precision, pooled.auroc};
  }

 private:
  static std::vector<std::size_t> every_row(std::size_t count) {
    std::vector<std::size_t> rows(count);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return rows;
  }

  RankedRows all_;
  std::vector<RankedRows> groups_;
};

// Percentile of sorted values, linear between neighbours.
double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return kNan;
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

PairedMetric summed_up(std::size_t metric, const Metrics& a, const Metrics& b,
                       std::vector<double> differences) {
  std::sort(differences.begin(), differences.end());
  double better = 0.0;
  for (const double d : differences) better += d > 0 ? 1.0 : d == 0 ? 0.5 : 0.0;
  return {.name = kPairedMetrics[metric],
          .a = a[metric],
          .b = b[metric],
          .difference = a[metric] - b[metric],
          .low = percentile(differences, kLow),
          .high = percentile(differences, kHigh),
          .share_better =
              differences.empty() ? kNan : better / static_cast<double>(differences.size())};
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
  const auto groups = numbered(scores.groups);
  const auto clusters = numbered(scores.clusters);
  const std::size_t cluster_count = count_of(clusters);
  const JudgedModel first(scores, groups, scores.a);
  const JudgedModel second(scores, groups, scores.b);
  std::vector<std::uint32_t> weights(groups.size(), 1);
  const Metrics a = first.judge(weights);
  const Metrics b = second.judge(weights);

  std::array<std::vector<double>, kMetrics> differences;
  for (std::int64_t draw = 0; cluster_count > 0 && draw < resamples; ++draw) {
    check_interrupt();
    Rng rng(seed, "eval.paired_bootstrap", static_cast<std::uint64_t>(draw));
    std::vector<std::uint32_t> times(cluster_count, 0);
    for (std::size_t i = 0; i < cluster_count; ++i) ++times[rng.below(cluster_count)];
    for (std::size_t row = 0; row < weights.size(); ++row) weights[row] = times[clusters[row]];
    const Metrics drawn_a = first.judge(weights);
    const Metrics drawn_b = second.judge(weights);
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
