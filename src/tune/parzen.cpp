#include "parzen.hpp"

#include "kernel_rules.hpp"
#include "truncated_normal.hpp"
#include "vector_math.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace tcrops::tune {
namespace {

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

ParzenEstimator::ParzenEstimator(std::vector<Axis> axes, const Columns& observations,
                                 std::vector<double> weights, const TpeOptions& options)
    : axes_(std::move(axes)), weights_(std::move(weights)), kernels_(axes_.size()) {
  normalise(weights_);
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    if (axes_[a].kind == Axis::Kind::kCategory) {
      kernels_[a].options = options_of(axes_[a], observations[a], options);
    } else {
      kernels_[a].normals = normals_of(axes_[a], observations[a], options);
    }
  }
  if (options.truncation == Truncation::kMixture) cut_mixture();
  log_constants_.reserve(weights_.size());
  for (const double weight : weights_) log_constants_.push_back(std::log(weight));
  for (std::size_t a = 0; a < axes_.size(); ++a) add_constants(axes_[a], kernels_[a].normals);
}

ParzenEstimator::Normals ParzenEstimator::normals_of(const Axis& axis,
                                                     const std::vector<double>& means,
                                                     const TpeOptions& options) const {
  const double range = axis.high - axis.low;
  Normals normals;
  normals.widths = kernel_widths(axis.low, axis.high, means, axes_.size(), options);
  normals.widths.push_back(range);
  normals.means = means;
  normals.means.push_back(axis.low + range / 2.0);
  const std::size_t count = normals.means.size();
  normals.inverse_widths.resize(count);
  normals.log_masses.resize(count);
  for (std::size_t k = 0; k < count; ++k) {
    const double mean = normals.means[k];
    const double width = normals.widths[k];
    normals.inverse_widths[k] = 1.0 / width;
    normals.log_masses[k] = log_cell_mass((axis.low - mean) / width, (axis.high - mean) / width);
  }
  if (axis.kind == Axis::Kind::kGrid) find_equal_kernels(normals);
  return normals;
}

void ParzenEstimator::find_equal_kernels(Normals& normals) {
  const std::size_t count = normals.means.size();
  std::vector<std::pair<std::pair<double, double>, std::uint32_t>> order;
  order.reserve(count);
  for (std::size_t k = 0; k < count; ++k) {
    order.push_back({{normals.means[k], normals.widths[k]}, static_cast<std::uint32_t>(k)});
  }
  std::sort(order.begin(), order.end());
  normals.shared.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i == 0 || order[i].first != order[i - 1].first) {
      normals.distinct.push_back(order[i].second);
    }
    normals.shared[order[i].second] = static_cast<std::uint32_t>(normals.distinct.size() - 1);
  }
}

ParzenEstimator::Options ParzenEstimator::options_of(const Axis& axis,
                                                     const std::vector<double>& seen,
                                                     const TpeOptions& options) {
  const auto count = static_cast<double>(axis.options);
  Options result;
  if (options.categories == CategoryKernels::kCounts) {
    // The kernels' weights go into the counts: one kernel is left.
    result.probabilities.assign(axis.options, weights_.back());
    for (std::size_t k = 0; k < seen.size(); ++k) {
      result.probabilities[static_cast<std::size_t>(seen[k])] += weights_[k];
    }
    normalise(result.probabilities);
    weights_ = {1.0};
    return result;
  }
  const double smoothing = options.prior_weight / static_cast<double>(seen.size() + 1);
  const double sum = 1.0 + count * smoothing;
  result.seen = seen;
  result.seen.push_back(-1.0);  // the prior has seen none
  result.share_seen = (1.0 + smoothing) / sum;
  result.share_other = smoothing / sum;
  result.share_prior = 1.0 / count;
  return result;
}

void ParzenEstimator::cut_mixture() {
  const std::vector<double>& log_masses = kernels_.front().normals.log_masses;
  for (std::size_t k = 0; k < log_masses.size(); ++k) weights_[k] *= std::exp(log_masses[k]);
  normalise(weights_);
}

void ParzenEstimator::add_constants(const Axis& axis, const Normals& normals) {
  const double shape = axis.kind == Axis::Kind::kContinuous ? log_normal_density(0.0) : 0.0;
  for (std::size_t k = 0; k < normals.means.size(); ++k) {
    log_constants_[k] += shape - normals.log_masses[k];
    if (axis.kind == Axis::Kind::kContinuous) log_constants_[k] -= std::log(normals.widths[k]);
  }
}

double ParzenEstimator::draw_axis(std::size_t axis, std::size_t kernel, Rng& rng) const {
  const Axis& range = axes_[axis];
  if (range.kind == Axis::Kind::kCategory) {
    return static_cast<double>(draw_option(range, kernels_[axis].options, kernel, rng));
  }
  const Normals& normals = kernels_[axis].normals;
  const double mean = normals.means[kernel];
  const double width = normals.widths[kernel];
  const double standard = truncated_quantile(rng.uniform_open(), (range.low - mean) / width,
                                             (range.high - mean) / width);
  const double x = std::clamp(mean + width * standard, range.low, range.high);
  return range.kind == Axis::Kind::kContinuous ? x : on_grid(range, x);
}

std::size_t ParzenEstimator::draw_option(const Axis& axis, const Options& options,
                                         std::size_t kernel, Rng& rng) {
  if (!options.probabilities.empty()) return draw_index(options.probabilities, rng);
  const bool prior = kernel + 1 == options.seen.size();
  std::vector<double> probabilities(axis.options,
                                    prior ? options.share_prior : options.share_other);
  if (!prior) probabilities[static_cast<std::size_t>(options.seen[kernel])] = options.share_seen;
  return draw_index(probabilities, rng);
}

Coordinates ParzenEstimator::draw(Rng& rng) const {
  const std::size_t kernel = draw_index(weights_, rng);
  Coordinates point;
  point.reserve(axes_.size());
  for (std::size_t a = 0; a < axes_.size(); ++a) point.push_back(draw_axis(a, kernel, rng));
  return point;
}

// The loops below run over plain arrays so that the compiler can use vector instructions.

void ParzenEstimator::add_continuous(const Normals& normals, double x, std::span<double> terms) {
  const double* means = normals.means.data();
  const double* inverse_widths = normals.inverse_widths.data();
  double* sums = terms.data();
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const double z = (x - means[k]) * inverse_widths[k];
    sums[k] -= 0.5 * z * z;
  }
}

void ParzenEstimator::add_grid(const Normals& normals, std::span<const double> masses,
                               std::span<double> terms) {
  const double* shares = masses.data();
  const std::uint32_t* shared = normals.shared.data();
  double* sums = terms.data();
  for (std::size_t k = 0; k < terms.size(); ++k) sums[k] += shares[shared[k]];
}

void ParzenEstimator::add_category(const Options& options, double x, std::span<double> terms) {
  if (!options.probabilities.empty()) {
    terms[0] += std::log(options.probabilities[static_cast<std::size_t>(x)]);
    return;
  }
  const double hit = std::log(options.share_seen);
  const double miss = std::log(options.share_other);
  const double* seen = options.seen.data();
  double* sums = terms.data();
  const std::size_t prior = terms.size() - 1;
  for (std::size_t k = 0; k < prior; ++k) sums[k] += seen[k] == x ? hit : miss;
  sums[prior] += std::log(options.share_prior);
}

std::vector<double> ParzenEstimator::cell_masses(const Axis& axis, const Normals& normals,
                                                 double x) {
  const Cell cell = cell_of(axis, x);
  std::vector<double> masses;
  masses.reserve(normals.distinct.size());
  for (const std::uint32_t k : normals.distinct) {
    masses.push_back(log_cell_mass((cell.low - normals.means[k]) * normals.inverse_widths[k],
                                   (cell.high - normals.means[k]) * normals.inverse_widths[k]));
  }
  return masses;
}

std::vector<double> ParzenEstimator::log_densities(std::span<const Coordinates> points) const {
  // Points often share their values on a grid.
  std::vector<std::map<double, std::vector<double>>> masses(axes_.size());
  std::vector<double> terms(log_constants_.size());
  std::vector<double> result;
  result.reserve(points.size());
  for (const Coordinates& point : points) {
    std::copy(log_constants_.begin(), log_constants_.end(), terms.begin());
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      const Kernels& kernels = kernels_[a];
      if (axes_[a].kind == Axis::Kind::kContinuous) {
        add_continuous(kernels.normals, point[a], terms);
      } else if (axes_[a].kind == Axis::Kind::kCategory) {
        add_category(kernels.options, point[a], terms);
      } else {
        std::vector<double>& known = masses[a][point[a]];
        if (known.empty()) known = cell_masses(axes_[a], kernels.normals, point[a]);
        add_grid(kernels.normals, known, terms);
      }
    }
    const double largest = largest_of(terms);
    if (std::isinf(largest)) {
      result.push_back(largest);
      continue;
    }
    exp_below(terms, largest);
    result.push_back(largest + std::log(sum_of(terms)));
  }
  return result;
}

double ParzenEstimator::log_density(const Coordinates& point) const {
  return log_densities({&point, 1}).front();
}

}  // namespace tcrops::tune
