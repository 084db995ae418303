#include "parzen.hpp"

#include "truncated_normal.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tcrops::tune {
namespace {

constexpr std::size_t kFullWeight = 25;    // newest observations that count fully
constexpr std::size_t kMostKernels = 100;  // limits how narrow a kernel may become

// The larger distance to the two neighbours on the axis. The ends of the axis stand in for a
// missing neighbour only when there is a single observation.
std::vector<double> neighbour_distances(const Axis& axis, const std::vector<double>& means) {
  const std::size_t n = means.size();
  if (n == 1) return {std::max(means[0] - axis.low, axis.high - means[0])};
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return means[a] < means[b]; });
  std::vector<double> distances(n, 0.0);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double gap = means[order[i + 1]] - means[order[i]];
    distances[order[i]] = std::max(distances[order[i]], gap);
    distances[order[i + 1]] = std::max(distances[order[i + 1]], gap);
  }
  return distances;
}

// Index drawn with the given probabilities, which sum to 1.
std::size_t draw_index(const std::vector<double>& probabilities, Rng& rng) {
  double left = rng.uniform();
  for (std::size_t i = 0; i + 1 < probabilities.size(); ++i) {
    left -= probabilities[i];
    if (left < 0.0) return i;
  }
  return probabilities.size() - 1;
}

void normalise(std::vector<double>& values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value /= sum;
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

ParzenEstimator::ParzenEstimator(std::vector<Axis> axes, std::span<const Coordinates> observations)
    : axes_(std::move(axes)), weights_(age_weights(observations.size())) {
  weights_.push_back(1.0);
  normalise(weights_);
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    std::vector<double> values;
    values.reserve(observations.size());
    for (const Coordinates& each : observations) values.push_back(each[a]);
    kernels_.push_back(axes_[a].kind == Axis::Kind::kCategory ? categories(axes_[a], values)
                                                              : normals(axes_[a], values));
  }
}

ParzenEstimator::Kernels ParzenEstimator::normals(const Axis& axis,
                                                  const std::vector<double>& means) {
  const double range = axis.high - axis.low;
  const auto kernel_count = static_cast<double>(std::min(kMostKernels, means.size() + 2));
  std::vector<double> widths;
  if (!means.empty()) widths = neighbour_distances(axis, means);
  Kernels kernels;
  for (std::size_t i = 0; i < means.size(); ++i) {
    kernels.normals.push_back({means[i], std::clamp(widths[i], range / kernel_count, range), 0.0});
  }
  kernels.normals.push_back({axis.low + range / 2.0, range, 0.0});
  for (Normal& normal : kernels.normals) {
    normal.log_mass =
        log_mass((axis.low - normal.mean) / normal.width, (axis.high - normal.mean) / normal.width);
  }
  return kernels;
}

ParzenEstimator::Kernels ParzenEstimator::categories(const Axis& axis,
                                                     const std::vector<double>& seen) {
  const double smoothing = 1.0 / static_cast<double>(seen.size() + 1);
  Kernels kernels;
  kernels.probabilities.assign(seen.size() + 1, std::vector<double>(axis.options, smoothing));
  for (std::size_t i = 0; i < seen.size(); ++i) {
    kernels.probabilities[i][static_cast<std::size_t>(seen[i])] += 1.0;
  }
  for (std::vector<double>& row : kernels.probabilities) normalise(row);
  return kernels;
}

std::vector<double> ParzenEstimator::widths(std::size_t axis) const {
  std::vector<double> widths;
  for (const Normal& normal : kernels_[axis].normals) widths.push_back(normal.width);
  return widths;
}

double ParzenEstimator::draw_axis(std::size_t axis, std::size_t kernel, Rng& rng) const {
  const Axis& range = axes_[axis];
  if (range.kind == Axis::Kind::kCategory) {
    return static_cast<double>(draw_index(kernels_[axis].probabilities[kernel], rng));
  }
  const Normal& normal = kernels_[axis].normals[kernel];
  const double standard =
      truncated_quantile(rng.uniform_open(), (range.low - normal.mean) / normal.width,
                         (range.high - normal.mean) / normal.width);
  const double x = std::clamp(normal.mean + normal.width * standard, range.low, range.high);
  if (range.kind == Axis::Kind::kContinuous) return x;
  return std::clamp(std::round(x), range.low + 0.5, range.high - 0.5);
}

double ParzenEstimator::log_density_axis(std::size_t axis, std::size_t kernel, double x) const {
  const Axis& range = axes_[axis];
  if (range.kind == Axis::Kind::kCategory) {
    return std::log(kernels_[axis].probabilities[kernel][static_cast<std::size_t>(x)]);
  }
  const Normal& normal = kernels_[axis].normals[kernel];
  if (range.kind == Axis::Kind::kInteger) {
    return log_mass((x - 0.5 - normal.mean) / normal.width,
                    (x + 0.5 - normal.mean) / normal.width) -
           normal.log_mass;
  }
  return log_normal_density((x - normal.mean) / normal.width) - std::log(normal.width) -
         normal.log_mass;
}

Coordinates ParzenEstimator::draw(Rng& rng) const {
  const std::size_t kernel = draw_index(weights_, rng);
  Coordinates point;
  point.reserve(axes_.size());
  for (std::size_t a = 0; a < axes_.size(); ++a) point.push_back(draw_axis(a, kernel, rng));
  return point;
}

double ParzenEstimator::log_density(const Coordinates& point) const {
  std::vector<double> terms;
  terms.reserve(weights_.size());
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    double term = std::log(weights_[k]);
    for (std::size_t a = 0; a < axes_.size(); ++a) term += log_density_axis(a, k, point[a]);
    terms.push_back(term);
  }
  return log_sum_exp(terms);
}

}  // namespace tcrops::tune
