#include "kernel_rules.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tcrops::tune {
namespace {

constexpr std::size_t kFullWeight = 25;    // newest observations that count fully
constexpr double kLeastWeight = 1e-12;     // of an improvement
constexpr double kNarrowestWidth = 1e-12;  // where nothing else limits it

// A place on the axis and the observation it belongs to.
using Place = std::pair<double, std::size_t>;

bool counts_prior(KernelWidth rule) {
  return rule == KernelWidth::kNeighboursOrPrior || rule == KernelWidth::kNeighboursOrHalf ||
         rule == KernelWidth::kNeighboursPriorEnds;
}

bool counts_ends(KernelWidth rule) {
  return rule == KernelWidth::kNeighboursOrEnds || rule == KernelWidth::kNeighboursPriorEnds;
}

// The larger distance to the two neighbours on the axis. Without `ends` the outermost ones have one
// neighbour only.
std::vector<double> neighbour_distances(double low, double high, std::span<const double> means,
                                        KernelWidth rule) {
  std::vector<Place> places;
  places.reserve(means.size() + 1);
  for (std::size_t i = 0; i < means.size(); ++i) places.emplace_back(means[i], i);
  if (counts_prior(rule)) places.emplace_back(low + (high - low) / 2.0, means.size());
  std::sort(places.begin(), places.end());
  std::vector<double> distances(means.size() + 1, 0.0);
  const auto reach = [&](const Place& place, double distance) {
    distances[place.second] = std::max(distances[place.second], distance);
  };
  for (std::size_t i = 0; i + 1 < places.size(); ++i) {
    const double gap = places[i + 1].first - places[i].first;
    reach(places[i], gap);
    reach(places[i + 1], gap);
  }
  if (counts_ends(rule)) {
    reach(places.front(), places.front().first - low);
    reach(places.back(), high - places.back().first);
  }
  distances.resize(means.size());  // not the prior's
  return distances;
}

double narrowest_width(double range, std::size_t observations, const TpeOptions& options) {
  if (options.most_kernels <= 0.0) return kNarrowestWidth;
  const double kernels = std::min(options.most_kernels, static_cast<double>(observations + 2));
  return std::max(options.narrowest * range, range / std::pow(kernels, options.narrowing));
}

std::vector<double> raw_widths(double low, double high, std::span<const double> means,
                               std::size_t dimensions, KernelWidth rule) {
  const auto count = static_cast<double>(means.size());
  if (rule == KernelWidth::kByCount) {
    const double share = 0.2 * std::pow(count, -1.0 / (static_cast<double>(dimensions) + 4.0));
    return std::vector<double>(means.size(), share * (high - low));
  }
  if (means.size() == 1 && rule == KernelWidth::kNeighbours) {
    return {std::max(means[0] - low, high - means[0])};
  }
  if (means.size() == 1 && rule == KernelWidth::kNeighboursOrHalf) return {0.5 * (high - low)};
  return neighbour_distances(low, high, means, rule);
}

}  // namespace

std::vector<double> age_weights(std::size_t count) {
  std::vector<double> weights(count, 1.0);
  if (count <= kFullWeight) return weights;
  const std::size_t old = count - kFullWeight;
  const double first = 1.0 / static_cast<double>(count);
  for (std::size_t i = 0; i < old; ++i) {
    const double share = old == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(old - 1);
    weights[i] = first + (1.0 - first) * share;
  }
  return weights;
}

std::vector<double> improvement_weights(std::span<const double> good_values, double best_bad) {
  std::vector<double> weights;
  weights.reserve(good_values.size());
  for (const double value : good_values) {
    const double gain = value - best_bad;
    weights.push_back(std::isfinite(gain) ? std::max(kLeastWeight, gain) : kLeastWeight);
  }
  return weights;
}

std::vector<double> kernel_widths(double low, double high, std::span<const double> means,
                                  std::size_t dimensions, const TpeOptions& options) {
  if (means.empty()) return {};
  std::vector<double> widths = raw_widths(low, high, means, dimensions, options.width);
  const double range = high - low;
  const double narrowest = std::min(range, narrowest_width(range, means.size(), options));
  for (double& width : widths) width = std::clamp(width, narrowest, range);
  return widths;
}

}  // namespace tcrops::tune
