#pragma once

#include <tcrops/tune/tpe_options.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace tcrops::tune {

// Weights of `count` observations from the oldest to the newest: 1 for the newest 25, falling
// linearly to 1/count before that.
[[nodiscard]] std::vector<double> age_weights(std::size_t count);

// Weights of good observations by how far each beats `best_bad` (values: larger is better; NaN for
// one that has none). None is 0.
[[nodiscard]] std::vector<double> improvement_weights(std::span<const double> good_values,
                                                      double best_bad);

// Standard deviations of the kernels at `means` in the range [low, high], the prior's left out.
// `dimensions` is the number of parameters in the mixture.
[[nodiscard]] std::vector<double> kernel_widths(double low, double high,
                                                std::span<const double> means,
                                                std::size_t dimensions, const TpeOptions& options);

}  // namespace tcrops::tune
