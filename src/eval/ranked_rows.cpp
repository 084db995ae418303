#include "ranked_rows.hpp"

#include <algorithm>

namespace tcrops::eval {
namespace {

constexpr double kRate = 0.1;  // of false positives, where the partial area ends

// A point of the ROC curve in rows; whole numbers, which a double holds exactly.
struct Point {
  double positives = 0.0;
  double negatives = 0.0;
};

// What lies under the line from one point to the next, left of `limit` negatives.
double area_between(const Point& from, const Point& to, double limit) {
  if (from.negatives >= limit || to.negatives == from.negatives) return 0.0;
  const double width = std::min(to.negatives, limit) - from.negatives;
  const double slope = (to.positives - from.positives) / (to.negatives - from.negatives);
  return width * (from.positives + 0.5 * slope * width);
}

double standardised(double area) {
  const double least = 0.5 * kRate * kRate;
  return 0.5 * (1.0 + (area - least) / (kRate - least));
}

}  // namespace

RankedRows::RankedRows(std::span<const std::uint32_t> rows, std::span<const double> scores,
                       std::span<const std::uint8_t> labels,
                       std::span<const std::uint32_t> clusters) {
  std::vector<std::uint32_t> order(rows.begin(), rows.end());
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t x, std::uint32_t y) { return scores[x] > scores[y]; });
  entries_.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t row = order[i];
    entries_.push_back({clusters[row], labels[row] != 0,
                        i + 1 == order.size() || scores[order[i + 1]] != scores[row]});
  }
}

Ranking RankedRows::judge(std::span<const std::uint32_t> times) const {
  Point all;
  for (const Entry& entry : entries_) {
    const double weight = times[entry.cluster];
    all.positives += entry.positive ? weight : 0.0;
    all.negatives += entry.positive ? 0.0 : weight;
  }
  if (all.positives == 0 || all.negatives == 0) return {};
  const double limit = kRate * all.negatives;
  double area = 0.0;
  double left_area = 0.0;
  double precision_sum = 0.0;
  Point before;
  Point here;
  for (const Entry& entry : entries_) {
    const double weight = times[entry.cluster];
    here.positives += entry.positive ? weight : 0.0;
    here.negatives += entry.positive ? 0.0 : weight;
    if (!entry.ends_tie) continue;
    // A negative is below every positive seen before it, and half below those tied with it.
    area += (here.negatives - before.negatives) * 0.5 * (here.positives + before.positives);
    if (before.negatives < limit) left_area += area_between(before, here, limit);
    if (here.positives > before.positives) {
      precision_sum +=
          (here.positives - before.positives) * here.positives / (here.positives + here.negatives);
    }
    before = here;
  }
  const double pairs = all.positives * all.negatives;
  return {area / pairs, standardised(left_area / pairs), precision_sum / all.positives};
}

}  // namespace tcrops::eval
