#include "truncated_normal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace tcrops::tune {
namespace {

const double kLogSqrtTwoPi = 0.5 * std::log(2.0 * std::numbers::pi);

constexpr double kNothingBelow = -8.5;  // ndtr is below 1e-17 there

double ndtr(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

// log(exp(a) - exp(b)), a >= b.
double log_difference(double a, double b) { return a + std::log(-std::expm1(b - a)); }

// ndtr(x) = density(x) / -x * (1 - 1/x^2 + 3/x^4 - 15/x^6 + ...), for x far below 0.
double log_ndtr_series(double x) {
  const double inverse_square = 1.0 / (x * x);
  double term = 1.0;
  double sum = 1.0;
  for (int i = 1; i < 20; ++i) {
    term *= -inverse_square * (2.0 * i - 1.0);
    if (std::abs(term) < std::numeric_limits<double>::epsilon()) break;
    sum += term;
  }
  return log_normal_density(x) - std::log(-x) + std::log(sum);
}

}  // namespace

double log_sum_exp(double a, double b) {
  const double larger = std::max(a, b);
  if (std::isinf(larger)) return larger;
  return larger + std::log1p(std::exp(std::min(a, b) - larger));
}

double log_normal_density(double x) { return -0.5 * x * x - kLogSqrtTwoPi; }

double log_ndtr(double x) {
  if (x > 0.0) return std::log1p(-ndtr(-x));
  return x > -20.0 ? std::log(ndtr(x)) : log_ndtr_series(x);
}

double inverse_log_ndtr(double y) {
  if (y >= 0.0) return std::numeric_limits<double>::infinity();
  // Above the median the other tail is the one with digits left.
  const bool flipped = y > -1e-2;
  const double z = flipped ? std::log(-std::expm1(y)) : y;
  double x = z < -5.0 ? -std::sqrt(-2.0 * (z + kLogSqrtTwoPi))
                      : -std::numbers::sqrt3 / std::numbers::pi * std::log(std::expm1(-z));
  for (int i = 0; i < 100; ++i) {
    const double value = log_ndtr(x);
    const double step = (value - z) * std::exp(value - log_normal_density(x));
    x -= step;
    if (std::abs(step) < 1e-8 * std::abs(x) + 1e-12) break;
  }
  return flipped ? -x : x;
}

double log_mass(double a, double b) {
  if (b <= 0.0) return log_difference(log_ndtr(b), log_ndtr(a));
  if (a > 0.0) return log_difference(log_ndtr(-a), log_ndtr(-b));
  return std::log1p(-ndtr(a) - ndtr(-b));
}

double log_cell_mass(double a, double b) {
  if (a > 0.0) return log_cell_mass(-b, -a);
  if (b > 0.0) {
    const double below = a < kNothingBelow ? 0.0 : ndtr(a);
    const double above = -b < kNothingBelow ? 0.0 : ndtr(-b);
    return std::log1p(-below - above);
  }
  if (b < -30.0) return log_mass(a, b);
  const double mass = ndtr(b) - (a < b - 20.0 ? 0.0 : ndtr(a));
  return mass > 0.0 ? std::log(mass) : log_mass(a, b);
}

double truncated_quantile(double q, double a, double b) {
  const double mass = log_mass(a, b);
  const double x = a < 0.0 ? inverse_log_ndtr(log_sum_exp(log_ndtr(a), std::log(q) + mass))
                           : -inverse_log_ndtr(log_sum_exp(log_ndtr(-b), std::log1p(-q) + mass));
  return std::clamp(x, a, b);
}

}  // namespace tcrops::tune
