#pragma once

namespace tcrops::tune {

// The standard normal distribution in logarithms, accurate far into both tails.

// log(exp(a) + exp(b)) without overflow.
[[nodiscard]] double log_sum_exp(double a, double b);

// Logarithm of the distribution function; asymptotic series below -20.
[[nodiscard]] double log_ndtr(double x);

// The x with log_ndtr(x) = y, for y <= 0, by Newton's method.
[[nodiscard]] double inverse_log_ndtr(double y);

// Logarithm of the probability of [a, b], a < b.
[[nodiscard]] double log_mass(double a, double b);

// The same for the densities of many kernels: a tail below 1e-17 counts as none beside one of more
// than a half, and where nothing underflows differences are taken before the logarithm.
[[nodiscard]] double log_cell_mass(double a, double b);

// Logarithm of the density at x.
[[nodiscard]] double log_normal_density(double x);

// The value below which a share `q` in (0, 1) of the normal truncated to [a, b] lies.
[[nodiscard]] double truncated_quantile(double q, double a, double b);

}  // namespace tcrops::tune
