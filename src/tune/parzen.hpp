#pragma once

#include "axis.hpp"

#include <tcrops/core/rng.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tcrops::tune {

// One number per axis; a category is the index of its option.
using Coordinates = std::vector<double>;
// The observations by axis, each list from the oldest to the newest.
using Columns = std::vector<std::vector<double>>;

// A mixture of products of truncated normal kernels (numbers) and smoothed categories, one per
// observation and one flat prior: mean at the observation, width and weight by the options'
// rules. Thread-safe once built.
class ParzenEstimator {
 public:
  // `weights` of the kernels before they are made to sum to 1, the prior's last: one more than
  // there are observations. `options` must pass check_tpe_options; what is only for one parameter
  // at a time needs a single axis.
  ParzenEstimator(std::vector<Axis> axes, const Columns& observations, std::vector<double> weights,
                  const TpeOptions& options = {});

  [[nodiscard]] Coordinates draw(Rng& rng) const;
  // Density for numbers, probability for grids and categories, in natural logarithms.
  [[nodiscard]] double log_density(const Coordinates& point) const;
  [[nodiscard]] std::vector<double> log_densities(std::span<const Coordinates> points) const;

  // Kernels in the order of the observations, the prior last. Weights sum to 1.
  [[nodiscard]] const std::vector<double>& weights() const { return weights_; }
  // Standard deviations on a numeric axis.
  [[nodiscard]] const std::vector<double>& widths(std::size_t axis) const {
    return kernels_[axis].normals.widths;
  }
  // Of the options of a category, with kCounts.
  [[nodiscard]] const std::vector<double>& probabilities(std::size_t axis) const {
    return kernels_[axis].options.probabilities;
  }

 private:
  // The kernels on one numeric axis, a list per property so that loops over kernels are loops over
  // arrays.
  struct Normals {
    std::vector<double> means;
    std::vector<double> widths;
    std::vector<double> inverse_widths;
    std::vector<double> log_masses;  // of the part inside the axis
    // Grid: kernels that are equal share their cell's mass. `shared[k]` counts into `distinct`,
    // which holds the first of each.
    std::vector<std::uint32_t> shared;
    std::vector<std::uint32_t> distinct;
  };
  // The kernels on one category: each gives its own option one share and the others another, the
  // prior all the same; or there is one vector for all.
  struct Options {
    std::vector<double> seen;  // index of the kernel's option
    double share_seen = 0.0;
    double share_other = 0.0;
    double share_prior = 0.0;
    std::vector<double> probabilities;  // kCounts
  };
  struct Kernels {
    Normals normals;
    Options options;
  };

  [[nodiscard]] Normals normals_of(const Axis& axis, const std::vector<double>& means,
                                   const TpeOptions& options) const;
  static void find_equal_kernels(Normals& normals);
  [[nodiscard]] Options options_of(const Axis& axis, const std::vector<double>& seen,
                                   const TpeOptions& options);
  void cut_mixture();
  void add_constants(const Axis& axis, const Normals& normals);

  [[nodiscard]] double draw_axis(std::size_t axis, std::size_t kernel, Rng& rng) const;
  [[nodiscard]] static std::size_t draw_option(const Axis& axis, const Options& options,
                                               std::size_t kernel, Rng& rng);
  // Logarithms of the mass of x's cell, one per distinct kernel.
  [[nodiscard]] static std::vector<double> cell_masses(const Axis& axis, const Normals& normals,
                                                       double x);
  // Add the logarithm of every kernel's density at `x` on one axis to the kernels' terms, but for
  // what is in the constants.
  static void add_continuous(const Normals& normals, double x, std::span<double> terms);
  static void add_grid(const Normals& normals, std::span<const double> masses,
                       std::span<double> terms);
  static void add_category(const Options& options, double x, std::span<double> terms);

  std::vector<Axis> axes_;
  std::vector<double> weights_;
  std::vector<double> log_constants_;  // of each kernel: weight and norms
  std::vector<Kernels> kernels_;       // by axis
};

}  // namespace tcrops::tune
