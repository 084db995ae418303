#pragma once

#include <tcrops/core/rng.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace tcrops::tune {

// One dimension of an estimator, low < high.
struct Axis {
  enum class Kind { kContinuous, kInteger, kCategory };
  Kind kind = Kind::kContinuous;
  // Continuous: the range. Integer: the range widened by a half on either side. Category: unused.
  double low = 0.0;
  double high = 1.0;
  std::size_t options = 0;  // category only
};

// One number per axis; a category is the index of its option.
using Coordinates = std::vector<double>;

// A mixture of products of truncated normal kernels (numbers) and smoothed categories, one per
// observation and one flat prior, as Optuna 5.0 builds it: mean at the observation, width from the
// distance to the neighbours on each axis, newer observations weighing more. Thread-safe once
// built.
class ParzenEstimator {
 public:
  // `observations` from the oldest to the newest.
  ParzenEstimator(std::vector<Axis> axes, std::span<const Coordinates> observations);

  [[nodiscard]] Coordinates draw(Rng& rng) const;
  // Density for numbers, probability for integers and categories, in natural logarithms.
  [[nodiscard]] double log_density(const Coordinates& point) const;

  // Kernels in the order of the observations, the prior last. Weights sum to 1.
  [[nodiscard]] const std::vector<double>& weights() const { return weights_; }
  // Standard deviations on a numeric axis.
  [[nodiscard]] std::vector<double> widths(std::size_t axis) const;

 private:
  struct Normal {
    double mean = 0.0;
    double width = 1.0;
    double log_mass = 0.0;  // of the part inside the axis
  };
  // The kernels on one axis: normals, or one row of probabilities per kernel.
  struct Kernels {
    std::vector<Normal> normals;
    std::vector<std::vector<double>> probabilities;
  };

  [[nodiscard]] static Kernels normals(const Axis& axis, const std::vector<double>& means);
  [[nodiscard]] static Kernels categories(const Axis& axis, const std::vector<double>& seen);
  [[nodiscard]] double draw_axis(std::size_t axis, std::size_t kernel, Rng& rng) const;
  [[nodiscard]] double log_density_axis(std::size_t axis, std::size_t kernel, double x) const;

  std::vector<Axis> axes_;
  std::vector<double> weights_;
  std::vector<Kernels> kernels_;  // by axis
};

// Weights of `count` observations from the oldest to the newest: 1 for the newest 25, falling
// linearly to 1/count before that.
[[nodiscard]] std::vector<double> age_weights(std::size_t count);

}  // namespace tcrops::tune
