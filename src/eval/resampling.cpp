#include "resampling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace tcrops::eval {
namespace {

constexpr double kLow = 0.025;
constexpr double kHigh = 0.975;

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::vector<std::vector<std::uint32_t>> Numbered::rows() const {
  std::vector<std::vector<std::uint32_t>> members(count());
  for (std::size_t row = 0; row < of_row.size(); ++row) {
    members[of_row[row]].push_back(static_cast<std::uint32_t>(row));
  }
  return members;
}

Numbered numbered(std::span<const std::string> names) {
  std::unordered_map<std::string, std::uint32_t> known;
  Numbered result;
  result.of_row.reserve(names.size());
  for (const std::string& name : names) {
    const auto [place, is_new] = known.emplace(name, static_cast<std::uint32_t>(known.size()));
    if (is_new) result.names.push_back(name);
    result.of_row.push_back(place->second);
  }
  return result;
}

std::vector<std::uint32_t> drawn(Rng& rng, std::size_t count) {
  std::vector<std::uint32_t> times(count, 0);
  for (std::size_t i = 0; i < count; ++i) ++times[rng.below(count)];
  return times;
}

Interval interval_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {percentile(values, kLow), percentile(values, kHigh)};
}

Interval interval_around(double figure, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double shift = figure - percentile(values, 0.5);
  return {percentile(values, kLow) + shift, percentile(values, kHigh) + shift};
}

}  // namespace tcrops::eval
